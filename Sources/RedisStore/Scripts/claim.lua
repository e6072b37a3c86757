-- claim, with inbox.lua: a device has connected. Gives the next epoch of the bucket and makes this session the route of
-- its client and device, unless the token was revoked or two connections displace each other too often. Answers with
-- the first page of what the device has not acknowledged. The device becomes known here if it was not.
--
-- KEYS[1] wf:{b}:routes                  hash, client -> "device|incarnation|session|epoch" joined by newline
-- KEYS[2] wf:{b}:epoch                   last epoch given
-- KEYS[3] wf:{b}:gen                     hash, client -> generation
-- KEYS[4] wf:{b}:war:<client>|<device>   displacements within the window
-- KEYS[5] wf:{b}:node:<incarnation>      set of "client|device"
-- KEYS[6] wf:{b}:inbox:<client>   KEYS[7] wf:{b}:cursor:<client>   KEYS[8] wf:{b}:collapse:<client>
-- ARGV[1] client   ARGV[2] device   ARGV[3] incarnation   ARGV[4] session   ARGV[5] the token's generation
-- ARGV[6] most devices of a client   ARGV[7] most displacements in a window   ARGV[8] the window, ms
-- ARGV[9] "wf:{b}:node:", to name the sets of displaced incarnations: same tag, so same slot and same node
--
-- ARGV[10] 1 if the device takes stored messages   ARGV[11] most messages of a page   ARGV[12] most bytes
-- ARGV[13] most devices whose place is remembered   ARGV[14] how long the cursor hash outlives its last change, ms
--
-- Result {"granted", epoch, {displaced route, ...}, page as in read.lua or {}} | {"revoked"} | {"conflict", ms to wait}
--
-- Lua numbers are doubles, exact up to 2^53 = 9.0e15; microseconds since 1970 are 1.8e15 and reach that in the year
-- 2255. They are written with %.0f because tostring() would round them to 14 digits.
-- TIME followed by writes needs script effects replication: Redis 5 and later.

local routes, epochs, generations, war, mine = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local client, device, incarnation, session = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

if tonumber(ARGV[5]) < tonumber(redis.call('HGET', generations, client) or '0') then
  return {'revoked'}
end

local kept, displaced, present = {}, {}, nil
for line in string.gmatch(redis.call('HGET', routes, client) or '', '[^\n]+') do
  local d, i, s, e = string.match(line, '^([^|]*)|([^|]*)|([^|]*)|(%d+)$')
  if d == device then
    present = {incarnation = i, session = s, epoch = e, line = line}
  elseif d then
    kept[#kept + 1] = {device = d, incarnation = i, epoch = tonumber(e), line = line}
  end
end

-- What the device has not acknowledged.
local function first_page(now)
  local inbox, connected = {KEYS[6], KEYS[7], KEYS[8]}, {[device] = true}
  for _, route in ipairs(kept) do connected[route.device] = true end
  local box = open_box(inbox)
  local mark = meet(box, device, now, tonumber(ARGV[13]), connected)
  local result = {}
  if ARGV[10] ~= '1' then
    mark.cursor, mark.trimmed = '-', 0
  else
    if mark.cursor == '-' then mark.cursor = box.acked end
    result = page(inbox, box, mark, mark.cursor, now, tonumber(ARGV[11]), tonumber(ARGV[12]))
  end
  save_box(inbox, box, ARGV[14])
  return result
end

-- The same session again: an answer was lost on its way. Nothing is displaced twice.
if present and present.incarnation == incarnation and present.session == session then
  redis.call('SADD', mine, client .. '|' .. device)
  return {'granted', present.epoch, {}, first_page(now_ms())}
end

if present and tonumber(redis.call('GET', war) or '0') >= tonumber(ARGV[7]) then
  return {'conflict', math.max(redis.call('PTTL', war), 1)}
end

if present then
  displaced[1] = {device = device, incarnation = present.incarnation, line = present.line}
end
table.sort(kept, function(a, b) return a.epoch < b.epoch end)
while #kept + 1 > math.max(tonumber(ARGV[6]), 1) do
  displaced[#displaced + 1] = table.remove(kept, 1)
end

-- While a slot migrates, a set that is not among KEYS may be gone already. Look before writing anything: a script that
-- fails half-way is not undone.
for _, route in ipairs(displaced) do
  local seen = redis.pcall('EXISTS', ARGV[9] .. route.incarnation)
  if type(seen) == 'table' and seen.err then return redis.error_reply('TRYAGAIN the slot is being migrated') end
end

local time = redis.call('TIME')
local epoch = math.max(tonumber(redis.call('GET', epochs) or '0') + 1, time[1] * 1000000 + time[2])
local epoch_text = string.format('%.0f', epoch)

redis.call('SET', epochs, epoch_text)
local lines, gone = {}, {}
for _, route in ipairs(kept) do lines[#lines + 1] = route.line end
lines[#lines + 1] = device .. '|' .. incarnation .. '|' .. session .. '|' .. epoch_text
redis.call('HSET', routes, client, table.concat(lines, '\n'))
for _, route in ipairs(displaced) do
  redis.call('SREM', ARGV[9] .. route.incarnation, client .. '|' .. route.device)
  gone[#gone + 1] = route.line
end
redis.call('SADD', mine, client .. '|' .. device)
if present and redis.call('INCR', war) == 1 then
  redis.call('PEXPIRE', war, ARGV[8])
end
return {'granted', epoch_text, gone, first_page(time[1] * 1000 + math.floor(time[2] / 1000))}
