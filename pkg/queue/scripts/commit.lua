-- Makes a group of plays happen: all of it or nothing.
-- KEYS: 1 stream, 2 fence, 3 results
-- ARGV: 1 token, 2 group, 3 most results, 4 number of plays,
--       then for each play: entry id, play id, reply channel or '', outcome
-- Result: {1}; {0} when the token is not the latest; {2, entry id, …} with the
-- plays that are not pending any more because they were withdrawn. With 0 and 2
-- nothing has changed.
--
-- Acknowledging comes first among the writes: it frees memory, and after a
-- first write Redis lets the rest of a script pass when memory is short.
if redis.call('GET', KEYS[2]) ~= ARGV[1] then
  return {0}
end
local plays = tonumber(ARGV[4])
local gone = {2}
for i = 0, plays - 1 do
  local id = ARGV[5 + 4 * i]
  if #redis.call('XPENDING', KEYS[1], ARGV[2], id, id, 1) == 0 then
    gone[#gone + 1] = id
  end
end
if #gone > 1 then
  return gone
end
for i = 0, plays - 1 do
  local id = ARGV[5 + 4 * i]
  redis.call('XACK', KEYS[1], ARGV[2], id)
  redis.call('XDEL', KEYS[1], id)
end
for i = 0, plays - 1 do
  redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[3], '*', 'id', ARGV[6 + 4 * i], 'outcome', ARGV[8 + 4 * i])
end
for i = 0, plays - 1 do
  if ARGV[7 + 4 * i] ~= '' then
    redis.call('PUBLISH', ARGV[7 + 4 * i], ARGV[8 + 4 * i])
  end
end
return {1}
