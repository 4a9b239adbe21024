-- Puts a play that was given up at the end of the queue, as a new one, and takes
-- it out of the dead. The owner is woken as when a play is queued.
-- KEYS: 1 stream, 2 owner, 3 dead
-- ARGV: 1 entry of the dead, 2 most entries in the queue, 3 new play id, 4 play,
--       5 wake prefix, 6 circle
-- Result: the new entry's id; 'full' when the queue is full and 'gone' when the
-- play is not among the dead: then nothing has changed.
if #redis.call('XRANGE', KEYS[3], ARGV[1], ARGV[1]) == 0 then
  return 'gone'
end
local depth = redis.call('XLEN', KEYS[1])
if depth >= tonumber(ARGV[2]) then
  return 'full'
end
-- Adding comes first: it is what may be refused.
local id = redis.call('XADD', KEYS[1], '*', 'id', ARGV[3], 'play', ARGV[4])
redis.call('XDEL', KEYS[3], ARGV[1])
if depth == 0 then
  local owner = redis.call('GET', KEYS[2])
  local worker = owner and string.match(owner, '^%d+ (.+)$')
  if worker then
    redis.call('PUBLISH', ARGV[5] .. worker, ARGV[6])
  end
end
return id
