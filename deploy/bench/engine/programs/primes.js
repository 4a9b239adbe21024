(function () {
  const n = 1000000;
  const sieve = new Array(n + 1).fill(true);
  sieve[0] = false;
  sieve[1] = false;
  let i = 2;
  while (i * i <= n) {
    if (sieve[i]) {
      let j = i * i;
      while (j <= n) { sieve[j] = false; j += i; }
    }
    i += 1;
  }
  let count = 0;
  for (const p of sieve) { if (p) { count += 1; } }
  return count;
})()
