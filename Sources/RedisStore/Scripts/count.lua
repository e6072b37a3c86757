-- count: adds acknowledgements to the counter of a job. Each report counts once, also when its answer was lost and it
-- is sent again.
--
-- KEYS[1] wf:job:{<job>}   KEYS[2] wf:job:{<job>}:<report>
-- ARGV[1] how many   ARGV[2] how long the counter outlives its last report, ms
--
-- Result 1 if it was counted, 0 if it had been.

if not redis.call('SET', KEYS[2], '', 'NX', 'PX', 60000) then return 0 end
redis.call('HINCRBY', KEYS[1], 'acknowledged', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
