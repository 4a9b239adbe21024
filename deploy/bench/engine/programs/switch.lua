local s = 0
for i = 0, 299999 do
  local n = i % 8
  if n == 0 then s = s + 1
  elseif n == 1 then s = s - 2
  elseif n == 2 then s = s + 3
  elseif n == 3 then s = s - 4
  elseif n == 4 then s = s + 5
  elseif n == 5 then s = s - 6
  elseif n == 6 then s = s + 7
  else s = s + 8 end
end
local words = { "north", "east", "south", "west" }
for i = 0, 99999 do
  local w = words[i % 4 + 1]
  if w == "north" then s = s + 1
  elseif w == "east" then s = s + 2
  elseif w == "south" then s = s - 1
  elseif w == "west" then s = s - 2 end
end
return s
