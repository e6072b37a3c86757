-- announce: an incarnation exists and may hold routes.
--
-- KEYS[1] wf:incarnations   sorted set, score = last announcement, ms of Redis's clock
-- ARGV[1] incarnation
--
-- Result 1.

local time = redis.call('TIME')
redis.call('ZADD', KEYS[1], string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)), ARGV[1])
return 1
