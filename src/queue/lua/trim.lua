#!lua flags=allow-oom
-- Drops the entries up to `at`, which may be old news: the floor never sinks, and stays where nothing was dropped.
-- KEYS: stream, at    ARGV: nonce, at, the id after it, group
-- -> {nonce, entries dropped}

-- Numbers as texts, since Lua's are exact up to 2^53 only.
local function parts(text)
  return string.match(text, '^(%d+)%-(%-?%d+)$')
end

local function less(a, b)
  if (string.sub(a, 1, 1) == '-') ~= (string.sub(b, 1, 1) == '-') then return string.sub(a, 1, 1) == '-' end
  if #a ~= #b then return #a < #b end
  return a < b
end

local floor = redis.call('HGET', KEYS[2], 'floor')
if not floor or redis.call('EXISTS', KEYS[1]) == 0 then return {ARGV[1], 0} end
local dropped = redis.call('XTRIM', KEYS[1], 'MINID', '=', ARGV[3])
if dropped == 0 then return {ARGV[1], 0} end

local epoch, seq = parts(ARGV[2])
local floor_epoch, floor_seq = parts(floor)
if less(floor_epoch, epoch) or (floor_epoch == epoch and less(floor_seq, seq)) then redis.call('HSET', KEYS[2], 'floor', ARGV[2]) end

local info = redis.call('XINFO', 'STREAM', KEYS[1])
local added = 0
for i = 1, #info, 2 do
  if info[i] == 'entries-added' then added = info[i + 1] end
end
local read = added - redis.call('XLEN', KEYS[1])
local set = redis.pcall('XGROUP', 'SETID', KEYS[1], ARGV[4], ARGV[2], 'ENTRIESREAD', read)
if set.err then redis.call('XGROUP', 'CREATE', KEYS[1], ARGV[4], ARGV[2], 'ENTRIESREAD', read) end
return {ARGV[1], dropped}
