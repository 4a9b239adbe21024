package auth

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"circles/pkg/circle"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
	"golang.org/x/crypto/sha3"
)

// Scheme names how a text is hashed and signed.
type Scheme string

const (
	// ECDSA is the default: 64 bytes r||s over the SHA-256 of the text.
	ECDSA Scheme = "ecdsa"

	// EIP191 is what an Ethereum wallet's personal_sign makes: 65 bytes r||s||v
	// over the Keccak-256 of the text with Ethereum's prefix.
	EIP191 Scheme = "eip191"
)

// The kinds of failure of Sign and Verify, for errors.Is.
var (
	ErrScheme             = errors.New("unknown signature scheme")
	ErrMalformedSignature = errors.New("malformed signature")
	ErrHighS              = errors.New("signature has a high s; negate s modulo the group order")
	ErrWrongSignature     = errors.New("signature is not of this key over this text")
	ErrNoKey              = errors.New("no key")
)

// recoverableV is what v counts from, in wallets and in compact signatures.
const recoverableV = 27

// Schemes lists what Verify takes.
func Schemes() []Scheme { return []Scheme{ECDSA, EIP191} }

// Sign signs the text and returns the signature in hex. It is deterministic
// (RFC 6979), and s is low.
func Sign(scheme Scheme, secret circle.Secret, text string) (string, error) {
	if secret.IsZero() {
		return "", fmt.Errorf("sign: %w", ErrNoKey)
	}
	digest, err := scheme.digest(text)
	if err != nil {
		return "", err
	}
	// v||r||s, v from 27 on.
	compact := ecdsa.SignCompact(secret.PrivateKey(), digest, false)
	signature := compact[1:]
	if scheme == EIP191 {
		signature = append(signature, compact[0])
	}
	return hex.EncodeToString(signature), nil
}

// Verify returns nil when the signature is of the key over the text. Hex may be
// of any case and begin with 0x. Only the low s of the two that are valid is
// taken. Of eip191, v may be 0, 1, 27 or 28.
func Verify(scheme Scheme, key circle.Key, text, signature string) error {
	digest, err := scheme.digest(text)
	if err != nil {
		return err
	}
	public := key.PublicKey()
	if public == nil {
		return fmt.Errorf("verify: %w", ErrNoKey)
	}
	want := 64
	if scheme == EIP191 {
		want = 65
	}
	digits := strings.TrimPrefix(signature, "0x")
	if len(digits) != 2*want {
		return fmt.Errorf("%w: %d hex digits, want %d for scheme %s", ErrMalformedSignature, len(digits), 2*want, scheme)
	}
	raw, err := hex.DecodeString(digits)
	if err != nil {
		return fmt.Errorf("%w: has characters that are no hex digits", ErrMalformedSignature)
	}

	var r, s secp256k1.ModNScalar
	if overflow := r.SetByteSlice(raw[:32]); overflow || r.IsZero() {
		return fmt.Errorf("%w: r is out of range", ErrMalformedSignature)
	}
	if overflow := s.SetByteSlice(raw[32:64]); overflow || s.IsZero() {
		return fmt.Errorf("%w: s is out of range", ErrMalformedSignature)
	}
	if s.IsOverHalfOrder() {
		return ErrHighS
	}
	if scheme == EIP191 {
		return verifyRecoverable(public, digest, raw)
	}
	if !ecdsa.NewSignature(&r, &s).Verify(digest, public) {
		return ErrWrongSignature
	}
	return nil
}

// verifyRecoverable checks r||s||v by recovering the key that made it, so that
// a v which points to another key is refused too.
func verifyRecoverable(public *secp256k1.PublicKey, digest, raw []byte) error {
	v := raw[64]
	if v < recoverableV {
		v += recoverableV
	}
	if v != recoverableV && v != recoverableV+1 {
		return fmt.Errorf("%w: v is %d, want 0, 1, 27 or 28", ErrMalformedSignature, raw[64])
	}
	recovered, _, err := ecdsa.RecoverCompact(append([]byte{v}, raw[:64]...), digest)
	if err != nil || !recovered.IsEqual(public) {
		return ErrWrongSignature
	}
	return nil
}

// digest hashes the text as the scheme has it.
func (s Scheme) digest(text string) ([]byte, error) {
	switch s {
	case ECDSA:
		sum := sha256.Sum256([]byte(text))
		return sum[:], nil
	case EIP191:
		hash := sha3.NewLegacyKeccak256()
		hash.Write([]byte("\x19Ethereum Signed Message:\n" + strconv.Itoa(len(text)) + text))
		return hash.Sum(nil), nil
	}
	name := string(s)
	if len(name) > 32 {
		name = name[:32] + "…"
	}
	return nil, fmt.Errorf("%w %q, want ecdsa or eip191", ErrScheme, name)
}
