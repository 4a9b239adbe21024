-- Adds plays to the end of the circle's queue, one after the other, unless the
-- queue is full, a play's deadline has passed on the way, or its idempotency key
-- has a play. A play with a key comes alone.
-- KEYS: 1 stream, 2 owner, 3 pace, and for a play with an idempotency key: 4 once
-- ARGV: 1 most entries, 2 wake prefix, 3 circle, 4 group, 5 consumer, 6 most
--       bytes to hand over, 7 number of plays, then for each play: id, play,
--       deadline in ms of Redis's clock; then for a play with a key: what it
--       does, how long its outcome is kept in ms, reply channel or ''
-- Result: {depth before, now in ms, pace, verdicts} with a verdict for each play,
-- parted by spaces: its entry id, 'late' or 'full'. The pace is '' unless one
-- met a full queue. With a key there may be instead: {-2, play id} when that play
-- has the key and waits or runs, {-3, outcome} when it has ended, and {-4} when
-- it does something else.
--
-- The owner is woken only when the queue was empty: while there are entries it
-- is at work, and reads again before it rests. What wakes it are the plays
-- themselves, read in its name as take reads them, unless they are large: the
-- circle, the token under which they were read, heads and plays. It finds them
-- pending if it does not hear that. PUBLISH, not SPUBLISH: it is legal whatever
-- slot this script runs in, and subscribers on any node of a Cluster, or of a
-- master behind Sentinel, hear it.
--
-- A key without an outcome belongs to its play as long as the play's entry is in
-- the queue. Whatever removes the entry without an outcome frees the key.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local plays = tonumber(ARGV[7])
local first = 8
local key = first + 3 * plays -- what of a play with a key
if KEYS[4] and now < tonumber(ARGV[first + 2]) then
  local once = redis.call('HMGET', KEYS[4], 'what', 'outcome', 'entry', 'due', 'play', 'reply', 'to')
  local entry = once[3]
  local held = once[2] or entry and #redis.call('XRANGE', KEYS[1], entry, entry) > 0
  if held and not once[2] and now > tonumber(once[4]) then
    -- The gateway that should have withdrawn it may be gone.
    local read = redis.pcall('XPENDING', KEYS[1], ARGV[4], entry, entry, 1)
    if read.err or #read == 0 then
      redis.call('XDEL', KEYS[1], entry)
      held = false
    end
  end
  if held and once[1] ~= ARGV[key] then
    return {-4}
  end
  if held and once[2] then
    return {-3, once[2]}
  end
  if held then
    local to = once[7] or ''
    if ARGV[key + 2] ~= '' and ARGV[key + 2] ~= once[6] and not string.find(to .. ' ', ' ' .. ARGV[key + 2] .. ' ', 1, true) and #to < 16384 then
      redis.call('HSET', KEYS[4], 'to', to .. ' ' .. ARGV[key + 2])
    end
    return {-2, once[5]}
  end
end
local before = redis.call('XLEN', KEYS[1])
local depth, most, pace = before, tonumber(ARGV[1]), ''
local verdicts = {}
for i = first, key - 3, 3 do
  local verdict
  if now >= tonumber(ARGV[i + 2]) then
    verdict = 'late'
  elseif depth >= most then
    verdict = 'full'
  else
    verdict = redis.call('XADD', KEYS[1], '*', 'id', ARGV[i], 'play', ARGV[i + 1])
    depth = depth + 1
  end
  verdicts[#verdicts + 1] = verdict
end
if depth >= most then
  pace = redis.call('GET', KEYS[3]) or ''
end
if KEYS[4] and depth > before then
  redis.call('DEL', KEYS[4])
  redis.call('HSET', KEYS[4], 'what', ARGV[key], 'entry', verdicts[1], 'due', ARGV[first + 2], 'play', ARGV[first], 'reply', ARGV[key + 2], 'ttl', ARGV[key + 1])
  redis.call('PEXPIRE', KEYS[4], string.format('%.0f', ARGV[first + 2] - now + ARGV[key + 1]))
end
if before == 0 and depth > 0 then
  local owner = redis.call('GET', KEYS[2])
  local token, worker
  if owner then
    token, worker = string.match(owner, '^(%d+) (.+)$')
  end
  local heads, texts, bytes = {}, {}, 0
  if worker then
    for i = 1, plays do
      local entry, at = verdicts[i], first + 3 * (i - 1)
      if entry ~= 'late' and entry ~= 'full' then
        local id, play = ARGV[at], ARGV[at + 1]
        bytes = bytes + #play
        heads[#heads + 1] = entry .. ' ' .. #id .. ' ' .. #play .. ' 0'
        texts[#texts + 1] = id
        texts[#texts + 1] = play
      end
    end
    local message = ARGV[3]
    if bytes <= tonumber(ARGV[6]) then
      -- These are all that there are, and none was ever read.
      local read = redis.pcall('XREADGROUP', 'GROUP', ARGV[4], ARGV[5], 'COUNT', #heads, 'STREAMS', KEYS[1], '>')
      if read and not read.err then
        message = message .. ' ' .. token .. ' ' .. table.concat(heads, ' ') .. '\n' .. table.concat(texts)
      end
    end
    redis.call('PUBLISH', ARGV[2] .. worker, message)
  end
end
return {before, now, pace, table.concat(verdicts, ' ')}
