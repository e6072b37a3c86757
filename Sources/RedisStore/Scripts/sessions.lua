-- sessions: what one bucket holds of an incarnation, to compare with the node's own connections. Reads only.
--
-- KEYS[1] wf:{b}:routes   KEYS[2] wf:{b}:node:<incarnation>
-- ARGV[1] incarnation
--
-- Result {client, "device|incarnation|session|epoch", client, ...}

local result = {}
for _, member in ipairs(redis.call('SMEMBERS', KEYS[2])) do
  local client, device = string.match(member, '^([^|]*)|([^|]*)$')
  for line in string.gmatch(client and redis.call('HGET', KEYS[1], client) or '', '[^\n]+') do
    local d, i = string.match(line, '^([^|]*)|([^|]*)|')
    if d == device and i == ARGV[1] then
      result[#result + 1] = client
      result[#result + 1] = line
    end
  end
end
return result
