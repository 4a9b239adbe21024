// The script's editor: an ordinary textarea, so that undo, selection, input
// methods and screen readers are the browser's own, over a painted copy of its
// text. Lines don't wrap: the numbers and the marked line stay beside theirs.

import { paint } from './paint.js';

const indent = '    ';

export class Editor {
  #area;
  #numbers;
  #canvas;
  #wrong = 0;
  #leaving = false;

  // play is called on Ctrl-Enter (Cmd-Enter).
  constructor({ area, paper, gutter, play }) {
    this.#area = area;
    this.#numbers = document.createElement('div');
    gutter.append(this.#numbers);
    this.#canvas = document.createElement('div');
    this.#canvas.className = 'canvas';
    paper.append(this.#canvas);
    area.addEventListener('input', () => {
      this.#wrong = 0;
      this.#draw();
    });
    area.addEventListener('scroll', () => this.#follow());
    area.addEventListener('blur', () => { this.#leaving = false; });
    area.addEventListener('keydown', (event) => this.#key(event, play));
    this.#draw();
  }

  get text() { return this.#area.value; }

  set text(text) {
    this.#area.value = text;
    this.#wrong = 0;
    this.#draw();
    this.#area.scrollTo(0, 0);
  }

  line(number) { return this.text.split('\n')[number - 1] ?? ''; }

  // mark shows a line (counted from 1) as wrong until the next change; 0 clears.
  mark(line) {
    this.#wrong = line;
    this.#draw();
  }

  // goTo puts the caret at a line and column, both counted from 1, in characters.
  goTo(line, column) {
    const before = this.text.split('\n').slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
    const into = Array.from(this.line(line)).slice(0, Math.max(0, column - 1)).join('').length;
    this.#area.focus();
    this.#area.setSelectionRange(before + into, before + into);
    const height = this.#canvas.firstChild.getBoundingClientRect().height;
    const top = (line - 1) * height;
    if (top < this.#area.scrollTop || top + 3 * height > this.#area.scrollTop + this.#area.clientHeight) {
      this.#area.scrollTop = Math.max(0, top - this.#area.clientHeight / 2);
    }
  }

  #draw() {
    const lines = paint(this.text);
    lines[this.#wrong - 1]?.classList.add('wrong');
    this.#canvas.replaceChildren(...lines);
    this.#numbers.replaceChildren(...lines.map((_, i) => {
      const number = document.createElement('div');
      number.textContent = i + 1;
      number.classList.toggle('wrong', i + 1 === this.#wrong);
      return number;
    }));
    this.#follow();
  }

  #follow() {
    const { scrollLeft, scrollTop } = this.#area;
    this.#canvas.style.transform = `translate(${-scrollLeft}px, ${-scrollTop}px)`;
    this.#numbers.style.transform = `translateY(${-scrollTop}px)`;
  }

  #key(event, play) {
    const { key } = event;
    if (event.isComposing) return;
    if (key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      play();
    } else if (key === 'Escape') {
      this.#leaving = true;
      return;
    } else if (key === 'Tab' && !this.#leaving && !event.ctrlKey && !event.altKey && !event.metaKey) {
      event.preventDefault();
      this.#shift(event.shiftKey);
    } else if (key === 'Enter' && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      this.#newLine();
    }
    if (key !== 'Shift') this.#leaving = false;
  }

  #newLine() {
    const { value, selectionStart } = this.#area;
    const line = value.slice(value.lastIndexOf('\n', selectionStart - 1) + 1, selectionStart);
    const lead = line.match(/^[ \t]*/)[0];
    this.#insert(`\n${lead}${/[{([]\s*$/.test(line) ? indent : ''}`);
  }

  // #shift indents or outdents every line that the selection touches; without
  // a selection, Tab is just four spaces.
  #shift(out) {
    const { value, selectionStart: from, selectionEnd: to } = this.#area;
    if (!out && from === to) {
      this.#insert(indent);
      return;
    }
    const start = value.lastIndexOf('\n', from - 1) + 1;
    const end = value.indexOf('\n', to - (to > from && value[to - 1] === '\n' ? 1 : 0));
    const stop = end < 0 ? value.length : end;
    const block = value.slice(start, stop);
    const shifted = out ? block.replace(/^( {1,4}|\t)/gm, '') : block.replace(/^(?=.)/gm, indent);
    if (shifted === block) return;
    this.#area.setSelectionRange(start, stop);
    this.#insert(shifted);
    if (from === to) {
      const caret = Math.max(start, from + shifted.length - block.length);
      this.#area.setSelectionRange(caret, caret);
    } else {
      this.#area.setSelectionRange(start, start + shifted.length);
    }
  }

  // #insert goes through the browser's editing command, which is the only way
  // that keeps undo; setRangeText is for browsers that dropped it.
  #insert(text) {
    if (document.execCommand?.('insertText', false, text)) return;
    const { selectionStart, selectionEnd } = this.#area;
    this.#area.setRangeText(text, selectionStart, selectionEnd, 'end');
    this.#area.dispatchEvent(new Event('input'));
  }
}
