-- Takes a play out of the queue so that it can not be committed any more.
-- KEYS: 1 stream, 2 owner, and for a play with an idempotency key: 3 once
-- ARGV: 1 group, 2 entry id or '' when it is not known, 3 play id,
--       4 '1' to withdraw also a play that a worker has read, 5 wake prefix,
--       6 circle, and for a play with a key its outcome when it is withdrawn:
--       7 before a worker read it, 8 after that
-- Result: 'unread' or 'read' when it was withdrawn, before or after a worker
-- read it; 'kept' when it was read and is left alone; 'gone' when it is not in
-- the queue: it was committed, withdrawn, or never added. The owner is told when
-- it has the play, so that it stops. The key is free again, and others who wait
-- for its play are told.
local id = ARGV[2]
local from = '-'
while id == '' do
  local page = redis.call('XRANGE', KEYS[1], from, '+', 'COUNT', 256)
  for _, entry in ipairs(page) do
    if entry[2][2] == ARGV[3] then
      id = entry[1]
      break
    end
  end
  if #page < 256 or id ~= '' then
    break
  end
  local ms, seq = string.match(page[#page][1], '^(%d+)-(%d+)$')
  from = ms .. '-' .. string.format('%.0f', seq + 1)
end
if id == '' then
  return 'gone'
end
local read = redis.pcall('XPENDING', KEYS[1], ARGV[1], id, id, 1)
local started = not read.err and #read > 0
if started and ARGV[4] ~= '1' then
  return 'kept'
end
if started then
  redis.call('XACK', KEYS[1], ARGV[1], id)
end
if redis.call('XDEL', KEYS[1], id) == 0 then
  return 'gone'
end
local once = KEYS[3] and redis.call('HMGET', KEYS[3], 'play', 'to')
if once and once[1] == ARGV[3] then
  redis.call('DEL', KEYS[3])
  for channel in string.gmatch(once[2] or '', '%S+') do
    local outcome = started and ARGV[8] or ARGV[7]
    redis.call('PUBLISH', channel, #outcome .. ':' .. outcome)
  end
end
if not started then
  return 'unread'
end
local owner = redis.call('GET', KEYS[2])
local worker = owner and string.match(owner, '^%d+ (.+)$')
if worker then
  redis.call('PUBLISH', ARGV[5] .. worker, ARGV[6] .. ' ' .. ARGV[3])
end
return 'read'
