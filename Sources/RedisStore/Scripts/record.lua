-- record: notes a revocation for the nodes that hold live sessions of the client, and forgets what is too old to
-- matter. May be repeated. The score never falls, even when the clock is set back, so that no reader's cursor passes an
-- entry.
--
-- KEYS[1] wf:revoked
-- ARGV[1] "client|generation"   ARGV[2] how long entries are kept, ms
--
-- Result: the score given, ms of Redis's clock, as text.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
local score = string.format('%.0f', math.max(now, tonumber(last[2] or '0')))
redis.call('ZADD', KEYS[1], score, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('(%.0f', now - tonumber(ARGV[2])))
return score
