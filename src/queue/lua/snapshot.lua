#!lua flags=no-writes
-- Floor, position and the entries after `after`, as one picture. The size of an entry is not known before it was read: they are read
-- in small steps, and no more are taken once `bytes` or `events` are together.
-- KEYS: stream, at    ARGV: nonce, after (exclusive start of a range), entries at most, bytes at most, events at most
-- -> {nonce, floor, pos, events ever appended, 1 where no entry follows, {{id, entry, events up to here}...}}; nils where absent
local STEP = 8
local at = redis.call('HMGET', KEYS[2], 'floor', 'pos', 'events')
if not at[2] or redis.call('EXISTS', KEYS[1]) == 0 then return {ARGV[1], false, false, false, 1, {}} end
local most, left = tonumber(ARGV[3]), tonumber(ARGV[4])
local from, found, all = ARGV[2], {}, 0
local enough, until_now
while #found < most and left > 0 and all == 0 and not (enough and until_now >= enough) do
  local step = redis.call('XRANGE', KEYS[1], from, '+', 'COUNT', STEP)
  local taken = 0
  for _, entry in ipairs(step) do
    if #found >= most or left <= 0 or (enough and until_now >= enough) then break end
    found[#found + 1] = {entry[1], entry[2][2], entry[2][4]}
    left, taken, from = left - #entry[2][2], taken + 1, '(' .. entry[1]
    until_now = tonumber(entry[2][4])
    -- How many the first entry holds is not known: at least one.
    enough = enough or until_now + tonumber(ARGV[5]) - 1
  end
  if taken == #step and taken < STEP then all = 1 end
end
return {ARGV[1], at[1], at[2], at[3], all, found}
