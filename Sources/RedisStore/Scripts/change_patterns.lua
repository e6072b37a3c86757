-- change_patterns: nodes begin or cease to have subscribers by wildcards, or are gone. The version rises when that
-- changes anything, once for the call: the larger of the last one plus one and Redis's clock in µs, so that it also
-- rises across a wiped Redis.
--
-- KEYS[1] wf:patterns                 hash, "incarnation|pattern" -> 1
-- KEYS[2] wf:{wf:patterns}:version    same slot: the tag is the other key
-- ARGV pairs: "+" or "-" and a row   or "gone" and an incarnation, whose rows all go
--
-- Result: how many rows were added or removed.

local changed, gone, is_any_gone = 0, {}, false
for i = 1, #ARGV - 1, 2 do
  if ARGV[i] == '+' then
    changed = changed + redis.call('HSET', KEYS[1], ARGV[i + 1], '1')
  elseif ARGV[i] == '-' then
    changed = changed + redis.call('HDEL', KEYS[1], ARGV[i + 1])
  else
    gone[ARGV[i + 1]], is_any_gone = true, true
  end
end
if is_any_gone then
  for _, row in ipairs(redis.call('HKEYS', KEYS[1])) do
    if gone[string.match(row, '^[^|]*')] then changed = changed + redis.call('HDEL', KEYS[1], row) end
  end
end
if changed > 0 then
  local time = redis.call('TIME')
  local last = tonumber(redis.call('GET', KEYS[2]) or '') or 0
  redis.call('SET', KEYS[2], string.format('%.0f', math.max(last + 1, time[1] * 1000000 + time[2])))
end
return changed
