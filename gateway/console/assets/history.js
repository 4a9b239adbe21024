// What was played in this tab, newest first. It is gone when the tab is.

const most = 100;

export class History {
  #list;
  #changed;

  // restore gets an entry that was chosen; changed is told how many there are.
  constructor({ list, restore, changed }) {
    this.#list = list;
    this.#changed = changed;
    this.restore = restore;
    changed(0);
  }

  // add takes {script, args, ok, summary}.
  add(entry) {
    const first = entry.script.split('\n').find((line) => line.trim() && !/^\s*\/[/*]/.test(line)) ?? entry.script;
    const now = new Date();

    const mark = piece('span', entry.ok ? '✓' : '✗', `mark ${entry.ok ? 'good' : 'bad'}`);
    mark.setAttribute('role', 'img');
    mark.setAttribute('aria-label', entry.ok ? 'Succeeded' : 'Failed');
    const time = piece('time', now.toLocaleTimeString());
    time.dateTime = now.toISOString();

    const button = document.createElement('button');
    button.type = 'button';
    button.title = 'Put this script back into the editor';
    button.append(mark, piece('span', first.trim().slice(0, 200), 'source'), time,
      piece('span', entry.summary.slice(0, 200), 'summary'));
    button.addEventListener('click', () => this.restore(entry));

    const item = document.createElement('li');
    item.append(button);
    this.#list.prepend(item);
    while (this.#list.children.length > most) this.#list.lastElementChild.remove();
    this.#changed(this.#list.children.length);
  }

  clear() {
    this.#list.replaceChildren();
    this.#changed(0);
  }
}

function piece(tag, text, className = '') {
  const node = document.createElement(tag);
  node.className = className;
  node.textContent = text;
  return node;
}
