-- acknowledge, with inbox.lua: devices of some clients have everything up to an id; in a cluster all are of one bucket.
-- Cursors go forward only; an id that was not given yet counts as the last one that was.
--
-- KEYS[1] wf:{b}:inbox:<client>   KEYS[2] wf:{b}:cursor:<client>, and so on for each acknowledgement
-- ARGV[1] most devices   ARGV[2] how long the cursor hash outlives its last change, ms
-- ARGV[3] how long entries stay that all devices have acknowledged, ms
-- ARGV[4...] for each acknowledgement: device, id
--
-- Result, for each: {"ok", the cursor now, job, count, ...} | {"failed", why}. The counts are of messages that no
-- device of the client had acknowledged before; they are in no later answer.

local devices_most, kept, acked_kept = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local now = now_ms()

local function acknowledge(inbox, device, id)
  local box = open_box(inbox)
  if box.last == '0-0' then return {'ok', '0-0'} end
  if is_after(id, box.last) then id = box.last end
  local mark = meet(box, device, now, devices_most, {})
  if mark.cursor == '-' then mark.cursor = box.acked end
  if not is_after(id, mark.cursor) then
    save_box(inbox, box, kept)
    return {'ok', mark.cursor}
  end
  mark.trimmed = trimmed_after(box, mark, id)
  mark.cursor = id

  local result, counts = {'ok', id}, {}
  if is_after(id, box.acked) then
    local start, found = next_of(box.acked), nil
    repeat
      found = redis.call('XRANGE', inbox[1], start, id, 'COUNT', 32)
      for _, entry in ipairs(found) do
        local job = fields_of(entry).j
        if job then counts[job] = (counts[job] or 0) + 1 end
      end
      if #found > 0 then start = next_of(found[#found][1]) end
    until #found < 32
    box.acked = id
  end
  -- Nobody will ask for any of it again, but the push itself may be repeated for a while.
  if is_acked_by_all(box, box.last) and redis.call('PTTL', inbox[1]) > acked_kept then
    redis.call('PEXPIRE', inbox[1], ARGV[3])
  end
  save_box(inbox, box, kept)
  for job, count in pairs(counts) do
    result[#result + 1] = job
    result[#result + 1] = count
  end
  return result
end

local results = {}
for i = 1, #KEYS / 2 do
  local done, result = pcall(acknowledge, {KEYS[2 * i - 1], KEYS[2 * i]}, ARGV[2 * i + 2], ARGV[2 * i + 3])
  if not done then result = {'failed', type(result) == 'table' and result.err or tostring(result)} end
  results[i] = result
end
return results
