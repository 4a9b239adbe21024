local n = 50
local a, b = {}, {}
for i = 1, n do
  local p, q = {}, {}
  for j = 1, n do p[j] = (i - 1) + (j - 1); q[j] = (i - 1) - (j - 1) end
  a[i] = p
  b[i] = q
end
local c = {}
for i = 1, n do
  local row = {}
  for j = 1, n do
    local s = 0
    for k = 1, n do s = s + a[i][k] * b[k][j] end
    row[j] = s
  end
  c[i] = row
end
local trace = 0
for i = 1, n do trace = trace + c[i][i] end
return trace
