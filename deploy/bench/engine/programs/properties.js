(function () {
  const o = { a: 1, b: 2, c: 3 };
  for (let i = 0; i < 300000; i++) {
    o.a = o.b + i;
    o.b += 1;
    o.c = o.a - o.b;
  }
  return o.c;
})()
