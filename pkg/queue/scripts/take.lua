-- Reads plays that were never read, in order, and makes them pending.
-- KEYS: 1 stream, 2 fence, 3 commits
-- ARGV: 1 token, 2 number of commits that the owner knows of, 3 group,
--       4 consumer, 5 most
-- Result: {1, number of commits, entry id, play id, play, deliveries before,
-- entry id, …}; {0} when the token is not the latest; {-1} when the number of
-- commits is another.
if redis.call('GET', KEYS[2]) ~= ARGV[1] then
  return {0}
end
local commits = redis.call('GET', KEYS[3]) or '0'
if commits ~= ARGV[2] then
  return {-1}
end
local result = {1, commits}
local read = redis.call('XREADGROUP', 'GROUP', ARGV[3], ARGV[4], 'COUNT', ARGV[5], 'STREAMS', KEYS[1], '>')
if read and read[1] then
  for _, entry in ipairs(read[1][2]) do
    result[#result + 1] = entry[1]
    result[#result + 1] = entry[2][2] or ''
    result[#result + 1] = entry[2][4] or ''
    result[#result + 1] = 0
  end
end
return result
