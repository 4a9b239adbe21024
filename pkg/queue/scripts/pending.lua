-- Reads plays that were read before and neither committed nor withdrawn, in
-- order, with how often each was delivered.
-- KEYS: 1 stream, 2 fence
-- ARGV: 1 token, 2 group, 3 consumer, 4 first entry id, 5 most,
--       6 most deliveries of a play, or 0 to leave the count as it is,
--       7 entry that is counted already
-- Result: {1, entry id, play id, play, deliveries before, entry id, …}, or {0}
-- when the token is not the latest.
if redis.call('GET', KEYS[2]) ~= ARGV[1] then
  return {0}
end
local most = tonumber(ARGV[6])
local result = {1}
for _, pending in ipairs(redis.call('XPENDING', KEYS[1], ARGV[2], ARGV[4], '+', ARGV[5])) do
  local id, count = pending[1], pending[4]
  local entry = redis.call('XRANGE', KEYS[1], id, id)[1]
  if not entry then
    redis.call('XACK', KEYS[1], ARGV[2], id)
  else
    if id == ARGV[7] then
      count = count - 1
    elseif count < most then
      redis.call('XCLAIM', KEYS[1], ARGV[2], ARGV[3], '0', id, 'RETRYCOUNT', count + 1, 'JUSTID')
    end
    result[#result + 1] = id
    result[#result + 1] = entry[2][2] or ''
    result[#result + 1] = entry[2][4] or ''
    result[#result + 1] = count
  end
end
return result
