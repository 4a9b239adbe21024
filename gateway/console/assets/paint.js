// Colours for Rhai source. It only has to look right: what a script means is
// the engine's business, and text that is no Rhai is painted all the same.

const words = new Set(('let const if else switch do while until loop for in continue break return throw try catch fn '
  + 'private import export as global true false this is_shared type_of print debug call curry eval Fn is_def_var is_def_fn')
  .split(' '));

const token = new RegExp([
  String.raw`(?<comment>//[^\n]*|/\*[^]*?(?:\*/|$))`,
  String.raw`(?<text>(?<hash>#+)"[^]*?(?:"\k<hash>|$)|"(?:\\[^]|[^"\\])*(?:"|$)|${'`'}(?:${'``'}|[^${'`'}])*(?:${'`'}|$)|'(?:\\[^\n]+?|[^'\\\n])')`,
  String.raw`(?<number>\b(?:0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|\d[\d_]*(?:\.(?!\.)[\d_]*)?(?:[eE][+-]?\d+)?))`,
  String.raw`(?<name>[A-Za-z_][A-Za-z0-9_]*)`,
].join('|'), 'g');

// Beyond this many characters a script is shown plain: painting runs at each key.
const most = 30_000;

// paint returns one element a line.
export function paint(source) {
  const lines = [newLine()];
  const add = (text, kind) => {
    text.split('\n').forEach((part, i) => {
      if (i > 0) lines.push(newLine());
      if (part === '') return;
      const node = document.createElement('span');
      if (kind) node.className = `t-${kind}`;
      node.textContent = part;
      lines.at(-1).append(node);
    });
  };
  let end = 0;
  for (const match of source.length > most ? [] : source.matchAll(token)) {
    add(source.slice(end, match.index));
    end = match.index + match[0].length;
    const { comment, text, number, name } = match.groups;
    if (comment) add(comment, 'comment');
    else if (text) add(text, 'text');
    else if (number) add(number, 'number');
    else add(name, words.has(name) ? 'word' : '');
  }
  add(source.slice(end));
  return lines;
}

function newLine() {
  const line = document.createElement('div');
  line.className = 'line';
  return line;
}
