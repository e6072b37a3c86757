-- forget_load: an incarnation is gone; its last load report goes too, unless a newer life of the node has reported
-- since.
--
-- KEYS[1] wf:load   hash, node -> JSON
-- ARGV[1] node   ARGV[2] incarnation
--
-- Result 1 if a report was removed, else 0.

local report = redis.call('HGET', KEYS[1], ARGV[1])
if not report then return 0 end
local decoded, load = pcall(cjson.decode, report)
if decoded and type(load) == 'table' and load.incarnation ~= ARGV[2] then return 0 end
return redis.call('HDEL', KEYS[1], ARGV[1])
