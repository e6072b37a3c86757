-- revoke: raises a client's generation, so that every token so far is refused at claim. The generation is at least
-- Redis's clock in ms, so that it also rises across a wiped store.
--
-- KEYS[1] wf:{b}:gen
-- ARGV[1] client
--
-- Result: the new generation, as text. Numbers: see claim.lua.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local generation = string.format('%.0f', math.max(tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '0') + 1, now))
redis.call('HSET', KEYS[1], ARGV[1], generation)
return generation
