local m = {}
for i = 1, 300 do
  local row = {}
  for j = 1, 300 do row[j] = (i - 1) * (j - 1) end
  m[i] = row
end
local s = 0
for pass = 1, 5 do
  for i = 1, 300 do
    for j = 1, 300 do m[i][j] = m[i][j] + 1; s = s + m[i][j] end
  end
end
return s
