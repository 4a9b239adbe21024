local s = ""
for i = 0, 19999 do s = s .. "item " .. i .. ", " end
return #s
