-- Looks for what became of the play that has an idempotency key.
-- KEYS: 1 once, 2 stream
-- ARGV: 1 what the play does
-- Result: {1, outcome}; {2, play id} while it waits or runs; {0} when no play
-- that does this has the key.
local once = redis.call('HMGET', KEYS[1], 'what', 'outcome', 'entry', 'play')
if once[1] ~= ARGV[1] then
  return {0}
end
if once[2] then
  return {1, once[2]}
end
if #redis.call('XRANGE', KEYS[2], once[3], once[3]) == 0 then
  return {0}
end
return {2, once[4]}
