-- heads: the last ids given in the inboxes of some clients of one bucket. Reads only.
--
-- KEYS[1] wf:{b}:cursor:<client>, and so on for each client
--
-- Result: for each client the id, or nil.

local heads = {}
for i, key in ipairs(KEYS) do heads[i] = redis.call('HGET', key, 'last') end
return heads
