local m = {}
for i = 0, 19999 do m["k" .. i] = i end
for pass = 1, 5 do
  for i = 0, 19999 do local k = "k" .. i; m[k] = m[k] + 1 end
end
local s = 0
for i = 0, 19999 do s = s + m["k" .. i] end
for i = 0, 9999 do m["k" .. (i * 2)] = nil end
local n = 0
for _ in pairs(m) do n = n + 1 end
return s + n
