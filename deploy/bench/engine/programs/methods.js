(function () {
  class Account {
    constructor() { this.balance = 0; this.count = 0; }
    deposit(n) { this.balance += n; this.count += 1; }
    withdraw(n) { if (this.balance >= n) { this.balance -= n; return true; } else { return false; } }
    total() { return this.balance + this.count; }
  }
  const a = new Account();
  let refused = 0;
  for (let i = 0; i < 200000; i++) {
    a.deposit(i % 10);
    if (!a.withdraw(i % 7)) { refused += 1; }
  }
  return a.total() + refused;
})()
