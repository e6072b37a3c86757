-- bury: an incarnation is gone. Removes what one bucket still holds of it; newer routes of the same devices stay.
--
-- KEYS[1] wf:{b}:routes   KEYS[2] wf:{b}:node:<incarnation>
-- ARGV[1] incarnation
--
-- Result: how many routes were removed.

local removed = 0
for _, member in ipairs(redis.call('SMEMBERS', KEYS[2])) do
  local client, device = string.match(member, '^([^|]*)|([^|]*)$')
  local lines, found = {}, false
  for line in string.gmatch(client and redis.call('HGET', KEYS[1], client) or '', '[^\n]+') do
    local d, i = string.match(line, '^([^|]*)|([^|]*)|')
    if d == device and i == ARGV[1] then found = true else lines[#lines + 1] = line end
  end
  if found then
    removed = removed + 1
    if #lines == 0 then
      redis.call('HDEL', KEYS[1], client)
    else
      redis.call('HSET', KEYS[1], client, table.concat(lines, '\n'))
    end
  end
end
redis.call('DEL', KEYS[2])
return removed
