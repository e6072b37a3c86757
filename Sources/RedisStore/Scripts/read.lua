-- read, with inbox.lua: what lies after an id, or after a device's cursor. Drops expired entries that it meets.
--
-- KEYS[1] wf:{b}:inbox:<client>   KEYS[2] wf:{b}:cursor:<client>   KEYS[3] wf:{b}:collapse:<client>
-- ARGV[1] device   ARGV[2] id, or "" for the cursor   ARGV[3] most messages   ARGV[4] most bytes of data
-- ARGV[5] how long the cursor hash outlives its last change, ms
--
-- Result {last id given or "0-0", 1 if more follows, how many gave way, {entry, ...}, the id it begins after}; an entry
-- as XRANGE gives it.

local box = open_box(KEYS)
local mark = mark_of(box, ARGV[1])
local id = ARGV[2]
if id == '' then
  id = box.acked
  if mark and mark.cursor ~= '-' then id = mark.cursor end
end
local result = page(KEYS, box, mark, id, now_ms(), tonumber(ARGV[3]), tonumber(ARGV[4]))
save_box(KEYS, box, ARGV[5])
return result
