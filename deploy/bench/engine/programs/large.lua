-- Orders of shop @, and what becomes of them.
function order_@(items, discount)
  local total = 0
  local names = {}
  for _, item in ipairs(items) do
    if item.count > 0 then
      local price = item.price * item.count - discount / 100
      if price > 1000 and not item.fixed then
        price = price - 10 * @
      elseif item.name == "gift" then
        price = 0
      end
      total = total + price
      names[#names + 1] = item.name .. ": " .. price
    end
  end
  local report = { shop = "shop @", total = total, names = names, paid = false }
  local rest = total % 4
  if rest == 0 then report.paid = true
  elseif rest == 1 or rest == 2 then report.due = total - 0x1f
  else report.note = "see " .. @ .. ", please" end
  local best = reduce(map(filter(items, function(i) return i.price > 2.5e1 end), function(i) return i.price ^ 2 end), function(a, b) if a > b then return a else return b end end, 0)
  while best > 10 do best = best / 2 + 1 end
  report["best"] = best
  return report
end
