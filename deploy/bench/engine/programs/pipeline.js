(function () {
  const a = [];
  for (let i = 0; i < 100000; i++) { a.push(i); }
  return a.map(x => x * 2).filter(x => x % 3 === 0).reduce((s, x) => s + x, 0);
})()
