package gateway

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"circles/pkg/auth"
	"circles/pkg/circle"
	"circles/pkg/protocol"
)

// roleOf says what a key is to a circle; false: nothing.
type roleOf func(in, key circle.Key) (protocol.Role, bool)

// ownerOnly admits the circle's own key.
func ownerOnly(in, key circle.Key) (protocol.Role, bool) {
	return protocol.RoleOwner, key == in
}

// anyone admits every key, where authentication is off. A key can be proved all
// the same; scripts then see whose it is.
func anyone(circle.Key, circle.Key) (protocol.Role, bool) {
	return protocol.RoleAnonymous, true
}

// authenticator is one connection's side of authentication: the challenges it
// was given and who it has proved to be. Only the session's reader uses it.
type authenticator struct {
	circle   circle.Key
	audience string
	roleOf   roleOf
	now      func() time.Time
	ttl      time.Duration
	max      int // open challenges

	open []auth.Challenge // the oldest first, one a signer at most
	who  identity
}

// identity is who a connection speaks for; its zero value is nobody.
type identity struct {
	key  circle.Key
	role protocol.Role
}

func (a *authenticator) authenticated() bool { return !a.who.key.IsZero() }

// fetchNonce makes a challenge. It takes the place of one that is open for the
// same key.
func (a *authenticator) fetchNonce(signer circle.Key) (auth.Challenge, *protocol.Error) {
	now := a.now()
	a.open = slices.DeleteFunc(a.open, func(c auth.Challenge) bool {
		return c.Signer == signer || !now.Before(c.Expires)
	})
	if len(a.open) >= a.max {
		wait := a.open[0].Expires.Sub(now)
		return auth.Challenge{}, protocol.Errorf(protocol.CodeBusy, "busy: %d challenges are open on this connection, at most %d may be", len(a.open), a.max).
			WithData(protocol.RetryData{RetryAfterMS: wait.Milliseconds() + 1, Limit: "MAX_NONCES"})
	}
	var nonce [auth.NonceLen / 2]byte
	_, _ = rand.Read(nonce[:]) // never fails: it ends the process first
	challenge := auth.Challenge{
		Audience: a.audience,
		Circle:   a.circle,
		Signer:   signer,
		Nonce:    hex.EncodeToString(nonce[:]),
		Expires:  now.Add(a.ttl + time.Second - 1).UTC().Truncate(time.Second), // whole seconds, no less than ttl
	}
	a.open = append(a.open, challenge)
	return challenge, nil
}

// authenticate takes the answer to the challenge that is open for the key. The
// challenge is gone afterwards, whatever comes of it. The error is for the log:
// the client isn't told why.
func (a *authenticator) authenticate(p protocol.AuthenticateParams) error {
	at := slices.IndexFunc(a.open, func(c auth.Challenge) bool { return c.Signer == p.PubKey })
	if at < 0 {
		return fmt.Errorf("no challenge is open for the key %s", p.PubKey)
	}
	challenge := a.open[at]
	a.open = slices.Delete(a.open, at, at+1)
	if !a.now().Before(challenge.Expires) {
		return fmt.Errorf("%w: at %s", auth.ErrExpired, challenge.Expires.Format(time.RFC3339))
	}
	scheme := p.Scheme
	if scheme == "" {
		scheme = auth.ECDSA
	}
	if err := auth.Verify(scheme, p.PubKey, challenge.Text(), p.Signature); err != nil {
		return err
	}
	role, ok := a.roleOf(a.circle, p.PubKey)
	if !ok {
		return fmt.Errorf("the key %s is not admitted to the circle", p.PubKey)
	}
	a.who = identity{p.PubKey, role}
	return nil
}
