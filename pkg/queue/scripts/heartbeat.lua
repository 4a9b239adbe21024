-- Says that a worker lives, and forgets those that do not.
-- KEYS: 1 workers
-- ARGV: 1 worker, 2 how long the heartbeat counts in ms (0: the worker leaves),
--       3 wake channel
-- Result: the live workers. When this one is new, or leaves, all are told.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
local changed
if tonumber(ARGV[2]) > 0 then
  changed = redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[2]), ARGV[1])
else
  changed = redis.call('ZREM', KEYS[1], ARGV[1])
end
if changed == 1 then
  redis.call('PUBLISH', ARGV[3], '')
end
return redis.call('ZRANGE', KEYS[1], '0', '-1')
