local x = 0
while x < 1000000 do x = x + 1 end
return x
