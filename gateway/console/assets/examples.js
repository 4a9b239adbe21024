// Scripts to start from.

export const examples = [
  {
    name: 'Fibonacci',
    script: `// Recursion: the value of the last expression is the result.
fn fib(n) {
    if n < 2 { n } else { fib(n - 1) + fib(n - 2) }
}

fib(20)
`,
  },
  {
    name: 'Primes',
    script: `// A sieve: every prime below 100.
const MAX = 100;

let composite = [];
composite.pad(MAX, false);
let primes = [];

for n in 2..MAX {
    if composite[n] { continue; }
    primes.push(n);

    let multiple = n * n;
    while multiple < MAX {
        composite[multiple] = true;
        multiple += n;
    }
}

primes
`,
  },
  {
    name: 'Counting words',
    script: `// An object map counts how often each word comes.
let text = "the quick brown fox jumps over the lazy dog the end";
let counts = #{};

for word in text.split(" ") {
    if word in counts {
        counts[word] += 1;
    } else {
        counts[word] = 1;
    }
}

counts
`,
  },
  {
    name: 'Closures',
    script: `// Closures capture what is around them.
let step = 3;
let times = |x| x * step;

[1, 2, 3, 4]
    .map(times)
    .filter(|n| n > 3)
`,
  },
  {
    name: 'Arguments',
    args: '{"name": "world", "times": 3}',
    script: `// "args" holds the JSON below the editor.
let lines = [];

for i in 0..args.times {
    lines.push(\`\${i + 1}. Hello, \${args.name}!\`);
}

lines
`,
  },
];
