#!lua
-- Appends one entry where the partition stands where the caller believes.
-- KEYS: stream, at    ARGV: nonce, expected, last, entry, events in it
-- -> {nonce, moved, position found}; nil where the partition is absent
local at = redis.call('HMGET', KEYS[2], 'pos', 'events')
if at[1] ~= ARGV[2] then return {ARGV[1], 0, at[1]} end
local events = string.format('%.0f', tonumber(at[2]) + tonumber(ARGV[5]))
if not redis.call('XADD', KEYS[1], 'NOMKSTREAM', ARGV[3], 'e', ARGV[4], 'c', events) then return {ARGV[1], 0, false} end
redis.call('HSET', KEYS[2], 'pos', ARGV[3], 'events', events)
return {ARGV[1], 1, ARGV[3]}
