-- Makes a group of plays happen: all of it or nothing. Then it may read on, as
-- take does.
-- KEYS: 1 stream, 2 fence, 3 commits, 4 results, 5 dead, 6 state, 7 history,
--       8 pace, then the once of each play with an idempotency key
-- ARGV: 1 token, 2 number of commits that the owner knows of, 3 group, 4 to 6
--       how results is trimmed, as XADD takes it, or '', 7 most dead, 8 most in
--       the history, 0 for none, 9 consumer, 10 most plays to read afterwards,
--       11 number of plays; then the entry id of each, in order; then for each:
--       play id, outcome;
--       then number of plays that were delivered before, and for each: its place
--       among the plays, how often, why it is given up or '';
--       then number of channels, and for each: its name, what is published there:
--       outcomes, each after its length and a colon;
--       then number of plays with an idempotency key, and for each: its place
--       among the plays, '1' when the key keeps the outcome or '0' when it is
--       free again;
--       then number of changes to the state; when there are any: '1' to clear
--       it first, its size in bytes afterwards, and for each change: key,
--       '1' to set or '0' to delete, value
-- Result: {1, number of commits, entry of results, heads, plays, how many waited
-- before they were read}, with the plays that were read as take gives them; {0}
-- when the token is not the latest; {-1} when the number of commits is another;
-- {2, entry id, …} with the plays that are not pending any more because they were
-- withdrawn. With all but 1 nothing has changed.
--
-- The plays were run on a state that the owner remembers. It is the circle's
-- only as long as all of the owner's commits are there and no other: Redis may
-- have come back without its last second, to an owner that noticed nothing.
--
-- Acknowledging comes first among the writes: it frees memory, and after a
-- first write Redis lets the rest of a script pass when memory is short. It also
-- says whether all plays were pending. If they were not, those that were become
-- so again: they are those that are still in the stream and had been read, as far
-- as Redis knows, which may have come back without its last second.
--
-- A call of a command costs more than the command, and a text that Lua makes or
-- is given about as much: what can be one call for the group is, and what the
-- owner can work out it does. So a group is one entry of results, with the play
-- ids as its fields and their outcomes as the values.
local head, onces = 11, 8
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
local first = head + plays + 1 -- id of the first play, before its outcome
local before = first + 2 * plays
local deliveries, givenUp = {}, {}
for i = before + 1, before + 3 * ARGV[before], 3 do
  local place = tonumber(ARGV[i])
  deliveries[place] = ARGV[i + 1]
  if ARGV[i + 2] ~= '' then
    givenUp[place] = ARGV[i + 2]
  end
end
local channels = before + 3 * ARGV[before] + 1
local keyed = channels + 2 * ARGV[channels] + 1
local keys = tonumber(ARGV[keyed])
-- Whatever could fail is tried before the first write.
local once = {}
for k = 1, keys do
  once[k] = call('HMGET', KEYS[onces + k], 'play', 'to', 'ttl')
end
local changes = keyed + 2 * keys + 1
local count = tonumber(ARGV[changes])
if count > 0 then
  call('HLEN', KEYS[6])
end
local preserve = ARGV[8] ~= '0'
local kept = {}
for i = 1, plays do
  if preserve or givenUp[i] then
    kept[i] = call('XRANGE', KEYS[1], ARGV[head + i], ARGV[head + i])[1]
  end
end
if call('XACK', KEYS[1], ARGV[3], unpack(ARGV, head + 1, head + plays)) < plays then
  local function parts(id)
    local ms, seq = string.match(id, '^(%d+)-(%d+)$')
    return tonumber(ms), tonumber(seq)
  end
  local read, readSeq = -1, -1
  local groups = redis.pcall('XINFO', 'GROUPS', KEYS[1])
  for _, info in ipairs(groups.err and {} or groups) do
    for i = 1, #info, 2 do
      if info[i] == 'last-delivered-id' then
        read, readSeq = parts(info[i + 1])
      end
    end
  end
  local gone = {2}
  for i = 1, plays do
    local entry = ARGV[head + i]
    local ms, seq = parts(entry)
    if ms > read or ms == read and seq > readSeq or #call('XRANGE', KEYS[1], entry, entry) == 0 then
      gone[#gone + 1] = entry
    else
      call('XCLAIM', KEYS[1], ARGV[3], ARGV[9], '0', entry, 'RETRYCOUNT', (deliveries[i] or 0) + 1, 'FORCE', 'JUSTID')
    end
  end
  return gone
end
call('XDEL', KEYS[1], unpack(ARGV, head + 1, head + plays))
for i = 1, plays do
  local entry, at = kept[i], first + 2 * (i - 1)
  if entry and preserve then
    call('XADD', KEYS[7], 'MAXLEN', '~', ARGV[8], '*',
      'id', ARGV[at], 'play', entry[2][4] or '', 'outcome', ARGV[at + 1])
  end
  if entry and givenUp[i] then
    call('XADD', KEYS[5], 'MAXLEN', '~', ARGV[7], '*',
      'id', ARGV[at], 'play', entry[2][4] or '', 'why', givenUp[i], 'deliveries', deliveries[i])
  end
end
local commits = call('INCR', KEYS[3])
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
local settled
if ARGV[4] == '' then
  settled = call('XADD', KEYS[4], '*', unpack(ARGV, first, before - 1))
else
  settled = call('XADD', KEYS[4], ARGV[4], ARGV[5], ARGV[6], '*', unpack(ARGV, first, before - 1))
end
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
for i = channels + 1, keyed - 2, 2 do
  call('PUBLISH', ARGV[i], ARGV[i + 1])
end
for k = 1, keys do
  local key, i = KEYS[onces + k], first + 2 * (ARGV[keyed + 2 * k - 1] - 1)
  if once[k][1] == ARGV[i] then
    if ARGV[keyed + 2 * k] == '1' then
      call('HSET', key, 'outcome', ARGV[i + 1])
      call('PEXPIRE', key, once[k][3])
    else
      call('DEL', key)
    end
    for channel in string.gmatch(once[k][2] or '', '%S+') do
      call('PUBLISH', channel, #ARGV[i + 1] .. ':' .. ARGV[i + 1])
    end
  end
end
local heads, texts = {}, {}
if ARGV[10] ~= '0' and waiting > 0 and call('XPENDING', KEYS[1], ARGV[3])[1] == 0 then
  local read = call('XREADGROUP', 'GROUP', ARGV[3], ARGV[9], 'COUNT', ARGV[10], 'STREAMS', KEYS[1], '>')
  if read and read[1] then
    for _, entry in ipairs(read[1][2]) do
      local id, play = entry[2][2] or '', entry[2][4] or ''
      heads[#heads + 1] = entry[1] .. ' ' .. #id .. ' ' .. #play .. ' 0'
      texts[#texts + 1] = id
      texts[#texts + 1] = play
    end
  end
end
return {1, commits, settled, table.concat(heads, ' '), table.concat(texts), waiting}
