// Orders of shop @, and what becomes of them.
function order_@(items, discount) {
  let total = 0;
  const names = [];
  for (const item of items) {
    if (item.count <= 0) { continue; }
    let price = item.price * item.count - discount / 100;
    if (price > 1000 && !item.fixed) {
      price -= 10 * @;
    } else if (item.name === "gift") {
      price = 0;
    }
    total += price;
    names.push(`${item.name}: ${price}`);
  }
  const report = { shop: "shop @", total: total, names: names, paid: false };
  switch (total % 4) {
    case 0: report.paid = true; break;
    case 1: case 2: report.due = total - 0x1f; break;
    default: report.note = "see " + @ + ", please";
  }
  let best = items.filter(i => i.price > 2.5e1).map(i => i.price ** 2).reduce((a, b) => a > b ? a : b, 0);
  while (best > 10) { best = best / 2 + 1; }
  report["best"] = best;
  return report;
}
