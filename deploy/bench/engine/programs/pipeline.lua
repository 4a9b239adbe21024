local function map(a, f) local r = {}; for i, x in ipairs(a) do r[i] = f(x) end; return r end
local function filter(a, f) local r = {}; for _, x in ipairs(a) do if f(x) then r[#r + 1] = x end end; return r end
local function reduce(a, f, s) for _, x in ipairs(a) do s = f(s, x) end; return s end
local a = {}
for i = 0, 99999 do a[i + 1] = i end
return reduce(filter(map(a, function(x) return x * 2 end), function(x) return x % 3 == 0 end), function(s, x) return s + x end, 0)
