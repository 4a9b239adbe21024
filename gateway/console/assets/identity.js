// Proving who one is: check the gateway's challenge, sign it, send it back.

import { getPublicKey, signAsync, utils } from './vendor/noble-secp256k1-3.2.0.js';

const title = 'circles-auth-v1';
const fields = ['audience', 'circle', 'signer', 'nonce', 'expires'];

// checkChallenge throws unless the text is a challenge for exactly this host,
// circle and key. A gateway can then not have a signature made that is of use
// anywhere else, or is of another kind of text altogether.
export function checkChallenge(text, { audience, circle, signer }, now = Date.now()) {
  const lines = String(text).split('\n');
  const values = {};
  const wellFormed = lines.length === fields.length + 1 && lines[0] === title
    && fields.every((field, i) => {
      const prefix = `${field}: `;
      values[field] = lines[i + 1].slice(prefix.length);
      return lines[i + 1].startsWith(prefix) && values[field] !== '';
    });
  if (!wellFormed) throw new Error('The gateway asked to sign something that is no challenge. Nothing was signed.');
  for (const [field, want] of Object.entries({ audience: audience.toLowerCase(), circle, signer })) {
    if (values[field].toLowerCase() !== want) {
      throw new Error(`The challenge names the ${field} ${values[field]}, not ${want}. Nothing was signed.`);
    }
  }
  if (!/^[0-9a-f]{64}$/.test(values.nonce)) throw new Error('The challenge’s nonce is not 64 hex digits. Nothing was signed.');
  const expires = Date.parse(values.expires);
  if (!(expires > now)) throw new Error(`The challenge expired at ${values.expires}. Is this machine’s clock right?`);
}

// KeySigner signs with a private key that stays in this object.
export class KeySigner {
  scheme = 'ecdsa';
  #secret;

  constructor(hex) {
    const digits = hex.trim().replace(/^0x/i, '');
    if (!/^[0-9a-f]{64}$/i.test(digits)) throw new Error(`Got ${digits.length} characters, want 64 hex digits.`);
    const secret = Uint8Array.from(digits.match(/../g), (pair) => parseInt(pair, 16));
    if (!utils.isValidSecretKey(secret)) throw new Error('That number is no private key of secp256k1.');
    this.#secret = secret;
    this.publicKey = toHex(getPublicKey(secret, true));
  }

  async sign(text) {
    return toHex(await signAsync(new TextEncoder().encode(text), this.#secret));
  }
}

// WalletSigner has the browser's wallet sign. A wallet tells its address, not
// its public key, so the key must be known beforehand.
export class WalletSigner {
  scheme = 'eip191';

  constructor(provider, publicKey) {
    if (!isKey(publicKey)) throw new Error('Give the public key of the wallet’s account: 66 hex digits.');
    this.provider = provider;
    this.publicKey = publicKey;
  }

  async sign(text) {
    const [account] = await this.provider.request({ method: 'eth_requestAccounts' });
    const message = `0x${toHex(new TextEncoder().encode(text))}`;
    const signature = await this.provider.request({ method: 'personal_sign', params: [message, account] });
    return signature.replace(/^0x/i, '');
  }
}

export async function signIn(connection, circle, signer) {
  const { challenge } = await connection.call('fetch_nonce', { pubkey: signer.publicKey });
  checkChallenge(challenge, { audience: location.host, circle, signer: signer.publicKey });
  const signature = await signer.sign(challenge);
  return connection.call('authenticate', { pubkey: signer.publicKey, signature, scheme: signer.scheme });
}

// isKey tells whether text looks like a circle's key in canonical form.
export function isKey(text) {
  return /^0[23][0-9a-f]{64}$/.test(text);
}

// canSign is false on pages that browsers deny cryptography: plain HTTP from
// anywhere but this machine.
export const canSign = globalThis.crypto?.subtle !== undefined;

function toHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
