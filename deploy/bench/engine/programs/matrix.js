(function () {
  const n = 50;
  const a = [], b = [];
  for (let i = 0; i < n; i++) {
    const p = [], q = [];
    for (let j = 0; j < n; j++) { p.push(i + j); q.push(i - j); }
    a.push(p);
    b.push(q);
  }
  const c = [];
  for (let i = 0; i < n; i++) {
    const row = [];
    for (let j = 0; j < n; j++) {
      let s = 0;
      for (let k = 0; k < n; k++) { s += a[i][k] * b[k][j]; }
      row.push(s);
    }
    c.push(row);
  }
  let trace = 0;
  for (let i = 0; i < n; i++) { trace += c[i][i]; }
  return trace;
})()
