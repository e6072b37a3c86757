-- store, with inbox.lua: appends a message to the inboxes of some clients and finds their sessions, each client in one
-- step; in a cluster all are of one bucket. Safe to repeat for each client by itself, with ARGV[1] = 1.
--
-- KEYS[1] wf:{b}:routes   KEYS[2] wf:{b}:inbox:<c>   KEYS[3] wf:{b}:cursor:<c>   KEYS[4] wf:{b}:collapse:<c>, and so on
-- for each client
-- ARGV[1] 1 if the push may have been stored before   ARGV[2] push   ARGV[3] data
-- ARGV[4] time of the push, ms   ARGV[5] end, ms
-- ARGV[6] collapse key   ARGV[7] sender   ARGV[8] job   ARGV[9] trace id   (each "" for none)
-- ARGV[10] most entries of an inbox   ARGV[11] most bytes
-- ARGV[12] how long entries stay that all devices have acknowledged, ms
-- ARGV[13] most devices   ARGV[14] how long the cursor hash and a device in it outlive their last use, ms
-- ARGV[15...] the clients
--
-- Result, for each client: {"stored", id, previous id or "", 1 if it was there already, routes or ""} | {"replaced"}
-- | {"expired"} | {"failed", why}. Routes are as in wf:{b}:routes.

local is_repeat, push, data, time, over = ARGV[1] == '1', ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local key, most, bytes_most, acked_kept = ARGV[6], tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12])
local devices_most, kept = tonumber(ARGV[13]), ARGV[14]
local now = now_ms()

-- Clocks differ: an entry of this push may lie this long before the push's own time.
local repeat_margin, repeat_look_most = 5 * 60 * 1000, 200

-- The entry of an earlier run of this push.
local function earlier(inbox)
  local since, start, left = int(math.max(tonumber(time) - repeat_margin, 0)) .. '-0', '+', repeat_look_most
  while left > 0 do
    local found = redis.call('XREVRANGE', inbox[1], start, since, 'COUNT', math.min(20, left))
    for _, entry in ipairs(found) do
      if fields_of(entry).p == push then return entry[1] end
    end
    if #found < 20 then return nil end
    left, start = left - #found, before(found[#found][1])
  end
end

-- The entry that this message replaces, and its fields.
local function older(inbox)
  if key == '' then return nil end
  local id = redis.call('HGET', inbox[3], key)
  local entry = id and redis.call('XRANGE', inbox[1], id, id)[1]
  if entry then return id, fields_of(entry) end
end

local function is_newer(fields)
  local theirs, ours = tonumber(fields.t) or 0, tonumber(time)
  return theirs > ours or (theirs == ours and (fields.p or '') > push)
end

-- Drops what is over at the head of the inbox, then what is too much. The newest entry stays, whatever its size.
local function make_room(inbox, box)
  for count = redis.call('XLEN', inbox[1]), 2, -1 do
    local first = redis.call('XRANGE', inbox[1], '-', '+', 'COUNT', 1)[1]
    local id, fields = first[1], fields_of(first)
    local is_done = is_over(fields, now) or (ms_of(id) + acked_kept <= now and is_acked_by_all(box, id))
    if not is_done then
      if count <= most and box.bytes <= bytes_most then return end
      if is_after(id, box.trimmed) then box.trimmed = id end
      for _, mark in ipairs(box.devices) do
        if mark.cursor ~= '-' and is_after(id, mark.cursor) then mark.trimmed = mark.trimmed + 1 end
      end
    end
    remove(inbox, box, id, fields)
  end
end

local function append(inbox, box)
  local id = int(math.max(now, ms_of(box.last))) .. '-' .. int(seq_of(box.last) + 1)
  local entry = {'p', push, 'd', data, 't', time, 'x', over}
  for i, name in ipairs({'k', 'f', 'j', 'r'}) do
    if ARGV[5 + i] ~= '' then
      entry[#entry + 1] = name
      entry[#entry + 1] = ARGV[5 + i]
    end
  end
  local added = redis.pcall('XADD', inbox[1], id, unpack(entry))
  -- The hash was lost, and with it the last id of a stream whose clock was ahead.
  if type(added) == 'table' then added = redis.call('XADD', inbox[1], '*', unpack(entry)) end
  box.last, box.bytes = added, box.bytes + #data
  if key ~= '' then
    redis.call('HSET', inbox[3], key, added)
    redis.call('PEXPIRE', inbox[3], kept)
  end
  if redis.call('PTTL', inbox[1]) < tonumber(over) - now then
    redis.call('PEXPIRE', inbox[1], int(tonumber(over) - now))
  end
  return added
end

local function store(inbox, routes_key, client)
  local box, routes, connected = open_box(inbox), redis.call('HGET', routes_key, client) or '', {}
  for device in string.gmatch(routes, '([^|\n]*)|[^\n]*') do connected[device] = true end
  for device in pairs(connected) do meet(box, device, now, devices_most, connected) end
  for i = #box.devices, 1, -1 do
    local mark = box.devices[i]
    if mark.seen < now - tonumber(kept) and not connected[mark.device] then table.remove(box.devices, i) end
  end

  local top = redis.call('XREVRANGE', inbox[1], '+', '-', 'COUNT', 1)[1]
  if is_repeat and top then
    local id = earlier(inbox)
    if id then
      local previous = redis.call('XREVRANGE', inbox[1], before(id), '-', 'COUNT', 1)[1]
      return {'stored', id, previous and previous[1] or '', 1, routes}
    end
  end
  local old, fields = older(inbox)
  if old and is_repeat and is_newer(fields) then return {'replaced'} end
  if tonumber(over) <= now then return {'expired'} end

  if not top then
    -- The stream may have expired as a whole.
    box.bytes = 0
    if key ~= '' then redis.call('DEL', inbox[3]) end
  end
  -- First, so that nothing is gone when Redis has no memory for it.
  local id = append(inbox, box)
  if top then
    if old and not is_acked_by_all(box, old) then remove(inbox, box, old, fields) end
    make_room(inbox, box)
    if box.has_removed then top = redis.call('XREVRANGE', inbox[1], before(id), '-', 'COUNT', 1)[1] end
  end
  save_box(inbox, box, kept)
  return {'stored', id, top and top[1] or '', 0, routes}
end

local results = {}
for i = 1, #ARGV - 14 do
  local inbox = {KEYS[4 * i - 2], KEYS[4 * i - 1], KEYS[4 * i]}
  local done, result = pcall(store, inbox, KEYS[4 * i - 3], ARGV[14 + i])
  if not done then result = {'failed', type(result) == 'table' and result.err or tostring(result)} end
  results[i] = result
end
return results
