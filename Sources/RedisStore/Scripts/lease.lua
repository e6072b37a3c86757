-- lease: takes a lease that is free or already the holder's, for so long from now.
--
-- KEYS[1] wf:lease:<name>
-- ARGV[1] holder   ARGV[2] duration, ms
--
-- Result 1 if it is held now, else 0.

local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
