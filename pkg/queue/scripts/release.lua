-- Gives a lease back and tells every worker.
-- KEYS: 1 owner
-- ARGV: 1 token, 2 worker, 3 wake channel, 4 circle
-- Result: 1, or 0 when it was not held any more.
if redis.call('GET', KEYS[1]) ~= ARGV[1] .. ' ' .. ARGV[2] then
  return 0
end
redis.call('DEL', KEYS[1])
redis.call('PUBLISH', ARGV[3], ARGV[4])
return 1
