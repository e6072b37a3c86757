-- inbox: what the scripts on inboxes share. Not a script of its own: the program puts it in front of those that say
-- "with inbox.lua".
--
-- A client's inbox is three keys with one hash tag:
--   wf:{b}:inbox:<client>      stream; the fields of an entry: p push, d data, t time of the push, x end (both ms), and
--                              where there is one: k collapse key, f sender, j job, r trace id
--   wf:{b}:cursor:<client>     hash: last id given, acked (by any device), trimmed (newest that gave way), bytes of
--                              data, devices "device|cursor|trimmed|seen ms" joined by newline; a device with the
--                              cursor "-" takes no stored messages
--   wf:{b}:collapse:<client>   hash: collapse key -> id of its entry
--
-- An id is "ms-seq". Its ms is Redis's clock, never less than that of the id before, even when the clock was set back
-- or the stream has expired meanwhile; its seq counts all that was ever stored for the client. So ids rise for ever,
-- and the difference of two says how many were stored between them. Numbers: see claim.lua.
--
-- What cannot be read in the cursor hash counts as missing: one damaged field must not keep a client from its messages.

-- A device's last sign of life is noted again after this long.
local seen_grain = 3600 * 1000

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function int(number) return string.format('%.0f', number) end

local function ms_of(id) return tonumber(string.match(id, '^%d+')) end
local function seq_of(id) return tonumber(string.match(id, '%d+$')) end

-- Whether a lies after b.
local function is_after(a, b)
  if a == b then return false end
  local am, as = string.match(a, '^(%d+)-(%d+)$')
  local bm, bs = string.match(b, '^(%d+)-(%d+)$')
  am, bm = tonumber(am), tonumber(bm)
  return am > bm or (am == bm and tonumber(as) > tonumber(bs))
end

-- The ids next to one, for ranges: "(" in ranges needs Redis 6.2.
local function next_of(id)
  local ms, seq = string.match(id, '^(%d+)-(%d+)$')
  return ms .. '-' .. int(tonumber(seq) + 1)
end
local function before(id)
  local ms, seq = string.match(id, '^(%d+)-(%d+)$')
  if tonumber(seq) > 0 then return ms .. '-' .. int(tonumber(seq) - 1) end
  return int(math.max(tonumber(ms) - 1, 0)) .. '-18446744073709551615'
end

local function id_or_start(text) return string.match(text or '', '^%d+%-%d+$') or '0-0' end

-- The fields of a stream entry by name.
local function fields_of(entry)
  local fields = {}
  for i = 1, #entry[2] - 1, 2 do fields[entry[2][i]] = entry[2][i + 1] end
  return fields
end

local function is_over(fields, now) return (tonumber(fields.x) or math.huge) <= now end

-- What is known of a client: inbox is {inbox key, cursor key, collapse key}.
local function open_box(inbox)
  local found = redis.call('HMGET', inbox[2], 'last', 'acked', 'trimmed', 'bytes', 'devices')
  local box = {
    last = id_or_start(found[1]), acked = id_or_start(found[2]), trimmed = id_or_start(found[3]),
    bytes = tonumber(found[4] or '') or 0, devices = {}, known = found
  }
  for line in string.gmatch(found[5] or '', '[^\n]+') do
    local device, cursor, trimmed, seen = string.match(line, '^([^|]+)|([^|]+)|(%d+)|(%d+)$')
    if device and (cursor == '-' or id_or_start(cursor) == cursor) then
      box.devices[#box.devices + 1] = {
        device = device, cursor = cursor, trimmed = tonumber(trimmed), seen = tonumber(seen)
      }
    end
  end
  -- The hash was lost and the stream was not.
  if not found[1] then
    local top = redis.call('XREVRANGE', inbox[1], '+', '-', 'COUNT', 1)[1]
    if top then box.last = top[1] end
  end
  return box
end

-- Writes what has changed; kept is how long the hash outlives its last change, ms.
local function save_box(inbox, box, kept)
  local lines = {}
  for i, mark in ipairs(box.devices) do
    lines[i] = mark.device .. '|' .. mark.cursor .. '|' .. int(mark.trimmed) .. '|' .. int(mark.seen)
  end
  local names = {'last', 'acked', 'trimmed', 'bytes', 'devices'}
  local values = {box.last, box.acked, box.trimmed, int(math.max(box.bytes, 0)), table.concat(lines, '\n')}
  local none = {'0-0', '0-0', '0-0', '0', ''}
  local changed = {}
  for i, value in ipairs(values) do
    if value ~= (box.known[i] or none[i]) then
      changed[#changed + 1] = names[i]
      changed[#changed + 1] = value
    end
  end
  if #changed == 0 then return end
  redis.call('HSET', inbox[2], unpack(changed))
  redis.call('PEXPIRE', inbox[2], kept)
end

local function mark_of(box, device)
  for _, mark in ipairs(box.devices) do
    if mark.device == device then return mark end
  end
end

-- Makes a device known, or notes that it lives. A new one begins where any device has come; when there are too many,
-- the one not seen for longest goes, of those that are not connected if there are any.
local function meet(box, device, now, most, connected)
  local mark = mark_of(box, device)
  if mark then
    if mark.seen + seen_grain <= now then mark.seen = now end
    return mark
  end
  while #box.devices >= math.max(most, 1) do
    local oldest, oldest_away
    for i, other in ipairs(box.devices) do
      if not oldest or other.seen < box.devices[oldest].seen then oldest = i end
      if not connected[other.device] and (not oldest_away or other.seen < box.devices[oldest_away].seen) then
        oldest_away = i
      end
    end
    table.remove(box.devices, oldest_away or oldest)
  end
  mark = {device = device, cursor = box.acked, trimmed = 0, seen = now}
  box.devices[#box.devices + 1] = mark
  return mark
end

-- Of a device's messages that gave way, those after an id: exact at its cursor, at most so many further on.
local function trimmed_after(box, mark, id)
  if not mark or not is_after(box.trimmed, id) then return 0 end
  return math.max(0, math.min(mark.trimmed, seq_of(box.trimmed) - seq_of(id)))
end

local function is_acked_by_all(box, id)
  local takers = 0
  for _, mark in ipairs(box.devices) do
    if mark.cursor ~= '-' then
      takers = takers + 1
      if is_after(id, mark.cursor) then return false end
    end
  end
  return takers > 0
end

local function remove(inbox, box, id, fields)
  box.has_removed = true
  if redis.call('XDEL', inbox[1], id) == 1 then box.bytes = box.bytes - #(fields.d or '') end
  if fields.k and redis.call('HGET', inbox[3], fields.k) == id then redis.call('HDEL', inbox[3], fields.k) end
end

-- What lies after an id, oldest first, as {last id given, 1 if more follows, how many gave way, entries, the id}. Never
-- reads much more than it returns.
local function page(inbox, box, mark, id, now, most, bytes_most)
  local entries, bytes, start = {}, 0, next_of(id)
  local trimmed = trimmed_after(box, mark, id)
  if not is_after(box.last, id) then return {box.last, 0, trimmed, entries, id} end
  repeat
    local found = redis.call('XRANGE', inbox[1], start, '+', 'COUNT', 32)
    for _, entry in ipairs(found) do
      local fields = fields_of(entry)
      local size = #(fields.d or '')
      if is_over(fields, now) then
        remove(inbox, box, entry[1], fields)
      elseif #entries >= most or (#entries > 0 and bytes + size > bytes_most) then
        return {box.last, 1, trimmed, entries, id}
      else
        entries[#entries + 1] = entry
        bytes = bytes + size
      end
    end
    if #found > 0 then start = next_of(found[#found][1]) end
  until #found < 32
  return {box.last, 0, trimmed, entries, id}
end
