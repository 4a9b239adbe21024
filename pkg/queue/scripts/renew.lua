-- Extends a lease, also one that has run out while nobody else claimed, and
-- makes the consumer group again if somebody removed it or the stream.
-- KEYS: 1 stream, 2 owner, 3 fence
-- ARGV: 1 token, 2 worker, 3 lease in ms, 4 group
-- Result: {1, now in ms, entries}, or {0} when the token is not the latest.
if redis.call('GET', KEYS[3]) ~= ARGV[1] then
  return {0}
end
-- This is the first write because it needs no memory: Redis lets the rest pass
-- then, also when memory is short.
redis.call('PEXPIRE', KEYS[2], ARGV[3])
redis.call('SET', KEYS[2], ARGV[1] .. ' ' .. ARGV[2], 'PX', ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local pending = redis.pcall('XPENDING', KEYS[1], ARGV[4])
if pending.err then
  redis.call('XGROUP', 'CREATE', KEYS[1], ARGV[4], '0', 'MKSTREAM')
end
return {1, string.format('%.0f', now), redis.call('XLEN', KEYS[1])}
