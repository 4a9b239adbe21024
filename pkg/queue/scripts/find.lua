-- Looks for the outcomes of plays among the recent results, newest first.
-- KEYS: 1 results
-- ARGV: 1 first id of results to look at, then play ids
-- Result: {1 or 0, outcome, outcome, …}, the outcomes that were found in no
-- order. 1 says that those which were not found are not missing because results
-- is capped: it still has all there were since the first id.
local wanted = {}
local left = 0
for i = 2, #ARGV do
  wanted[ARGV[i]] = true
  left = left + 1
end
local found = {1}
local to = '+'
while left > 0 do
  local page = redis.call('XREVRANGE', KEYS[1], to, ARGV[1], 'COUNT', 256)
  for _, entry in ipairs(page) do
    local plays = entry[2] -- id, outcome, id, outcome, …
    for i = 1, #plays, 2 do
      if wanted[plays[i]] then
        wanted[plays[i]] = nil
        left = left - 1
        found[#found + 1] = plays[i + 1]
      end
    end
  end
  if #page < 256 then
    break
  end
  local ms, seq = string.match(page[#page][1], '^(%d+)-(%d+)$')
  if tonumber(seq) > 0 then
    to = ms .. '-' .. string.format('%.0f', seq - 1)
  else
    to = string.format('%.0f', ms - 1)
  end
end
if left == 0 then
  return found
end
local oldest = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
if not oldest then
  return found
end
local first, ms = tonumber(ARGV[1]), tonumber(string.match(oldest[1], '^%d+'))
if first and ms < first then
  return found
end
-- Entries only ever leave because of the cap.
local info = redis.call('XINFO', 'STREAM', KEYS[1])
local added
for i = 1, #info, 2 do
  if info[i] == 'entries-added' then
    added = info[i + 1]
  end
end
if added ~= redis.call('XLEN', KEYS[1]) then
  found[1] = 0
end
return found
