-- Gives a lease back and tells every worker. Plays that were handed out and not
-- committed are pending with the number of deliveries that they had before:
-- nobody died of them.
-- KEYS: 1 owner, 2 stream
-- ARGV: 1 token, 2 worker, 3 wake channel, 4 circle, 5 group, 6 consumer,
--       then for each play: entry id, deliveries
-- Result: 1, or 0 when it was not held any more.
if redis.call('GET', KEYS[1]) ~= ARGV[1] .. ' ' .. ARGV[2] then
  return 0
end
for i = 7, #ARGV, 2 do
  redis.call('XCLAIM', KEYS[2], ARGV[5], ARGV[6], '0', ARGV[i], 'RETRYCOUNT', ARGV[i + 1], 'JUSTID')
end
redis.call('DEL', KEYS[1])
redis.call('PUBLISH', ARGV[3], ARGV[4])
return 1
