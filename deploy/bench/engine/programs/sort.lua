local a = {}
local x = 42
for i = 1, 20000 do x = x * 16807 % 2147483647; a[i] = x end
table.sort(a, function(p, q) return p < q end)
local s = 0
for i = 1, #a do s = s + a[i] % 1000 * ((i - 1) % 7) end
return s
