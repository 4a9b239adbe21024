local Account = {}
Account.__index = Account
function Account:deposit(n) self.balance = self.balance + n; self.count = self.count + 1 end
function Account:withdraw(n) if self.balance >= n then self.balance = self.balance - n; return true else return false end end
function Account:total() return self.balance + self.count end

local a = setmetatable({ balance = 0, count = 0 }, Account)
local refused = 0
for i = 0, 199999 do
  a:deposit(i % 10)
  if not a:withdraw(i % 7) then refused = refused + 1 end
end
return a:total() + refused
