(function () {
  const a = [];
  let x = 42;
  for (let i = 0; i < 20000; i++) { x = x * 16807 % 2147483647; a.push(x); }
  a.sort((p, q) => p - q);
  let s = 0;
  for (let i = 0; i < a.length; i++) { s += a[i] % 1000 * (i % 7); }
  return s;
})()
