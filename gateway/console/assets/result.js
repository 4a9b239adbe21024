// What came of a play.

import { LostError, RPCError } from './connection.js';
import { print } from './json.js';

const $ = (id) => document.getElementById(id);
const show = (id, visible) => { $(id).hidden = !visible; };

export class Result {
  #editor;

  constructor({ editor }) {
    this.#editor = editor;
  }

  begin() {
    this.#state('busy', 'playing');
    $('facts').replaceChildren();
    for (const id of ['result-empty', 'result-value', 'result-error']) show(id, false);
    show('result-body', true);
  }

  // succeed shows a play's result and returns a line that sums it up.
  succeed({ play_id: play, output, value, elapsed_us: elapsed }) {
    const json = print(value);
    this.#state('good', 'done');
    show('result-value', true);
    $('output').textContent = output === '' ? '(nothing)' : output;
    $('json').textContent = json;
    show('json-box', json !== output);
    this.#facts({ 'Ran for': duration(elapsed), Play: play });
    reveal();
    return output === '' ? '(nothing)' : output;
  }

  // fail shows why a play failed and returns a line that sums it up.
  fail(error) {
    const data = (error instanceof RPCError && error.data) || {};
    const { line = 0, column = 0, trace = [] } = data;
    this.#state('bad', error instanceof LostError ? 'unknown' : 'failed');
    show('result-error', true);
    const message = data.message || error.message;
    $('error-message').textContent = message;

    show('error-place', line > 0);
    show('error-source', line > 0);
    if (line > 0) {
      this.#editor.mark(line);
      $('error-place').textContent = column > 0 ? `Line ${line}, column ${column}` : `Line ${line}`;
      $('error-place').onclick = () => this.#editor.goTo(line, column);
      const source = this.#editor.line(line);
      const lead = Array.from(source).slice(0, column - 1).map((c) => (c === '\t' ? '\t' : ' ')).join('');
      $('error-source').textContent = column > 0 ? `${source}\n${lead}^` : source;
    }

    $('trace').replaceChildren(...trace.map((frame) => {
      const item = document.createElement('li');
      item.textContent = frame;
      return item;
    }));
    show('trace-box', trace.length > 0);

    const wait = data.retry_after_ms;
    this.#facts({
      Kind: data.kind,
      Limit: data.limit,
      'Try again in': wait === undefined ? undefined : duration(wait * 1000),
      Code: error instanceof RPCError ? error.code : undefined,
      Play: data.play_id,
    });
    reveal();
    return line > 0 ? `${line}:${column} ${message}` : message;
  }

  #state(tone, text) {
    $('result').dataset.state = tone;
    $('result-state').dataset.tone = tone;
    $('result-state').textContent = text;
  }

  #facts(facts) {
    for (const [name, value] of Object.entries(facts)) {
      if (value === undefined || value === '') continue;
      const term = document.createElement('dt');
      term.textContent = name;
      const text = document.createElement('dd');
      text.textContent = value;
      $('facts').append(term, text);
    }
  }
}

// reveal brings the result into sight where it lies below the editor.
function reveal() {
  $('result').scrollIntoView({ block: 'nearest' });
}

function duration(microseconds) {
  const us = Number(microseconds);
  if (us < 1_000) return `${us} µs`;
  if (us < 1_000_000) return `${(us / 1_000).toFixed(us < 10_000 ? 2 : 1)} ms`;
  return `${(us / 1_000_000).toFixed(2)} s`;
}
