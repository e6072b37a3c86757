-- release: a connection ended. Removes the route only if it is still this very session, so that a late release from an
-- old node never erases a newer route.
--
-- KEYS[1] wf:{b}:routes   KEYS[2] wf:{b}:node:<incarnation>
-- ARGV[1] client   ARGV[2] device   ARGV[3] incarnation   ARGV[4] session
--
-- Result 1 if a route was removed, else 0.

local client, device, incarnation, session = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

local lines, removed, elsewhere = {}, 0, true
for line in string.gmatch(redis.call('HGET', KEYS[1], client) or '', '[^\n]+') do
  local d, i, s = string.match(line, '^([^|]*)|([^|]*)|([^|]*)|%d+$')
  if d == device and i == incarnation and s == session then
    removed = 1
  else
    -- A newer session of this device on the same incarnation keeps its place in the set.
    if d == device and i == incarnation then elsewhere = false end
    lines[#lines + 1] = line
  end
end

if elsewhere then redis.call('SREM', KEYS[2], client .. '|' .. device) end
if removed == 1 then
  if #lines == 0 then
    redis.call('HDEL', KEYS[1], client)
  else
    redis.call('HSET', KEYS[1], client, table.concat(lines, '\n'))
  end
end
return removed
