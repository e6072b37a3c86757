-- remember: a push with this key was accepted, unless one was before. The same push again changes nothing.
--
-- KEYS[1] wf:dedupe:<hash of the key>
-- ARGV[1] id of the push   ARGV[2] for how long, ms
--
-- Result: the id of the earlier push, or nil.

local earlier = redis.call('GET', KEYS[1])
if earlier then return earlier ~= ARGV[1] and earlier end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return false
