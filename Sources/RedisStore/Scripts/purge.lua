-- purge, with inbox.lua: removes all messages of a client; its devices count as having acknowledged them.
--
-- KEYS[1] wf:{b}:inbox:<client>   KEYS[2] wf:{b}:cursor:<client>   KEYS[3] wf:{b}:collapse:<client>
-- ARGV[1] how long the cursor hash outlives its last change, ms
--
-- Result: how many messages were removed.

local box = open_box(KEYS)
local count = redis.call('XLEN', KEYS[1])
for _, mark in ipairs(box.devices) do
  if mark.cursor ~= '-' then mark.cursor, mark.trimmed = box.last, 0 end
end
box.acked, box.bytes = box.last, 0
redis.call('DEL', KEYS[1], KEYS[3])
save_box(KEYS, box, ARGV[1])
return count
