(function () {
  let x = 0;
  while (x < 1000000) { x += 1; }
  return x;
})()
