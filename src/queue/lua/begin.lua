#!lua flags=allow-oom
-- Begins the partition anew, empty after `at`; it may run when memory is full, since it frees more than it takes.
-- KEYS: stream, at    ARGV: nonce, at, group, first id of the group, only if absent (1 or 0)
-- -> {nonce, begun}
if ARGV[5] == '1' and redis.call('EXISTS', KEYS[1]) == 1 and redis.call('HEXISTS', KEYS[2], 'pos') == 1 then return {ARGV[1], 0} end
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('XGROUP', 'CREATE', KEYS[1], ARGV[3], ARGV[4], 'MKSTREAM', 'ENTRIESREAD', 0)
redis.call('HSET', KEYS[2], 'floor', ARGV[2], 'pos', ARGV[2], 'events', 0)
return {ARGV[1], 1}
