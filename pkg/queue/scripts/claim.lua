-- Takes ownership of a circle that nobody owns, and makes its consumer group.
-- KEYS: 1 stream, 2 owner, 3 fence
-- ARGV: 1 worker, 2 lease in ms, 3 group
-- Result: {token, now in ms}, or {'', owner} when it is owned.
--
-- Tokens start from the clock, so that they also rise when Redis comes back
-- empty and a worker of before still believes in its own.
local owner = redis.call('GET', KEYS[2])
if owner then
  return {'', owner}
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local last = redis.call('GET', KEYS[3])
if not last then
  redis.call('SET', KEYS[3], string.format('%.0f', now))
end
redis.call('INCR', KEYS[3])
local token = redis.call('GET', KEYS[3])
redis.call('SET', KEYS[2], token .. ' ' .. ARGV[1], 'PX', ARGV[2])
local made = redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[3], '0', 'MKSTREAM')
if type(made) == 'table' and made.err and not string.find(made.err, 'BUSYGROUP', 1, true) then
  return redis.error_reply(made.err)
end
return {token, string.format('%.0f', now)}
