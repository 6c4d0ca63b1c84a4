#!lua flags=allow-oom
-- Drops the entries up to `at`, which may be old news: the floor never sinks, and stays where nothing was dropped.
-- KEYS: stream, at    ARGV: nonce, at, group
-- -> {nonce, entries dropped, events ever appended}; nil where the partition is absent
local function pair(text)
  local epoch, seq = string.match(text, '^(%d+)%-(%-?%d+)$')
  return tonumber(epoch), tonumber(seq)
end

local at = redis.call('HMGET', KEYS[2], 'floor', 'events')
if not at[1] or redis.call('EXISTS', KEYS[1]) == 0 then return {ARGV[1], 0, false} end
local epoch, seq = pair(ARGV[2])
local next_id = string.format('%.0f-%.0f', epoch, seq + 1)
local dropped = redis.call('XTRIM', KEYS[1], 'MINID', '=', next_id)
if dropped == 0 then return {ARGV[1], 0, at[2]} end

local floor_epoch, floor_seq = pair(at[1])
if floor_epoch < epoch or (floor_epoch == epoch and floor_seq < seq) then redis.call('HSET', KEYS[2], 'floor', ARGV[2]) end

local info = redis.call('XINFO', 'STREAM', KEYS[1])
local added = 0
for i = 1, #info, 2 do
  if info[i] == 'entries-added' then added = info[i + 1] end
end
local read = added - redis.call('XLEN', KEYS[1])
local set = redis.pcall('XGROUP', 'SETID', KEYS[1], ARGV[3], ARGV[2], 'ENTRIESREAD', read)
if set.err then redis.call('XGROUP', 'CREATE', KEYS[1], ARGV[3], ARGV[2], 'ENTRIESREAD', read) end
return {ARGV[1], dropped, at[2]}
