-- history: what the scripts on the kept messages of a topic share. Not a script of its own: the program puts it in
-- front of those that say "with history.lua".
--
-- A topic's history is two keys with one hash tag:
--   wf:{t}:history:<topic>    stream; the id of an entry is "offset-0"; its fields: i message id, d data, t time of the
--                             publish and a when it was appended (both ms), and where there is one: f sender
--   wf:{t}:counting:<topic>   hash: epoch, last offset given, and look: when the history is to be tidied next, ms
--
-- Offsets count from 1, and each is given once under an epoch: the hash outlives the stream, so that a history whose
-- messages have all expired goes on counting. The epoch is Redis's clock in µs when the counting began. Without the
-- hash nobody knows what was given, so what the stream still has is dropped and another counting begins.
--
-- Offsets in the stream are consecutive, unless somebody else deletes entries; then those count as trimmed. Numbers:
-- see claim.lua.

local function now_us()
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end

local function int(number) return string.format('%.0f', number) end

local function offset_of(entry) return tonumber(string.match(entry[1], '^%d+')) end

local function field_of(entry, name)
  for i = 1, #entry[2] - 1, 2 do
    if entry[2][i] == name then return entry[2][i + 1] end
  end
end

-- The first of the offsets from..to whose entry was appended at since or later; to + 1 when there is none. Entries
-- are in the order in which they were appended, so it is searched for by halves: the oldest nearly always will do, and
-- after a long pause it takes 17 looks for a hundred thousand.
local function first_since(stream, from, to, since)
  local low, high, first = from, to + 1, to + 1
  local middle = low
  while low < high do
    local entry = redis.call('XRANGE', stream, int(middle) .. '-0', '+', 'COUNT', 1)[1]
    local offset = entry and offset_of(entry)
    if not entry or offset > to then
      high = middle
    elseif (tonumber(field_of(entry, 'a') or '') or 0) >= since then
      high, first = middle, offset
    else
      low = offset + 1
    end
    middle = math.floor((low + high) / 2)
  end
  return first
end
