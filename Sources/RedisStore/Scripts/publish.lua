-- publish, with history.lua: appends messages to the history of a topic, in their order, and finds the nodes that have
-- announced the topic, in one step. Trims by count each time. By age now and then, and then some of what is old; what
-- is left is never handed out (replay.lua).
--
-- KEYS[1] wf:{t}:history:<topic>   KEYS[2] wf:{t}:counting:<topic>   KEYS[3] wf:{t}:topic:<topic>
-- KEYS[4] wf:{wf:patterns}:version, or nothing in a cluster, where it is in another slot
-- ARGV[1] 1 if the messages may have been appended before   ARGV[2] most messages of the history
-- ARGV[3] how old they may become, ms   ARGV[4] how long the hash outlives its last change, ms
-- ARGV[5...] for each message: id, time of the publish in ms, data, sender or ""
--
-- Result {epoch, offset of the first message, {incarnation, ...}, version or "0"}.

local stream, counting = KEYS[1], KEYS[2]
local count_most, age = tonumber(ARGV[2]), tonumber(ARGV[3])
local count = (#ARGV - 4) / 4
local now = now_us()
local now_ms = math.floor(now / 1000)

-- How far back an earlier run of the same call is looked for, and how much may be old and go at once.
local repeat_look_most, repeat_bytes_most, trim_most = 1000, 16 * 1024 * 1024, 1000

local found = redis.call('HMGET', counting, 'epoch', 'last', 'look')
local epoch, last = tonumber(found[1] or ''), tonumber(found[2] or '')
local look = tonumber(found[3] or '') or 0

local function begin_counting()
  redis.call('DEL', stream)
  epoch, last, look = math.max(now, (epoch or 0) + 1), 0, 0
end

-- Where an earlier run has put the first message. All were appended together, so the last one is looked for.
local function earlier()
  local id, start, left, bytes = ARGV[#ARGV - 3], '+', repeat_look_most, repeat_bytes_most
  while left > 0 and bytes > 0 do
    local entries = redis.call('XREVRANGE', stream, start, '-', 'COUNT', 20)
    for _, entry in ipairs(entries) do
      if field_of(entry, 'i') == id then return offset_of(entry) - count + 1 end
      bytes = bytes - #(field_of(entry, 'd') or '')
    end
    if #entries < 20 then return nil end
    left, start = left - 20, int(offset_of(entries[20]) - 1) .. '-0'
  end
end

local function append()
  -- First, so that no offset is given twice when Redis has no memory for an entry.
  redis.call('HSET', counting, 'epoch', int(epoch), 'last', int(last + count))
  for i = 1, count do
    local at = 4 * i + 1
    local entry = {'i', ARGV[at], 't', ARGV[at + 1], 'd', ARGV[at + 2], 'a', int(now_ms)}
    if ARGV[at + 3] ~= '' then
      entry[9], entry[10] = 'f', ARGV[at + 3]
    end
    local id = int(last + i) .. '-0'
    local added = redis.pcall('XADD', stream, 'MAXLEN', int(count_most), id, unpack(entry))
    if type(added) == 'table' and added.err then return added end
  end
end

local function tidy()
  local oldest = offset_of(redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1])
  local head = last + count
  local to = math.min(head, oldest + trim_most - 1)
  local first = first_since(stream, oldest, to, now_ms - age)
  if first > oldest then redis.call('XTRIM', stream, 'MAXLEN', int(head - first + 1)) end
  -- With more to trim, at the next publish.
  look = first > to and 0 or now_ms + math.max(1, math.floor(age / 100))
  redis.call('HSET', counting, 'look', int(look))
  redis.call('PEXPIRE', counting, ARGV[4])
  -- Later than the next look, at which it is put off.
  redis.call('PEXPIRE', stream, int(age + math.floor(age / 50) + 1000))
end

if not epoch or not last then begin_counting() end
local first = ARGV[1] == '1' and last > 0 and earlier()
if not first then
  local refusal = append()
  if refusal and string.find(refusal.err, 'smaller', 1, true) then
    -- The stream is ahead of the hash: somebody has put back an older one.
    begin_counting()
    refusal = append()
  end
  if refusal then return refusal end
  first = last + 1
  if now_ms >= look then tidy() end
end
local version = KEYS[4] and redis.call('GET', KEYS[4]) or '0'
return {int(epoch), int(first), redis.call('SMEMBERS', KEYS[3]), version}
