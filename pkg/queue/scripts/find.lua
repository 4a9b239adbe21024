-- Looks for the outcomes of plays among the recent results, newest first.
-- KEYS: 1 results
-- ARGV: 1 first id of results to look at, then play ids
-- Result: the outcomes that were found, in no order.
local wanted = {}
local left = 0
for i = 2, #ARGV do
  wanted[ARGV[i]] = true
  left = left + 1
end
local found = {}
local to = '+'
while left > 0 do
  local page = redis.call('XREVRANGE', KEYS[1], to, ARGV[1], 'COUNT', 256)
  for _, entry in ipairs(page) do
    if wanted[entry[2][2]] then
      wanted[entry[2][2]] = nil
      left = left - 1
      found[#found + 1] = entry[2][4]
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
return found
