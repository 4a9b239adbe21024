"""Prints ecdsa.json: 64-byte r||s signatures over the SHA-256 of challenge texts, made by libsecp256k1."""
import hashlib
import json

from coincurve import PrivateKey

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def private_key(word):
    return PrivateKey(hashlib.sha256(b"circles test key " + word.encode()).digest())


def public_text(key):
    return key.public_key.format(compressed=True).hex()


def challenge(audience, circle, signer, nonce, expires):
    return "\n".join([
        "circles-auth-v1",
        "audience: " + audience,
        "circle: " + public_text(circle),
        "signer: " + public_text(signer),
        "nonce: " + nonce,
        "expires: " + expires,
    ])


def sign(key, text):
    # Recoverable form is r||s||v of fixed widths; libsecp256k1 always makes s low.
    return key.sign_recoverable(text.encode())[:64]


def high_s(signature):
    s = ORDER - int.from_bytes(signature[32:], "big")
    return signature[:32] + s.to_bytes(32, "big")


vectors = []


def add(name, key, secret, text, signature, valid=True, why=""):
    vectors.append({
        "name": name, "key": public_text(key), "secret": secret.secret.hex(), "text": text,
        "signature": signature.hex(), "valid": valid, "why": why,
    })


circle, member = private_key("circle"), private_key("member")
for i in range(12):
    signer = circle if i % 2 == 0 else member
    audience = ["localhost:8080", "circles.example.org", "[::1]:8443"][i % 3]
    nonce = hashlib.sha256(b"nonce %d" % i).hexdigest()
    text = challenge(audience, circle, signer, nonce, "2026-%02d-28T23:59:%02dZ" % (i + 1, i))
    add("challenge %d" % i, signer, signer, text, sign(signer, text))

text = challenge("localhost:8080", circle, circle, "ab" * 32, "2026-01-01T00:00:00Z")
signature = sign(circle, text)
add("the empty text", circle, circle, "", sign(circle, ""))
add("text beyond ASCII", circle, circle, "grüße, 世界 \U0001f44b", sign(circle, "grüße, 世界 \U0001f44b"))
add("high s", circle, circle, text, high_s(signature), False, "high s")
add("another key", member, circle, text, signature, False, "wrong")
add("another text", circle, circle, text.replace("localhost:8080", "localhost:8081"), signature, False, "wrong")
add("newline at the end of the text", circle, circle, text + "\n", signature, False, "wrong")
add("r and s exchanged", circle, circle, text, signature[32:] + signature[:32], False, "any")
add("last bit flipped", circle, circle, text, signature[:63] + bytes([signature[63] ^ 1]), False, "wrong")
add("DER", circle, circle, text, circle.sign(text.encode()), False, "malformed")
add("r is zero", circle, circle, text, bytes(32) + signature[32:], False, "malformed")
add("s is zero", circle, circle, text, signature[:32] + bytes(32), False, "malformed")
add("r is the group order", circle, circle, text, ORDER.to_bytes(32, "big") + signature[32:], False, "malformed")
add("s is the group order", circle, circle, text, signature[:32] + ORDER.to_bytes(32, "big"), False, "malformed")
add("65 bytes", circle, circle, text, circle.sign_recoverable(text.encode()), False, "malformed")

print(json.dumps(vectors, indent=1))
