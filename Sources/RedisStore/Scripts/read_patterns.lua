-- read_patterns: every row of the patterns, and the version they have.
--
-- KEYS[1] wf:patterns   KEYS[2] wf:{wf:patterns}:version
--
-- Result {version or "0", {"incarnation|pattern", ...}}.

return {redis.call('GET', KEYS[2]) or '0', redis.call('HKEYS', KEYS[1])}
