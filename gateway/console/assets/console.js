// The page: what happens on it, in the order it happens. A circle is opened,
// someone signs in if the gateway asks for it, scripts are played.

import { authenticationRequired, Connection, LostError, RPCError } from './connection.js';
import { Editor } from './editor.js';
import { examples } from './examples.js';
import { History } from './history.js';
import { canSign, isKey, KeySigner, signIn, WalletSigner } from './identity.js';
import { Raw } from './json.js';
import { Result } from './result.js';

const $ = (id) => document.getElementById(id);
const show = (id, visible) => { $(id).hidden = !visible; };

let connection; // The open connection, if there is one.
let circle = ''; // The circle that is open, or is to be again after a loss.
let signer; // Who is signed in: it signs in again after a loss.
let playing = false;
let opening = 0; // Tells the latest attempt to connect from those it replaced.

const editor = new Editor({ area: $('script'), paper: $('paint'), gutter: $('gutter'), play });
const result = new Result({ editor });
const history = new History({
  list: $('history'),
  restore: ({ script, args }) => {
    editor.text = script;
    $('args').value = args;
    $('script').focus();
  },
  changed: (count) => {
    show('history-empty', count === 0);
    show('clear-history', count > 0);
  },
});

/* Connecting */

async function connect(key) {
  const attempt = ++opening;
  connection?.close();
  connection = undefined;
  if (key !== circle) signer = undefined;
  circle = key;
  $('circle').value = key;
  notice('');
  status('wait', 'Connecting…');
  try {
    const opened = await Connection.open(key);
    if (attempt !== opening) return opened.close();
    await welcome(opened);
  } catch (error) {
    if (attempt !== opening) return;
    status('closed', 'Not connected');
    identify();
    notice(error.message);
  }
}

async function welcome(opened) {
  connection = opened;
  opened.addEventListener('notification', ({ detail }) => {
    if (detail.method === 'closing') status('wait', 'The gateway is shutting down');
  });
  opened.addEventListener('close', () => {
    if (connection !== opened) return;
    connection = undefined;
    identify();
    reconnect();
  });
  if (location.hash.slice(1) !== circle) window.history.replaceState(null, '', `#${circle}`);
  if (signer) await enter(signer);
  else identify(await opened.call('whoami'));
  if (connection === opened) status('open', 'Connected');
}

// reconnect tries again, slower and slower, until it works or another circle
// is asked for.
async function reconnect() {
  const attempt = ++opening;
  for (let wait = 500; attempt === opening; wait = Math.min(wait * 2, 15_000)) {
    status('wait', 'Reconnecting…');
    await new Promise((resolve) => { setTimeout(resolve, wait * (0.75 + Math.random() / 2)); });
    if (attempt !== opening) return;
    try {
      const opened = await Connection.open(circle);
      if (attempt !== opening) return opened.close();
      notice('');
      return await welcome(opened);
    } catch (error) {
      if (attempt === opening) notice(error.message);
    }
  }
}

function status(state, text) {
  $('status').dataset.state = state;
  $('status-text').textContent = text;
  ready();
}

function notice(text) {
  $('notice').textContent = text;
  show('notice', text !== '');
}

/* Who one is */

// identify shows the gateway's answer to whoami, or that nobody was asked.
function identify(identity) {
  const signedIn = identity?.authenticated === true;
  const needed = identity !== undefined && !signedIn && identity.role !== 'anonymous';
  const badge = $('role');
  badge.textContent = identity ? (needed ? 'sign in to play' : identity.role || 'signed in') : 'not connected';
  badge.dataset.tone = signedIn ? 'good' : needed ? 'busy' : '';
  const text = $('identity-text');
  if (!identity) text.textContent = 'Who you are here is known once you are connected.';
  else if (signedIn) text.textContent = 'Signed in with the key';
  else if (!needed) text.textContent = 'This gateway lets everyone play.';
  else if (!canSign && !window.ethereum) text.textContent = 'This gateway wants you to sign in, which browsers allow only over HTTPS or on localhost.';
  else text.textContent = 'This gateway wants you to sign in with a key that the circle admits.';
  $('identity-key').textContent = signedIn ? identity.pubkey : '';
  show('identity-key', signedIn);
  show('sign-in', needed && canSign);
  show('wallet', needed && window.ethereum !== undefined);
  show('sign-out', signedIn);
  if (needed && !$('wallet-key').value) $('wallet-key').value = circle;
  ready();
}

// enter signs in on the open connection. When that is lost meanwhile, the next
// one is where things go on.
async function enter(by) {
  const through = connection;
  let refusal = '';
  try {
    await signIn(through, circle, by);
    signer = by;
  } catch (error) {
    if (error instanceof LostError) return;
    signer = undefined;
    refusal = error.message;
  }
  const identity = await through.call('whoami');
  if (through !== connection) return;
  $('sign-error').textContent = refusal;
  identify(identity);
}

async function trySigning(makeSigner) {
  if (!connection) return;
  $('sign-error').textContent = '';
  try {
    await enter(makeSigner());
  } catch (error) {
    if (!(error instanceof LostError)) $('sign-error').textContent = error.message;
  }
}

/* Playing */

function ready() {
  const open = connection !== undefined;
  $('play').disabled = !open || playing;
  $('play-hint').textContent = playing ? 'Playing…' : open ? '' : 'Connect to a circle first.';
}

function readArgs() {
  const text = $('args').value.trim();
  $('args-error').textContent = '';
  $('args').removeAttribute('aria-invalid');
  if (text === '') return undefined;
  try {
    return new Raw(text);
  } catch (error) {
    $('args-error').textContent = `Not JSON: ${error.message}`;
    $('args').setAttribute('aria-invalid', 'true');
    $('args').focus();
    throw error;
  }
}

async function play() {
  if (!connection || playing) return;
  const script = editor.text;
  let args;
  try {
    args = readArgs();
  } catch {
    return;
  }
  playing = true;
  ready();
  editor.mark(0);
  result.begin();
  const entry = { script, args: $('args').value };
  try {
    const played = await connection.call('play', { script, args });
    history.add({ ...entry, ok: true, summary: result.succeed(played) });
  } catch (error) {
    history.add({ ...entry, ok: false, summary: result.fail(error) });
    if (error instanceof RPCError && error.code === authenticationRequired) $('secret').focus();
  } finally {
    playing = false;
    ready();
  }
}

/* Wiring */

$('connect').addEventListener('submit', (event) => {
  event.preventDefault();
  const key = $('circle').value.trim().toLowerCase();
  if (isKey(key)) connect(key);
  else notice(`A circle’s key is 66 hex digits that begin with 02 or 03. This has ${key.length} characters.`);
});

$('sign-in').addEventListener('submit', (event) => {
  event.preventDefault();
  const typed = $('secret').value;
  $('secret').value = '';
  trySigning(() => new KeySigner(typed));
});

$('wallet').addEventListener('submit', (event) => {
  event.preventDefault();
  trySigning(() => new WalletSigner(window.ethereum, $('wallet-key').value.trim().toLowerCase()));
});

$('sign-out').addEventListener('click', () => {
  signer = undefined;
  connect(circle); // Who one is belongs to the connection: a new one is nobody.
});

$('play').addEventListener('click', play);
$('clear-history').addEventListener('click', () => history.clear());

for (const { name } of examples) $('example').add(new Option(name, name));
$('example').addEventListener('change', ({ target }) => {
  const chosen = examples.find(({ name }) => name === target.value);
  if (!chosen) return;
  editor.text = chosen.script;
  $('args').value = chosen.args ?? '';
  target.value = '';
  $('script').focus();
});

function openFromAddress() {
  const key = location.hash.slice(1).toLowerCase();
  if (isKey(key) && !(key === circle && connection)) connect(key);
}
window.addEventListener('hashchange', openFromAddress);

editor.text = examples[0].script;
identify();
openFromAddress();
