-- Reads plays that were never read, in order, and makes them pending.
-- KEYS: 1 stream, 2 fence
-- ARGV: 1 token, 2 group, 3 consumer, 4 most
-- Result: {1, entry id, play id, play, deliveries before, entry id, …}, or {0} when the
-- token is not the latest.
if redis.call('GET', KEYS[2]) ~= ARGV[1] then
  return {0}
end
local result = {1}
local read = redis.call('XREADGROUP', 'GROUP', ARGV[2], ARGV[3], 'COUNT', ARGV[4], 'STREAMS', KEYS[1], '>')
if read and read[1] then
  for _, entry in ipairs(read[1][2]) do
    result[#result + 1] = entry[1]
    result[#result + 1] = entry[2][2] or ''
    result[#result + 1] = entry[2][4] or ''
    result[#result + 1] = 0
  end
end
return result
