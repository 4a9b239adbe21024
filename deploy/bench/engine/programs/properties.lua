local o = { a = 1, b = 2, c = 3 }
for i = 0, 299999 do
  o.a = o.b + i
  o.b = o.b + 1
  o.c = o.a - o.b
end
return o.c
