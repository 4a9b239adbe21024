-- Reads plays that were read before and neither committed nor withdrawn, in
-- order, with how often each was delivered.
-- KEYS: 1 stream, 2 fence
-- ARGV: 1 token, 2 group, 3 first entry id, 4 most
-- Result: {1, entry id, play id, play, deliveries, entry id, …}, or {0} when the
-- token is not the latest.
if redis.call('GET', KEYS[2]) ~= ARGV[1] then
  return {0}
end
local result = {1}
for _, pending in ipairs(redis.call('XPENDING', KEYS[1], ARGV[2], ARGV[3], '+', ARGV[4])) do
  local id = pending[1]
  local entry = redis.call('XRANGE', KEYS[1], id, id)[1]
  if entry then
    result[#result + 1] = id
    result[#result + 1] = entry[2][2] or ''
    result[#result + 1] = entry[2][4] or ''
    result[#result + 1] = pending[4]
  else
    redis.call('XACK', KEYS[1], ARGV[2], id)
  end
end
return result
