-- reclaim: writes a session again under the epoch it has, after an outage or a wiped store. Never displaces a newer
-- one.
--
-- KEYS[1] wf:{b}:routes   KEYS[2] wf:{b}:epoch   KEYS[3] wf:{b}:gen   KEYS[4] wf:{b}:node:<incarnation>
-- ARGV[1] client   ARGV[2] device   ARGV[3] incarnation   ARGV[4] session   ARGV[5] the token's generation
-- ARGV[6] the session's epoch   ARGV[7] most devices of a client   ARGV[8] "wf:{b}:node:" (see claim.lua)
--
-- Result "kept" | "superseded" | "revoked". Numbers: see claim.lua.

local routes, epochs, generations, mine = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local client, device, incarnation, session, epoch = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[6])

if tonumber(ARGV[5]) < tonumber(redis.call('HGET', generations, client) or '0') then
  return 'revoked'
end

local kept, displaced = {}, {}
for line in string.gmatch(redis.call('HGET', routes, client) or '', '[^\n]+') do
  local d, i, s, e = string.match(line, '^([^|]*)|([^|]*)|([^|]*)|(%d+)$')
  if d == device then
    if i == incarnation and s == session then
      redis.call('SADD', mine, client .. '|' .. device)
      return 'kept'
    end
    if tonumber(e) >= epoch then return 'superseded' end
    displaced[1] = {device = d, incarnation = i}
  elseif d then
    kept[#kept + 1] = {device = d, incarnation = i, epoch = tonumber(e), line = line}
  end
end

kept[#kept + 1] = {
  device = device, incarnation = incarnation, epoch = epoch, own = true,
  line = device .. '|' .. incarnation .. '|' .. session .. '|' .. ARGV[6]
}
table.sort(kept, function(a, b) return a.epoch < b.epoch end)
while #kept > math.max(tonumber(ARGV[7]), 1) do
  local oldest = table.remove(kept, 1)
  -- More devices came meanwhile, all of them newer.
  if oldest.own then return 'superseded' end
  displaced[#displaced + 1] = oldest
end

for _, route in ipairs(displaced) do
  local seen = redis.pcall('EXISTS', ARGV[8] .. route.incarnation)
  if type(seen) == 'table' and seen.err then return redis.error_reply('TRYAGAIN the slot is being migrated') end
end

local lines = {}
for _, route in ipairs(kept) do lines[#lines + 1] = route.line end
redis.call('HSET', routes, client, table.concat(lines, '\n'))
for _, route in ipairs(displaced) do
  redis.call('SREM', ARGV[8] .. route.incarnation, client .. '|' .. route.device)
end
redis.call('SADD', mine, client .. '|' .. device)
if epoch > tonumber(redis.call('GET', epochs) or '0') then
  redis.call('SET', epochs, ARGV[6])
end
return 'kept'
