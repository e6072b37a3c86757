-- summary: an inbox for an operator. Reads only.
--
-- KEYS[1] wf:{b}:inbox:<client>   KEYS[2] wf:{b}:cursor:<client>
--
-- Result {entries, id of the oldest or "", last, acked, bytes, devices}; the last four as in the hash (inbox.lua), ""
-- for what is not there.

local found = redis.call('HMGET', KEYS[2], 'last', 'acked', 'bytes', 'devices')
local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
return {
  redis.call('XLEN', KEYS[1]), first and first[1] or '', found[1] or '', found[2] or '', found[3] or '', found[4] or ''
}
