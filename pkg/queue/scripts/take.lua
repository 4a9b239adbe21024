-- Reads plays that were never read, in order, and makes them pending. It reads
-- none past those that are pending: they come first.
-- KEYS: 1 stream, 2 fence, 3 commits
-- ARGV: 1 token, 2 number of commits that the owner knows of, 3 group,
--       4 consumer, 5 most
-- Result: {1, number of commits, heads, plays}; {0} when the token is not the
-- latest; {-1} when the number of commits is another; {3} when plays are
-- pending. Heads has for each play,
-- parted by spaces: entry id, length of the play's id, length of the play,
-- deliveries before. Plays has their ids and the plays themselves, one after the
-- other: two texts are read faster than four of each play.
local known = redis.call('MGET', KEYS[2], KEYS[3])
if known[1] ~= ARGV[1] then
  return {0}
end
local commits = known[2] or '0'
if commits ~= ARGV[2] then
  return {-1}
end
if redis.call('XPENDING', KEYS[1], ARGV[3])[1] > 0 then
  return {3}
end
local heads, texts = {}, {}
local read = redis.call('XREADGROUP', 'GROUP', ARGV[3], ARGV[4], 'COUNT', ARGV[5], 'STREAMS', KEYS[1], '>')
if read and read[1] then
  for _, entry in ipairs(read[1][2]) do
    local id, play = entry[2][2] or '', entry[2][4] or ''
    heads[#heads + 1] = entry[1] .. ' ' .. #id .. ' ' .. #play .. ' 0'
    texts[#texts + 1] = id
    texts[#texts + 1] = play
  end
end
return {1, commits, table.concat(heads, ' '), table.concat(texts)}
