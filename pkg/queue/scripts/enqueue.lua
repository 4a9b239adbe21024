-- Adds a play to the end of the circle's queue, unless the queue is full or the
-- play's deadline has passed on the way.
-- KEYS: 1 stream, 2 owner
-- ARGV: 1 most entries, 2 play id, 3 play, 4 wake prefix, 5 circle,
--       6 deadline in ms of Redis's clock
-- Result: {entry id, depth before}, {'', depth} when the queue is full, {'', -1}
-- when it is too late.
--
-- The owner is woken only when the queue was empty: while there are entries it
-- is at work, and reads again before it rests. PUBLISH, not SPUBLISH: it is
-- legal whatever slot this script runs in, and subscribers on any node of a
-- Cluster, or of a master behind Sentinel, hear it.
local time = redis.call('TIME')
if time[1] * 1000 + math.floor(time[2] / 1000) > tonumber(ARGV[6]) then
  return {'', -1}
end
local depth = redis.call('XLEN', KEYS[1])
if depth >= tonumber(ARGV[1]) then
  return {'', depth}
end
local id = redis.call('XADD', KEYS[1], '*', 'id', ARGV[2], 'play', ARGV[3])
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
