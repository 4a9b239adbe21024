// Prints eip191.json: what an Ethereum wallet's personal_sign makes over challenge texts, by ethers.
import { SigningKey, Wallet, hashMessage, sha256, toUtf8Bytes } from "ethers";

const ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141n;
const wallet = (word) => new Wallet(sha256(toUtf8Bytes("circles test key " + word)));
const publicText = (w) => SigningKey.computePublicKey(w.privateKey, true).slice(2);

const challenge = (audience, circle, signer, nonce, expires) => [
  "circles-auth-v1",
  "audience: " + audience,
  "circle: " + publicText(circle),
  "signer: " + publicText(signer),
  "nonce: " + nonce,
  "expires: " + expires,
].join("\n");

const vectors = [];
const add = (name, key, secret, text, signature, valid = true, why = "") => vectors.push({
  name, key: publicText(key), secret: secret.privateKey.slice(2), text, signature, valid, why,
});
const replaceV = (signature, v) => signature.slice(0, 130) + v.toString(16).padStart(2, "0");

const circle = wallet("circle");
const member = wallet("wallet");
for (let i = 0; i < 12; i++) {
  const signer = i % 2 === 0 ? circle : member;
  const audience = ["localhost:8080", "circles.example.org", "[::1]:8443"][i % 3];
  const nonce = sha256(toUtf8Bytes("nonce " + i)).slice(2);
  const month = String(i + 1).padStart(2, "0");
  const text = challenge(audience, circle, signer, nonce, `2026-${month}-28T23:59:00Z`);
  add("challenge " + i, signer, signer, text, await signer.signMessage(text));
}

const text = challenge("localhost:8080", circle, circle, "ab".repeat(32), "2026-01-01T00:00:00Z");
const signature = await circle.signMessage(text);
const v = parseInt(signature.slice(130), 16);
const beyond = "grüße, 世界 👋";
add("the empty text", circle, circle, "", await circle.signMessage(""));
add("text beyond ASCII: the prefix counts bytes", circle, circle, beyond, await circle.signMessage(beyond));
add("v counts from 0", circle, circle, text, replaceV(signature, v - 27));
add("upper-case hex without 0x", circle, circle, text, signature.slice(2).toUpperCase());
add("v of the other point", circle, circle, text, replaceV(signature, 55 - v), false, "wrong");
for (const other of [2, 3, 26, 29, 31, 255]) {
  add("v is " + other, circle, circle, text, replaceV(signature, other), false, "malformed");
}
const s = BigInt("0x" + signature.slice(66, 130));
const high = signature.slice(0, 66) + (ORDER - s).toString(16).padStart(64, "0") + (55 - v).toString(16);
add("high s", circle, circle, text, high, false, "high s");
add("another key", member, circle, text, signature, false, "wrong");
add("another text", circle, circle, text.replace("8080", "8081"), signature, false, "wrong");
add("without the prefix", circle, circle, text, circle.signingKey.sign(sha256(toUtf8Bytes(text))).serialized, false, "wrong");
add("hashed twice", circle, circle, text, circle.signingKey.sign(sha256(hashMessage(text))).serialized, false, "wrong");
add("64 bytes", circle, circle, text, signature.slice(0, 130), false, "malformed");
add("0x twice", circle, circle, text, "0x" + signature, false, "malformed");
add("empty", circle, circle, text, "", false, "malformed");

console.log(JSON.stringify(vectors, null, 1));
