// Package circle holds a circle's identity: the secp256k1 public key that is
// its address, and the private key that speaks for it.
//
// A [Key] is always in canonical form (66 lower-case hex digits of the
// compressed point, on the curve), whatever form it was written in, so keys
// compare with == and may be used as map keys, in paths and in Redis names.
package circle

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
)

const (
	// TextLen is the length of a key's canonical text.
	TextLen = 2 * secp256k1.PubKeyBytesLenCompressed

	uncompressedLen = 2 * secp256k1.PubKeyBytesLenUncompressed

	// maxEchoed bounds how much of a bad key an error repeats, in bytes: the
	// longest key that could have been meant.
	maxEchoed = uncompressedLen

	// secretEchoed is how much is repeated of what may be a private key that was
	// taken for the public one: enough to find it by.
	secretEchoed = 8
)

// Key is a public key in canonical form. It is comparable; the zero Key is
// invalid and stands for "none".
type Key struct{ text string }

// KeyError says which key is bad and why.
type KeyError struct {
	Position int    // 1-based place in the list; 0 for a key that stood alone
	Text     string // as it was given; cut when it is longer than any key or may be a private one
	Reason   string
}

func (e *KeyError) Error() string {
	if e.Position > 0 {
		return fmt.Sprintf("circle key %d (%q): %s", e.Position, e.Text, e.Reason)
	}
	return fmt.Sprintf("circle key %q: %s", e.Text, e.Reason)
}

// Parse reads a compressed or an uncompressed key, in hex of any case. The
// error is a *KeyError.
func Parse(text string) (Key, error) {
	key, reason := parse(text)
	if reason != "" {
		return Key{}, &KeyError{Text: echo(text), Reason: reason}
	}
	return key, nil
}

// ParseList reads the keys of a configuration. Space around a key is ignored.
// A key given twice, in whatever forms, is an error. Every bad key is reported:
// the error joins one *KeyError for each.
func ParseList(texts []string) ([]Key, error) {
	var (
		keys  = make([]Key, 0, len(texts))
		first = make(map[Key]int, len(texts))
		errs  []error
	)
	for i, text := range texts {
		position := i + 1
		text = strings.TrimSpace(text)
		key, reason := parse(text)
		if reason == "" {
			if earlier, ok := first[key]; ok {
				reason = fmt.Sprintf("is the same key as key %d; give each key once", earlier)
			}
		}
		if reason != "" {
			errs = append(errs, &KeyError{Position: position, Text: echo(text), Reason: reason})
			continue
		}
		first[key] = position
		keys = append(keys, key)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return keys, nil
}

// parse returns the key, or the reason why text is none.
func parse(text string) (Key, string) {
	if text == "" {
		return Key{}, fmt.Sprintf("is empty, want %d hex digits", TextLen)
	}
	for i, r := range text {
		if !isHexDigit(r) {
			if i == 1 && (r == 'x' || r == 'X') {
				return Key{}, "starts with 0x; give the hex digits alone"
			}
			return Key{}, fmt.Sprintf("%q at position %d is no hex digit", r, i+1)
		}
	}
	switch prefix := text[:min(2, len(text))]; {
	case len(text) == secretLen:
		return Key{}, fmt.Sprintf("%d hex digits, want %d; if it is a private key, give the public one", len(text), TextLen)
	case len(text) != TextLen && len(text) != uncompressedLen:
		return Key{}, fmt.Sprintf("%d hex digits, want %d (or %d for an uncompressed key)", len(text), TextLen, uncompressedLen)
	case len(text) == TextLen && prefix != "02" && prefix != "03":
		return Key{}, fmt.Sprintf("starts with %s, want 02 or 03 for a compressed key", prefix)
	case len(text) == uncompressedLen && prefix != "04":
		return Key{}, fmt.Sprintf("starts with %s, want 04 for an uncompressed key", prefix)
	}
	raw, err := hex.DecodeString(text)
	if err != nil {
		return Key{}, err.Error()
	}
	point, err := secp256k1.ParsePubKey(raw)
	if err != nil {
		return Key{}, "is not a point on the curve secp256k1"
	}
	return fromPoint(point), ""
}

func isHexDigit(r rune) bool {
	return '0' <= r && r <= '9' || 'a' <= r && r <= 'f' || 'A' <= r && r <= 'F'
}

func echo(text string) string {
	switch {
	case len(text) == secretLen:
		return strings.ToValidUTF8(text[:secretEchoed], "") + "…"
	case len(text) <= maxEchoed:
		return text
	}
	return fmt.Sprintf("%s… (%d bytes)", strings.ToValidUTF8(text[:maxEchoed], ""), len(text))
}

func fromPoint(point *secp256k1.PublicKey) Key {
	return Key{text: hex.EncodeToString(point.SerializeCompressed())}
}

// String is the canonical text; of the zero Key it is empty.
func (k Key) String() string { return k.text }

// IsZero reports whether k is the zero Key.
func (k Key) IsZero() bool { return k.text == "" }

// PublicKey is the point itself; nil for the zero Key.
func (k Key) PublicKey() *secp256k1.PublicKey {
	raw, err := hex.DecodeString(k.text)
	if err != nil {
		return nil
	}
	point, err := secp256k1.ParsePubKey(raw)
	if err != nil {
		return nil
	}
	return point
}

// MarshalText gives the canonical text; the zero Key has none and is an error.
func (k Key) MarshalText() ([]byte, error) {
	if k.IsZero() {
		return nil, errors.New("the zero circle key has no text")
	}
	return []byte(k.text), nil
}

// UnmarshalText reads canonical text and nothing else: what programs exchange
// is canonical, only people may write keys in other forms.
func (k *Key) UnmarshalText(text []byte) error {
	key, err := Parse(string(text))
	if err != nil {
		return err
	}
	if key.text != string(text) {
		return &KeyError{Text: echo(string(text)), Reason: "is not canonical, want " + key.text}
	}
	*k = key
	return nil
}
