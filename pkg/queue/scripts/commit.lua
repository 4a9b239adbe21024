-- Makes a group of plays happen: all of it or nothing. Then it may read on, as
-- take does.
-- KEYS: 1 stream, 2 fence, 3 commits, 4 results, 5 dead, 6 state, 7 history,
--       8 pace, then the once of each play with an idempotency key
-- ARGV: 1 token, 2 number of commits that the owner knows of, 3 group, 4 most
--       results, 5 most dead, 6 most in the history, 0 for none, 7 consumer,
--       8 most plays to read afterwards, 9 number of plays, then for each play:
--       entry id, play id, reply channel or '', outcome, why it was given up
--       or '';
--       then number of plays with an idempotency key, and for each: its place
--       among the plays, '1' when the key keeps the outcome or '0' when it is
--       free again;
--       then number of changes to the state; when there are any: '1' to clear
--       it first, its size in bytes afterwards, and for each change: key,
--       '1' to set or '0' to delete, value
-- Result: {1, number of commits, heads, plays, how many waited before they were
-- read}, with the plays that were read as take gives them; {0} when the token is not the latest; {-1} when the number of
-- commits is another; {2, entry id, …} with the plays that are not pending any
-- more because they were withdrawn. With all but 1 nothing has changed.
--
-- The plays were run on a state that the owner remembers. It is the circle's
-- only as long as all of the owner's commits are there and no other: Redis may
-- have come back without its last second, to an owner that noticed nothing.
--
-- Acknowledging comes first among the writes: it frees memory, and after a
-- first write Redis lets the rest of a script pass when memory is short.
--
-- A call of a command costs more than the command: what can be one call for the
-- group is.
local head, per, onces = 9, 5, 8
local call = redis.call
local known = call('MGET', KEYS[2], KEYS[3], KEYS[8])
if known[1] ~= ARGV[1] then
  return {0}
end
if (known[2] or '0') ~= ARGV[2] then
  return {-1}
end
local pace = known[3] or '0 0 0 0'
local plays = tonumber(ARGV[head])
local last = head + per * (plays - 1)
local entries = {}
for i = head, last, per do
  entries[#entries + 1] = ARGV[i + 1]
end
-- What the owner has read is pending in the order in which it runs it.
local deliveries = {}
for _, pending in ipairs(call('XPENDING', KEYS[1], ARGV[3], entries[1], entries[plays], plays)) do
  deliveries[pending[1]] = pending[4]
end
local gone = {2}
for _, entry in ipairs(entries) do
  if not deliveries[entry] then
    local pending = call('XPENDING', KEYS[1], ARGV[3], entry, entry, 1)[1]
    if pending then
      deliveries[entry] = pending[4]
    else
      gone[#gone + 1] = entry
    end
  end
end
if #gone > 1 then
  return gone
end
local preserve = ARGV[6] ~= '0'
-- Whatever could fail is tried before the first write.
local keyed = last + per + 1
local keys = tonumber(ARGV[keyed])
local once = {}
for k = 1, keys do
  once[k] = call('HMGET', KEYS[onces + k], 'play', 'to', 'ttl')
end
local changes = keyed + 2 * keys + 1
local count = tonumber(ARGV[changes])
if count > 0 then
  call('HLEN', KEYS[6])
end
local kept = {}
for i = head, last, per do
  if preserve or ARGV[i + 5] ~= '' then
    kept[i] = call('XRANGE', KEYS[1], ARGV[i + 1], ARGV[i + 1])[1]
  end
end
call('XACK', KEYS[1], ARGV[3], unpack(entries))
call('XDEL', KEYS[1], unpack(entries))
for i = head, last, per do
  local entry = kept[i]
  if entry and preserve then
    call('XADD', KEYS[7], 'MAXLEN', '~', ARGV[6], '*',
      'id', ARGV[i + 2], 'play', entry[2][4] or '', 'outcome', ARGV[i + 4])
  end
  if entry and ARGV[i + 5] ~= '' then
    call('XADD', KEYS[5], 'MAXLEN', '~', ARGV[5], '*',
      'id', ARGV[i + 2], 'play', entry[2][4] or '', 'why', ARGV[i + 5], 'deliveries', deliveries[ARGV[i + 1]])
  end
end
local commits = string.format('%.0f', call('INCR', KEYS[3]))
if count > 0 then
  if ARGV[changes + 1] == '1' then
    call('DEL', KEYS[6])
  end
  local fields = {'', ARGV[changes + 2]}
  for i = changes + 3, #ARGV, 3 do
    if ARGV[i + 1] == '1' then
      fields[#fields + 1] = ARGV[i]
      fields[#fields + 1] = ARGV[i + 2]
      if #fields >= 1000 then
        call('HSET', KEYS[6], unpack(fields))
        fields = {}
      end
    else
      call('HDEL', KEYS[6], ARGV[i])
    end
  end
  if #fields > 0 then
    call('HSET', KEYS[6], unpack(fields))
  end
end
for i = head, last - per, per do
  call('XADD', KEYS[4], '*', 'id', ARGV[i + 2], 'outcome', ARGV[i + 4])
end
local settled = call('XADD', KEYS[4], 'MAXLEN', '~', ARGV[4], '*', 'id', ARGV[last + 2], 'outcome', ARGV[last + 4])
-- The pace is measured while plays wait: since when in ms, 0 while none do; how
-- many ended since; and how many did in how many ms the last time. The time is
-- the one in the result's id.
local waiting = call('XLEN', KEYS[1])
local idle = waiting == 0
if not idle or string.sub(pace, 1, 2) ~= '0 ' then
  local now = tonumber(string.match(settled, '^%d+'))
  local since, ended, paced, ms = string.match(pace, '^(%d+) (%d+) (%d+) (%d+)$')
  since, ended, paced, ms = tonumber(since or 0), tonumber(ended or 0), paced or '0', ms or '0'
  if since > 0 then
    ended = ended + plays
    local took = now - since
    if took >= 1000 or idle and took >= 100 then
      paced, ms = string.format('%.0f', ended), string.format('%.0f', took)
      since, ended = now, 0
    end
  end
  if idle then
    since, ended = 0, 0
  elseif since == 0 then
    since = now
  end
  call('SET', KEYS[8], string.format('%.0f %.0f %s %s', since, ended, paced, ms))
end
-- Outcomes for one gateway are published together: each after its length and a
-- colon.
local replies, channels = {}, {}
for i = head, last, per do
  local channel = ARGV[i + 3]
  if channel ~= '' then
    local reply = replies[channel]
    if not reply then
      reply = {}
      replies[channel] = reply
      channels[#channels + 1] = channel
    end
    reply[#reply + 1] = #ARGV[i + 4] .. ':'
    reply[#reply + 1] = ARGV[i + 4]
  end
end
for _, channel in ipairs(channels) do
  call('PUBLISH', channel, table.concat(replies[channel]))
end
for k = 1, keys do
  local key, i = KEYS[onces + k], head + per * (ARGV[keyed + 2 * k - 1] - 1)
  if once[k][1] == ARGV[i + 2] then
    if ARGV[keyed + 2 * k] == '1' then
      call('HSET', key, 'outcome', ARGV[i + 4])
      call('PEXPIRE', key, once[k][3])
    else
      call('DEL', key)
    end
    for channel in string.gmatch(once[k][2] or '', '%S+') do
      call('PUBLISH', channel, #ARGV[i + 4] .. ':' .. ARGV[i + 4])
    end
  end
end
local heads, texts = {}, {}
if ARGV[8] ~= '0' and waiting > 0 and call('XPENDING', KEYS[1], ARGV[3])[1] == 0 then
  local read = call('XREADGROUP', 'GROUP', ARGV[3], ARGV[7], 'COUNT', ARGV[8], 'STREAMS', KEYS[1], '>')
  if read and read[1] then
    for _, entry in ipairs(read[1][2]) do
      local id, play = entry[2][2] or '', entry[2][4] or ''
      heads[#heads + 1] = entry[1] .. ' ' .. #id .. ' ' .. #play .. ' 0'
      texts[#texts + 1] = id
      texts[#texts + 1] = play
    end
  end
end
return {1, commits, table.concat(heads, ' '), table.concat(texts), waiting}
