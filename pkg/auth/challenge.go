// Package auth is how a client proves that it holds a private key.
//
// The gateway hands out a [Challenge]: a short text that names the host the
// client dialled, the circle, the key it claims and a nonce. The client checks
// that the text names what it meant ([Challenge.Matches]) and signs exactly this
// text; the gateway verifies the signature over the text it built itself. What
// was signed for one host, circle or key is thus worth nothing for another.
//
// The text is UTF-8, a field a line, without a newline at its end:
//
//	circles-auth-v1
//	audience: localhost:8080
//	circle: 02…
//	signer: 02…
//	nonce: <64 hex>
//	expires: 2026-01-01T00:00:00Z
package auth

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"circles/pkg/circle"
)

const (
	header = "circles-auth-v1"

	// NonceLen is the length of a nonce in hex digits: 32 random bytes.
	NonceLen = 64

	// MaxAudienceLen bounds an audience: the longest host name and a port.
	MaxAudienceLen = 253 + len(":65535")

	// maxTextLen bounds a challenge text; any that parses is shorter.
	maxTextLen = 1024

	expiresLayout = "2006-01-02T15:04:05Z"
)

// ErrExpired is the cause when a challenge is refused for its age.
var ErrExpired = errors.New("challenge has expired")

// Challenge is what a client signs.
type Challenge struct {
	Audience string     // host, and port where it isn't the scheme's own, in lower case
	Circle   circle.Key // the circle the client wants to enter
	Signer   circle.Key // the key the client claims
	Nonce    string     // NonceLen lower-case hex digits
	Expires  time.Time  // to the second; a fraction is cut off
}

// ChallengeError says what is wrong with a challenge text.
type ChallengeError struct{ Reason string }

func (e *ChallengeError) Error() string { return "challenge: " + e.Reason }

// MismatchError says that a challenge names something else than was meant.
type MismatchError struct{ Field, Got, Want string }

func (e *MismatchError) Error() string {
	return fmt.Sprintf("challenge names the %s %q, want %q; it is not signed", e.Field, e.Got, e.Want)
}

// Text is the exact text to sign.
func (c Challenge) Text() string {
	return header +
		"\naudience: " + c.Audience +
		"\ncircle: " + c.Circle.String() +
		"\nsigner: " + c.Signer.String() +
		"\nnonce: " + c.Nonce +
		"\nexpires: " + c.Expires.UTC().Format(expiresLayout)
}

// ParseChallenge reads a challenge text. It takes only what Text writes: the
// text of the result is the text that was given. The error is a *ChallengeError.
func ParseChallenge(text string) (Challenge, error) {
	if len(text) > maxTextLen {
		return Challenge{}, &ChallengeError{fmt.Sprintf("%d bytes, want at most %d", len(text), maxTextLen)}
	}
	lines := strings.Split(text, "\n")
	names := [...]string{"audience", "circle", "signer", "nonce", "expires"}
	if lines[0] != header {
		return Challenge{}, &ChallengeError{fmt.Sprintf("first line is %q, want %q", lines[0], header)}
	}
	if len(lines) != 1+len(names) {
		return Challenge{}, &ChallengeError{fmt.Sprintf("%d lines, want %d", len(lines), 1+len(names))}
	}
	var values [len(names)]string
	for i, name := range names {
		value, ok := strings.CutPrefix(lines[1+i], name+": ")
		if !ok {
			return Challenge{}, &ChallengeError{fmt.Sprintf("line %d is %q, want %q and a value", 2+i, lines[1+i], name+": ")}
		}
		values[i] = value
	}

	c := Challenge{Audience: values[0], Nonce: values[3]}
	if err := CheckAudience(c.Audience); err != nil {
		return Challenge{}, &ChallengeError{err.Error()}
	}
	if err := c.Circle.UnmarshalText([]byte(values[1])); err != nil {
		return Challenge{}, &ChallengeError{"circle: " + err.Error()}
	}
	if err := c.Signer.UnmarshalText([]byte(values[2])); err != nil {
		return Challenge{}, &ChallengeError{"signer: " + err.Error()}
	}
	if raw, err := hex.DecodeString(c.Nonce); err != nil || len(c.Nonce) != NonceLen || hex.EncodeToString(raw) != c.Nonce {
		return Challenge{}, &ChallengeError{fmt.Sprintf("nonce %q, want %d lower-case hex digits", c.Nonce, NonceLen)}
	}
	expires, err := time.Parse(expiresLayout, values[4])
	if err != nil || expires.Format(expiresLayout) != values[4] {
		return Challenge{}, &ChallengeError{fmt.Sprintf("expires %q, want a time such as 2026-01-01T00:00:00Z", values[4])}
	}
	c.Expires = expires
	return c, nil
}

// Matches is what a client checks before it signs: that the challenge names the
// host it dialled, the circle it asked for and its own key, and is still good.
// The error is a *MismatchError or wraps ErrExpired.
func (c Challenge) Matches(audience string, inCircle, signer circle.Key, now time.Time) error {
	switch {
	case c.Audience == "" || !strings.EqualFold(c.Audience, audience):
		return &MismatchError{"audience", c.Audience, audience}
	case c.Circle.IsZero() || c.Circle != inCircle:
		return &MismatchError{"circle", c.Circle.String(), inCircle.String()}
	case c.Signer.IsZero() || c.Signer != signer:
		return &MismatchError{"signer", c.Signer.String(), signer.String()}
	case !now.Before(c.Expires):
		return fmt.Errorf("%w: at %s, it is %s now", ErrExpired, c.Expires.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	}
	return nil
}

// CheckAudience says what keeps a text from being an audience: it has to be a
// host, with or without a port, in visible lower-case ASCII.
func CheckAudience(audience string) error {
	switch {
	case audience == "":
		return errors.New("audience is empty, want a host, or host:port")
	case len(audience) > MaxAudienceLen:
		return fmt.Errorf("audience has %d bytes, want at most %d", len(audience), MaxAudienceLen)
	}
	for i, r := range audience {
		switch {
		case 'A' <= r && r <= 'Z':
			return fmt.Errorf("audience %q has an upper-case letter at position %d, want lower case", audience, i+1)
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9', strings.ContainsRune("-._:[]", r):
		default:
			return fmt.Errorf("audience %q has %q at position %d, want a host, or host:port", audience, r, i+1)
		}
	}
	return nil
}
