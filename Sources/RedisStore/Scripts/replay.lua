-- replay, with history.lua: what a topic keeps behind an offset.
--
-- KEYS[1] wf:{t}:history:<topic>   KEYS[2] wf:{t}:counting:<topic>
-- ARGV[1] offset, or "" for the head alone   ARGV[2] most messages of the page   ARGV[3] most bytes of data, but always
-- one message   ARGV[4] most messages of the history   ARGV[5] how old they may be, ms
--
-- Result {epoch, oldest offset that is kept, last offset given, 1 if more follows, {entry, ...}}; an entry as XRANGE
-- gives it. A topic that never kept anything: {"0", "1", "0", 0, {}}.

local stream = KEYS[1]
local most, bytes_most = tonumber(ARGV[2]), tonumber(ARGV[3])
local found = redis.call('HMGET', KEYS[2], 'epoch', 'last')
local epoch, head = tonumber(found[1] or ''), tonumber(found[2] or '')
if not epoch or not head then return {'0', '1', '0', 0, {}} end

local since = math.floor(now_us() / 1000) - tonumber(ARGV[5])
local first = first_since(stream, math.max(1, head - tonumber(ARGV[4]) + 1), head, since)

local entries, bytes = {}, 0
local function answer(is_more) return {int(epoch), int(first), int(head), is_more, entries} end
if ARGV[1] == '' then return answer(0) end

local start = math.max(tonumber(ARGV[1]) + 1, first)
while start <= head do
  local chunk = math.min(16, most - #entries + 1)
  local read = redis.call('XRANGE', stream, int(start) .. '-0', int(head) .. '-0', 'COUNT', chunk)
  for _, entry in ipairs(read) do
    local size = #(field_of(entry, 'd') or '')
    if #entries >= most or (#entries > 0 and bytes + size > bytes_most) then return answer(1) end
    entries[#entries + 1] = entry
    bytes = bytes + size
  end
  if #read < chunk then break end
  start = offset_of(read[#read]) + 1
end
return answer(0)
