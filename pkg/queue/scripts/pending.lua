-- Reads plays that were read before and neither committed nor withdrawn, in
-- order, with how often each was delivered.
-- KEYS: 1 stream, 2 fence, 3 commits
-- ARGV: 1 token, 2 number of commits that the owner knows of, or '' when it
--       remembers nothing of the circle, 3 group, 4 consumer, 5 first entry id,
--       6 last entry id or '+', 7 most, 8 most deliveries of a play, or 0 to
--       leave the count as it is, 9 entry that is counted already
-- Result: {1, number of commits, heads, plays}, as take gives them; {0} when the
-- token is not the latest; {-1} when the number of commits is another.
local known = redis.call('MGET', KEYS[2], KEYS[3])
if known[1] ~= ARGV[1] then
  return {0}
end
local commits = known[2] or '0'
if ARGV[2] ~= '' and commits ~= ARGV[2] then
  return {-1}
end
local most = tonumber(ARGV[8])
local heads, texts = {}, {}
for _, pending in ipairs(redis.call('XPENDING', KEYS[1], ARGV[3], ARGV[5], ARGV[6], ARGV[7])) do
  local id, count = pending[1], pending[4]
  local entry = redis.call('XRANGE', KEYS[1], id, id)[1]
  if not entry then
    redis.call('XACK', KEYS[1], ARGV[3], id)
  else
    if id == ARGV[9] then
      count = count - 1
    elseif count < most then
      redis.call('XCLAIM', KEYS[1], ARGV[3], ARGV[4], '0', id, 'RETRYCOUNT', count + 1, 'JUSTID')
    end
    local play = entry[2][4] or ''
    heads[#heads + 1] = id .. ' ' .. #(entry[2][2] or '') .. ' ' .. #play .. ' ' .. count
    texts[#texts + 1] = entry[2][2] or ''
    texts[#texts + 1] = play
  end
end
return {1, commits, table.concat(heads, ' '), table.concat(texts)}
