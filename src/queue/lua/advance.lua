#!lua flags=allow-oom
-- Moves the position over a stretch without events of this partition; with to = expected it only asks.
-- KEYS: stream, at    ARGV: nonce, expected, to
-- -> {nonce, moved, position found}; nil where the partition is absent
local pos = redis.call('HGET', KEYS[2], 'pos')
if pos and redis.call('EXISTS', KEYS[1]) == 0 then pos = false end
if pos ~= ARGV[2] then return {ARGV[1], 0, pos} end
if pos ~= ARGV[3] then redis.call('HSET', KEYS[2], 'pos', ARGV[3]) end
return {ARGV[1], 1, ARGV[3]}
