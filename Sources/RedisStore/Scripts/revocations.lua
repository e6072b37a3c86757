-- revocations: what was recorded at or after a cursor, and the cursor to ask with next. Reads only.
--
-- KEYS[1] wf:revoked
-- ARGV[1] cursor, ms; 0 begins   ARGV[2] how far back the beginning is, ms
-- ARGV[3] how much before now the next cursor is, ms: a clock set back by less leaves nothing out
--
-- Result {next cursor as text, "client|generation", ...}

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local since = tonumber(ARGV[1])
if since == 0 then since = now - tonumber(ARGV[2]) end
local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
local newest = math.max(now, tonumber(last[2] or '0'))
local result = redis.call('ZRANGEBYSCORE', KEYS[1], string.format('%.0f', since), '+inf')
table.insert(result, 1, string.format('%.0f', newest - tonumber(ARGV[3])))
return result
