(function () {
  const m = new Map();
  for (let i = 0; i < 20000; i++) { m.set("k" + i, i); }
  for (let pass = 0; pass < 5; pass++) {
    for (let i = 0; i < 20000; i++) { const k = "k" + i; m.set(k, m.get(k) + 1); }
  }
  let s = 0;
  for (let i = 0; i < 20000; i++) { s += m.get("k" + i); }
  for (let i = 0; i < 10000; i++) { m.delete("k" + i * 2); }
  return s + m.size;
})()
