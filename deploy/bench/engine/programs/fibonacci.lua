local function fib(n) if n < 2 then return n else return fib(n - 1) + fib(n - 2) end end

local r = 0
for i = 1, 5 do r = fib(28) end
return r
