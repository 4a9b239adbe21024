package circle

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
)

// secretLen is the length of a private key's text.
const secretLen = 2 * secp256k1.PrivKeyBytesLen

// redacted is all that formatting, logging or encoding a Secret shows.
const redacted = "[private key]"

// Secret is a private key. Only Reveal shows it: formatting with any verb,
// logging and encoding give a placeholder. The zero Secret is invalid.
type Secret struct {
	// A pointer, so that a Secret inside an unexported field of a formatted
	// struct, where fmt can't call methods, shows an address and not the key.
	key *secp256k1.PrivateKey
}

// ParseSecret reads a private key's 64 hex digits. No error repeats the text.
func ParseSecret(text string) (Secret, error) {
	if len(text) != secretLen {
		return Secret{}, fmt.Errorf("private key: %d characters, want %d hex digits", len(text), secretLen)
	}
	raw, err := hex.DecodeString(text)
	if err != nil {
		return Secret{}, fmt.Errorf("private key: has characters that are no hex digits, want %d hex digits", secretLen)
	}
	key := new(secp256k1.PrivateKey)
	if overflow := key.Key.SetByteSlice(raw); overflow || key.Key.IsZero() {
		return Secret{}, errors.New("private key: out of range for secp256k1, want a number from 1 to the group order less 1")
	}
	return Secret{key: key}, nil
}

// GenerateSecret makes a private key from the system's randomness.
func GenerateSecret() (Secret, error) {
	key, err := secp256k1.GeneratePrivateKey()
	if err != nil {
		return Secret{}, fmt.Errorf("generate a private key: %w", err)
	}
	return Secret{key: key}, nil
}

// IsZero reports whether s is the zero Secret.
func (s Secret) IsZero() bool { return s.key == nil }

// Public is the key that belongs to s; of the zero Secret it is the zero Key.
func (s Secret) Public() Key {
	if s.key == nil {
		return Key{}
	}
	return fromPoint(s.key.PubKey())
}

// PrivateKey is the key for signing; nil for the zero Secret. The caller must
// not change it.
func (s Secret) PrivateKey() *secp256k1.PrivateKey { return s.key }

// Reveal is the private key as 64 hex digits; of the zero Secret it is empty.
func (s Secret) Reveal() string {
	if s.key == nil {
		return ""
	}
	return hex.EncodeToString(s.key.Serialize())
}

// String gives a placeholder.
func (s Secret) String() string { return redacted }

// GoString gives a placeholder.
func (s Secret) GoString() string { return redacted }

// Format gives a placeholder for every verb, those included that would skip String.
func (s Secret) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, redacted) }

// LogValue gives a placeholder.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText gives a placeholder.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
