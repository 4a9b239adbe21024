local n = 1000000
local sieve = {}
for i = 1, n do sieve[i] = true end
sieve[1] = false
local i = 2
while i * i <= n do
  if sieve[i] then
    local j = i * i
    while j <= n do sieve[j] = false; j = j + i end
  end
  i = i + 1
end
local count = 0
for _, p in ipairs(sieve) do if p then count = count + 1 end end
return count
