(function () {
  const m = [];
  for (let i = 0; i < 300; i++) {
    const row = [];
    for (let j = 0; j < 300; j++) { row.push(i * j); }
    m.push(row);
  }
  let s = 0;
  for (let pass = 0; pass < 5; pass++) {
    for (let i = 0; i < 300; i++) {
      for (let j = 0; j < 300; j++) { m[i][j] = m[i][j] + 1; s += m[i][j]; }
    }
  }
  return s;
})()
