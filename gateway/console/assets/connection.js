// One WebSocket to a circle, and JSON-RPC calls over it.

import { encode, parse, Raw } from './json.js';

// RPCError is the gateway's own answer that a call failed.
export class RPCError extends Error {
  constructor({ code, message, data }) {
    super(message);
    this.name = 'RPCError';
    this.code = code;
    this.data = data;
  }
}

// LostError says that the connection ended while a call was under way.
export class LostError extends Error {
  constructor() {
    super('The connection was lost before the answer came. Whether the script ran is not known.');
    this.name = 'LostError';
  }
}

export const authenticationRequired = -32001;

// Connection emits 'notification' ({method, params} in detail) and 'close'
// ({code, reason} in detail). A call settles exactly once, at the latest when
// the socket closes.
export class Connection extends EventTarget {
  #socket;
  #calls = new Map();
  #last = 0;

  static async open(circle) {
    const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(`${scheme}//${location.host}/${circle}`);
    const opened = await new Promise((resolve) => {
      socket.onopen = () => resolve(true);
      socket.onerror = () => resolve(false);
      socket.onclose = () => resolve(false);
    });
    if (!opened) throw new Error(await whyNot(circle));
    return new Connection(socket);
  }

  constructor(socket) {
    super();
    this.#socket = socket;
    socket.onerror = null;
    socket.onmessage = ({ data }) => this.#take(data);
    socket.onclose = ({ code, reason }) => {
      for (const { reject } of this.#calls.values()) reject(new LostError());
      this.#calls.clear();
      this.dispatchEvent(new CustomEvent('close', { detail: { code, reason } }));
    };
  }

  call(method, params) {
    return new Promise((resolve, reject) => {
      if (this.#socket.readyState !== WebSocket.OPEN) {
        reject(new Error('Not connected.'));
        return;
      }
      const id = ++this.#last;
      this.#calls.set(id, { resolve, reject });
      this.#socket.send(encode({
        jsonrpc: '2.0', id, method, params: params && new Raw(encode(params)),
      }));
    });
  }

  close() {
    this.#socket.close(1000);
  }

  #take(text) {
    let message;
    try {
      message = parse(text);
    } catch {
      this.#socket.close(1003, 'not JSON');
      return;
    }
    if (message.method !== undefined) {
      this.dispatchEvent(new CustomEvent('notification', { detail: message }));
      return;
    }
    const call = this.#calls.get(message.id);
    if (!call) return;
    this.#calls.delete(message.id);
    if (message.error) call.reject(new RPCError(message.error));
    else call.resolve(message.result);
  }
}

// whyNot asks over HTTP what a failed WebSocket keeps to itself.
async function whyNot(circle) {
  try {
    const answer = await fetch(`/${circle}`, { cache: 'no-store' });
    if (answer.status === 404) return 'This gateway does not serve that circle. Check the key.';
    if (answer.status === 426) return 'The gateway serves this circle but refused the connection. It may not allow this page’s origin, or it may be full.';
    return `The gateway answered ${answer.status} instead of opening a connection.`;
  } catch {
    return 'The gateway can’t be reached.';
  }
}
