-- Makes a group of plays happen: all of it or nothing.
-- KEYS: 1 stream, 2 fence, 3 commits, 4 results, 5 dead, 6 state, 7 history,
--       8 pace, then the once of each play with an idempotency key
-- ARGV: 1 token, 2 number of commits that the owner knows of, 3 group, 4 most
--       results, 5 most dead, 6 most in the history, 0 for none, 7 number of
--       plays, then for each play: entry id, play id, reply channel or '',
--       outcome, why it was given up or '';
--       then number of plays with an idempotency key, and for each: its place
--       among the plays, '1' when the key keeps the outcome or '0' when it is
--       free again;
--       then number of changes to the state; when there are any: '1' to clear
--       it first, its size in bytes afterwards, and for each change: key,
--       '1' to set or '0' to delete, value
-- Result: {1, number of commits}; {0} when the token is not the latest; {-1}
-- when the number of commits is another; {2, entry id, …} with the plays that
-- are not pending any more because they were withdrawn. With all but 1 nothing
-- has changed.
--
-- The plays were run on a state that the owner remembers. It is the circle's
-- only as long as all of the owner's commits are there and no other: Redis may
-- have come back without its last second, to an owner that noticed nothing.
--
-- Acknowledging comes first among the writes: it frees memory, and after a
-- first write Redis lets the rest of a script pass when memory is short.
local head, per, onces = 7, 5, 8
if redis.call('GET', KEYS[2]) ~= ARGV[1] then
  return {0}
end
if (redis.call('GET', KEYS[3]) or '0') ~= ARGV[2] then
  return {-1}
end
local last = head + per * (tonumber(ARGV[head]) - 1)
local gone, deliveries = {2}, {}
for i = head, last, per do
  local pending = redis.call('XPENDING', KEYS[1], ARGV[3], ARGV[i + 1], ARGV[i + 1], 1)[1]
  if not pending then
    gone[#gone + 1] = ARGV[i + 1]
  else
    deliveries[i] = pending[4]
  end
end
if #gone > 1 then
  return gone
end
local preserve = ARGV[6] ~= '0'
local pace = redis.call('GET', KEYS[8]) or '0 0 0 0'
-- Whatever could fail is tried before the first write.
local keyed = last + per + 1
local keys = tonumber(ARGV[keyed])
local once = {}
for k = 1, keys do
  once[k] = redis.call('HMGET', KEYS[onces + k], 'play', 'to', 'ttl')
end
local changes = keyed + 2 * keys + 1
local count = tonumber(ARGV[changes])
if count > 0 then
  redis.call('HLEN', KEYS[6])
end
for i = head, last, per do
  local dead = ARGV[i + 5] ~= ''
  local entry = (dead or preserve) and redis.call('XRANGE', KEYS[1], ARGV[i + 1], ARGV[i + 1])[1]
  redis.call('XACK', KEYS[1], ARGV[3], ARGV[i + 1])
  redis.call('XDEL', KEYS[1], ARGV[i + 1])
  if entry and preserve then
    redis.call('XADD', KEYS[7], 'MAXLEN', '~', ARGV[6], '*',
      'id', ARGV[i + 2], 'play', entry[2][4] or '', 'outcome', ARGV[i + 4])
  end
  if entry and dead then
    redis.call('XADD', KEYS[5], 'MAXLEN', '~', ARGV[5], '*',
      'id', ARGV[i + 2], 'play', entry[2][4] or '', 'why', ARGV[i + 5], 'deliveries', deliveries[i])
  end
end
local commits = string.format('%.0f', redis.call('INCR', KEYS[3]))
if count > 0 then
  if ARGV[changes + 1] == '1' then
    redis.call('DEL', KEYS[6])
  end
  redis.call('HSET', KEYS[6], '', ARGV[changes + 2])
  for i = changes + 3, #ARGV, 3 do
    if ARGV[i + 1] == '1' then
      redis.call('HSET', KEYS[6], ARGV[i], ARGV[i + 2])
    else
      redis.call('HDEL', KEYS[6], ARGV[i])
    end
  end
end
local settled
for i = head, last, per do
  settled = redis.call('XADD', KEYS[4], 'MAXLEN', '~', ARGV[4], '*', 'id', ARGV[i + 2], 'outcome', ARGV[i + 4])
end
-- The pace is measured while plays wait: since when in ms, 0 while none do; how
-- many ended since; and how many did in how many ms the last time. The time is
-- the one in the result's id.
local now = tonumber(string.match(settled, '^%d+'))
local since, count, plays, ms = string.match(pace, '^(%d+) (%d+) (%d+) (%d+)$')
since, count, plays, ms = tonumber(since or 0), tonumber(count or 0), plays or '0', ms or '0'
local idle = redis.call('XLEN', KEYS[1]) == 0
if since > 0 then
  count = count + tonumber(ARGV[head])
  local took = now - since
  if took >= 1000 or idle and took >= 100 then
    plays, ms = string.format('%.0f', count), string.format('%.0f', took)
    since, count = now, 0
  end
end
if idle then
  since, count = 0, 0
elseif since == 0 then
  since = now
end
local after = string.format('%.0f %.0f %s %s', since, count, plays, ms)
if after ~= pace then
  redis.call('SET', KEYS[8], after)
end
for i = head, last, per do
  if ARGV[i + 3] ~= '' then
    redis.call('PUBLISH', ARGV[i + 3], ARGV[i + 4])
  end
end
for k = 1, keys do
  local key, i = KEYS[onces + k], head + per * (ARGV[keyed + 2 * k - 1] - 1)
  if once[k][1] == ARGV[i + 2] then
    if ARGV[keyed + 2 * k] == '1' then
      redis.call('HSET', key, 'outcome', ARGV[i + 4])
      redis.call('PEXPIRE', key, once[k][3])
    else
      redis.call('DEL', key)
    end
    for channel in string.gmatch(once[k][2] or '', '%S+') do
      redis.call('PUBLISH', channel, ARGV[i + 4])
    end
  end
end
return {1, commits}
