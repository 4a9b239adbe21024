-- Adds a play to the end of the circle's queue, unless the queue is full, the
-- play's deadline has passed on the way, or its idempotency key has a play.
-- KEYS: 1 stream, 2 owner, 3 pace, and for a play with an idempotency key: 4 once
-- ARGV: 1 most entries, 2 play id, 3 play, 4 wake prefix, 5 circle,
--       6 deadline in ms of Redis's clock, and for a play with a key: 7 what it
--       does, 8 how long its outcome is kept in ms, 9 reply channel or '',
--       10 group
-- Result: {entry id, depth before}, {'', depth, pace, now in ms} when the queue
-- is full, {'', -1} when it is too late; with a key also {'', -2, play id} when
-- that play has the key and waits or runs, {'', -3, outcome} when it has ended,
-- and {'', -4} when it does something else.
--
-- The owner is woken only when the queue was empty: while there are entries it
-- is at work, and reads again before it rests. PUBLISH, not SPUBLISH: it is
-- legal whatever slot this script runs in, and subscribers on any node of a
-- Cluster, or of a master behind Sentinel, hear it.
--
-- A key without an outcome belongs to its play as long as the play's entry is in
-- the queue. Whatever removes the entry without an outcome frees the key.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if now >= tonumber(ARGV[6]) then
  return {'', -1}
end
if KEYS[4] then
  local once = redis.call('HMGET', KEYS[4], 'what', 'outcome', 'entry', 'due', 'play', 'reply', 'to')
  local entry = once[3]
  local held = once[2] or entry and #redis.call('XRANGE', KEYS[1], entry, entry) > 0
  if held and not once[2] and now > tonumber(once[4]) then
    -- The gateway that should have withdrawn it may be gone.
    local read = redis.pcall('XPENDING', KEYS[1], ARGV[10], entry, entry, 1)
    if read.err or #read == 0 then
      redis.call('XDEL', KEYS[1], entry)
      held = false
    end
  end
  if held and once[1] ~= ARGV[7] then
    return {'', -4}
  end
  if held and once[2] then
    return {'', -3, once[2]}
  end
  if held then
    local to = once[7] or ''
    if ARGV[9] ~= '' and ARGV[9] ~= once[6] and not string.find(to .. ' ', ' ' .. ARGV[9] .. ' ', 1, true) and #to < 16384 then
      redis.call('HSET', KEYS[4], 'to', to .. ' ' .. ARGV[9])
    end
    return {'', -2, once[5]}
  end
end
local depth = redis.call('XLEN', KEYS[1])
if depth >= tonumber(ARGV[1]) then
  return {'', depth, redis.call('GET', KEYS[3]) or '', now}
end
local id = redis.call('XADD', KEYS[1], '*', 'id', ARGV[2], 'play', ARGV[3])
if KEYS[4] then
  redis.call('DEL', KEYS[4])
  redis.call('HSET', KEYS[4], 'what', ARGV[7], 'entry', id, 'due', ARGV[6], 'play', ARGV[2], 'reply', ARGV[9], 'ttl', ARGV[8])
  redis.call('PEXPIRE', KEYS[4], string.format('%.0f', ARGV[6] - now + ARGV[8]))
end
if depth == 0 then
  local owner = redis.call('GET', KEYS[2])
  if owner then
    local worker = string.match(owner, '^%d+ (.+)$')
    if worker then
      redis.call('PUBLISH', ARGV[4] .. worker, ARGV[5])
    end
  end
end
return {id, depth}
