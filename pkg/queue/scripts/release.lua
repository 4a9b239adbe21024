-- Gives a lease back and tells every worker. Plays that were handed out and not
-- committed are pending with the number of deliveries that they had before:
-- nobody died of them. Those that this lease had first had none, whether it
-- heard of them or not.
-- KEYS: 1 owner, 2 stream
-- ARGV: 1 token, 2 worker, 3 wake channel, 4 circle, 5 group, 6 consumer,
--       7 first entry id that no former owner had, then for each play that one
--       had: entry id, deliveries
-- Result: 1, or 0 when it was not held any more.
if redis.call('GET', KEYS[1]) ~= ARGV[1] .. ' ' .. ARGV[2] then
  return 0
end
local ours = redis.pcall('XPENDING', KEYS[2], ARGV[5], ARGV[7], '+', 1000)
for _, pending in ipairs(ours) do
  redis.call('XCLAIM', KEYS[2], ARGV[5], ARGV[6], '0', pending[1], 'RETRYCOUNT', '0', 'JUSTID')
end
for i = 8, #ARGV, 2 do
  redis.call('XCLAIM', KEYS[2], ARGV[5], ARGV[6], '0', ARGV[i], 'RETRYCOUNT', ARGV[i + 1], 'JUSTID')
end
redis.call('DEL', KEYS[1])
redis.call('PUBLISH', ARGV[3], ARGV[4])
return 1
