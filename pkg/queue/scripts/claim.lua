-- Takes ownership of a circle that nobody owns, and makes its consumer group.
-- KEYS: 1 stream, 2 owner, 3 fence
-- ARGV: 1 worker, 2 lease in ms, 3 group
-- Result: {token, now in ms, last entry that is pending or ''}, or {'', owner}
-- when it is owned.
--
-- Tokens are not below the clock in microseconds, so that they also rise when
-- Redis comes back empty or without its last second, and a worker still believes
-- in one that it was given before. A number of Lua holds them exactly until 2255.
local owner = redis.call('GET', KEYS[2])
if owner then
  return {'', owner}
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local last = tonumber(redis.call('GET', KEYS[3]) or '0')
local token = string.format('%.0f', math.max(last + 1, time[1] * 1000000 + time[2]))
redis.call('SET', KEYS[3], token)
redis.call('SET', KEYS[2], token .. ' ' .. ARGV[1], 'PX', ARGV[2])
local made = redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[3], '0', 'MKSTREAM')
if type(made) == 'table' and made.err and not string.find(made.err, 'BUSYGROUP', 1, true) then
  return redis.error_reply(made.err)
end
return {token, string.format('%.0f', now), redis.call('XPENDING', KEYS[1], ARGV[3])[3] or ''}
