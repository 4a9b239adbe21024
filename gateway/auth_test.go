package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"circles/pkg/auth"
	"circles/pkg/circle"
	"circles/pkg/protocol"
)

func TestOwnersAuthenticateByBothSchemes(t *testing.T) {
	r := startGateway(t, nil)
	for _, scheme := range auth.Schemes() {
		s := r.dial(0)
		if got := s.play("echo hello"); got != "-32001 authentication required: call fetch_nonce, then authenticate" {
			t.Errorf("before authentication a play gave %q", got)
		}
		key := r.secrets[0].Public()
		text := s.fetch(key)
		challenge, err := auth.ParseChallenge(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := challenge.Matches(r.host, key, key, time.Now()); err != nil {
			t.Error(err)
		}
		reply := s.sign(scheme, r.secrets[0], text)
		if want := `{"authenticated":true,"pubkey":"` + key.String() + `","role":"owner"}`; string(reply.Result) != want {
			t.Errorf("authenticate answered %s, want %s", reply.Result, want)
		}
		if got := s.play("caller"); got != key.String()+" owner" {
			t.Errorf("the script saw the caller %q", got)
		}
		who := s.call(protocol.MethodWhoami, struct{}{})
		if want := `{"circle":"` + key.String() + `","authenticated":true,"pubkey":"` + key.String() + `","role":"owner"}`; string(who.Result) != want {
			t.Errorf("whoami answered %s, want %s", who.Result, want)
		}
	}
}

func TestWhoamiOfNobody(t *testing.T) {
	r := startGateway(t, nil)
	who := r.dial(1).call(protocol.MethodWhoami, struct{}{})
	if want := `{"circle":"` + r.circle(1) + `","authenticated":false,"pubkey":null,"role":null}`; string(who.Result) != want {
		t.Errorf("whoami answered %s, want %s", who.Result, want)
	}
}

func TestWithoutAuthenticationEveryoneIsAnonymous(t *testing.T) {
	r := startGateway(t, withoutAuth)
	s := r.dial(0)
	if got := s.play("caller"); got != " anonymous" {
		t.Errorf("the script saw the caller %q", got)
	}
	who := s.call(protocol.MethodWhoami, struct{}{})
	if want := `{"circle":"` + r.circle(0) + `","authenticated":false,"pubkey":null,"role":"anonymous"}`; string(who.Result) != want {
		t.Errorf("whoami answered %s, want %s", who.Result, want)
	}
	stranger := secret(t)
	if reply := s.sign(auth.ECDSA, stranger, s.fetch(stranger.Public())); reply.Error != nil {
		t.Errorf("a key can't be proved: %v", reply.Error)
	}
	if got := s.play("caller"); got != stranger.Public().String()+" anonymous" {
		t.Errorf("the script saw the caller %q", got)
	}
}

func secret(t testing.TB) circle.Secret {
	t.Helper()
	s, err := circle.GenerateSecret()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// highS is the other signature that is mathematically valid.
func highS(t *testing.T, signature string) string {
	t.Helper()
	order, _ := new(big.Int).SetString("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", 16)
	s, ok := new(big.Int).SetString(signature[64:128], 16)
	if !ok {
		t.Fatal("no signature")
	}
	raw := s.Sub(order, s).FillBytes(make([]byte, 32))
	return signature[:64] + hex.EncodeToString(raw)
}

func TestRefusedAuthentication(t *testing.T) {
	clock := &clock{}
	r := startGateway(t, nil, func(s *Server) { s.now = clock.now })
	owner := r.secrets[0]
	other, stranger := r.secrets[1], secret(t)
	sign := func(secret circle.Secret, text string) string {
		signature, err := auth.Sign(auth.ECDSA, secret, text)
		if err != nil {
			t.Fatal(err)
		}
		return signature
	}
	tests := map[string]func(s *socket) protocol.Reply{
		"no challenge": func(s *socket) protocol.Reply {
			return s.answer(owner.Public(), sign(owner, "x"), "")
		},
		"wrong key": func(s *socket) protocol.Reply {
			return s.answer(owner.Public(), sign(stranger, s.fetch(owner.Public())), "")
		},
		"a key that isn't admitted": func(s *socket) protocol.Reply {
			return s.sign(auth.ECDSA, stranger, s.fetch(stranger.Public()))
		},
		"another circle's key": func(s *socket) protocol.Reply {
			return s.sign(auth.ECDSA, other, s.fetch(other.Public()))
		},
		"wrong circle": func(s *socket) protocol.Reply {
			text := strings.Replace(s.fetch(owner.Public()), "circle: "+r.circle(0), "circle: "+r.circle(1), 1)
			return s.sign(auth.ECDSA, owner, text)
		},
		"another audience": func(s *socket) protocol.Reply {
			text := strings.Replace(s.fetch(owner.Public()), r.host, "evil.example", 1)
			return s.sign(auth.ECDSA, owner, text)
		},
		"another key's challenge": func(s *socket) protocol.Reply {
			return s.sign(auth.ECDSA, owner, s.fetch(stranger.Public()))
		},
		"another connection's challenge": func(s *socket) protocol.Reply {
			return s.sign(auth.ECDSA, owner, r.dial(0).fetch(owner.Public()))
		},
		"challenge that a newer one replaced": func(s *socket) protocol.Reply {
			first := s.fetch(owner.Public())
			s.fetch(owner.Public())
			return s.sign(auth.ECDSA, owner, first)
		},
		"replayed nonce": func(s *socket) protocol.Reply {
			text := s.fetch(owner.Public())
			if reply := s.sign(auth.ECDSA, owner, text); reply.Error != nil {
				t.Errorf("the first use was refused: %v", reply.Error)
			}
			return s.sign(auth.ECDSA, owner, text)
		},
		"nonce whose first use failed": func(s *socket) protocol.Reply {
			text := s.fetch(owner.Public())
			s.answer(owner.Public(), sign(stranger, text), "")
			return s.sign(auth.ECDSA, owner, text)
		},
		"expired nonce": func(s *socket) protocol.Reply {
			text := s.fetch(owner.Public())
			clock.advance(2 * time.Minute)
			return s.sign(auth.ECDSA, owner, text)
		},
		"high s": func(s *socket) protocol.Reply {
			return s.answer(owner.Public(), highS(t, sign(owner, s.fetch(owner.Public()))), "")
		},
		"the other scheme's signature": func(s *socket) protocol.Reply {
			return s.answer(owner.Public(), sign(owner, s.fetch(owner.Public())), auth.EIP191)
		},
		"unknown scheme": func(s *socket) protocol.Reply {
			return s.answer(owner.Public(), sign(owner, s.fetch(owner.Public())), "rsa")
		},
		"no hex": func(s *socket) protocol.Reply {
			s.fetch(owner.Public())
			return s.answer(owner.Public(), "zz", "")
		},
		"a hash of the challenge": func(s *socket) protocol.Reply {
			sum := sha256.Sum256([]byte(s.fetch(owner.Public())))
			return s.answer(owner.Public(), sign(owner, string(sum[:])), "")
		},
	}
	for name, try := range tests {
		t.Run(name, func(t *testing.T) {
			s := r.dial(0)
			reply := try(s)
			if reply.Error == nil || reply.Error.Code != protocol.CodeAuthFailed || reply.Error.Message != "authentication failed" || reply.Error.Data != nil {
				t.Fatalf("got %s, %+v, want -32002 with the one message", reply.Result, reply.Error)
			}
			if name == "replayed nonce" {
				return
			}
			if got := s.play("echo hello"); !strings.HasPrefix(got, "-32001 ") {
				t.Errorf("afterwards a play gave %q", got)
			}
		})
	}
}

// TestSignaturesOfOthersAuthenticate takes the vectors of pkg/auth, which other
// implementations signed, to the gateway's own authenticator.
func TestSignaturesOfOthersAuthenticate(t *testing.T) {
	taken := 0
	for _, scheme := range auth.Schemes() {
		raw, err := os.ReadFile("../pkg/auth/testdata/" + string(scheme) + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var vectors []struct {
			Name, Text, Signature string
			Key                   circle.Key
			Valid                 bool
		}
		if err := json.Unmarshal(raw, &vectors); err != nil {
			t.Fatal(err)
		}
		for _, v := range vectors {
			challenge, err := auth.ParseChallenge(v.Text)
			if err != nil {
				continue // signed something else, to test the scheme alone
			}
			a := &authenticator{
				circle: challenge.Circle,
				roleOf: anyone,
				now:    func() time.Time { return challenge.Expires.Add(-time.Second) },
				open:   []auth.Challenge{challenge},
			}
			answer := protocol.AuthenticateParams{PubKey: v.Key, Signature: v.Signature, Scheme: scheme}
			if err := a.authenticate(answer); (err == nil) != v.Valid {
				t.Errorf("%s, %s: %v, valid is %t", scheme, v.Name, err, v.Valid)
			} else if err == nil {
				taken++
			}
			if err := a.authenticate(answer); err == nil {
				t.Errorf("%s, %s: taken twice", scheme, v.Name)
			}
		}
	}
	if taken < 20 {
		t.Errorf("%d signatures were taken", taken)
	}
}

func TestOpenChallengesAreBounded(t *testing.T) {
	clock := &clock{}
	r := newRig(t, func(cfg *Config) { cfg.MaxNonces = 2 }, func(s *Server) { s.now = clock.now })
	s := r.dial(0)
	first := secret(t).Public()
	s.fetch(first)
	s.fetch(first) // in the place of the one before
	s.fetch(secret(t).Public())
	reply := s.call(protocol.MethodFetchNonce, protocol.FetchNonceParams{PubKey: secret(t).Public()})
	if reply.Error == nil || reply.Error.Code != protocol.CodeBusy {
		t.Fatalf("the third was answered %s, %v", reply.Result, reply.Error)
	}
	var data protocol.RetryData
	if err := json.Unmarshal(reply.Error.Data, &data); err != nil || data.Limit != "MAX_NONCES" || data.RetryAfterMS <= 0 {
		t.Errorf("got the data %s", reply.Error.Data)
	}
	clock.advance(2 * time.Minute)
	s.fetch(secret(t).Public()) // the others have expired
}

func TestAudienceIsOneThatIsConfigured(t *testing.T) {
	r := newRig(t, func(cfg *Config) { cfg.AuthAudiences = []string{"Circles.Example.org", "other.example:8443"} })
	for host, want := range map[string]string{
		"circles.example.org": "circles.example.org",
		"OTHER.example:8443":  "other.example:8443",
		"evil.example":        "circles.example.org",
	} {
		challenge, err := auth.ParseChallenge(r.dial(0, "Host", host).fetch(r.secrets[0].Public()))
		if err != nil {
			t.Fatal(err)
		}
		if challenge.Audience != want {
			t.Errorf("to %s the audience %s was offered, want %s", host, challenge.Audience, want)
		}
	}
}

func TestRolesAreTheCircles(t *testing.T) {
	r := startGateway(t, nil, func(s *Server) {
		s.roleOf = func(in, key circle.Key) (protocol.Role, bool) { return protocol.RoleMember, key != in }
	})
	member := secret(t)
	s := r.dial(0)
	if reply := s.sign(auth.ECDSA, member, s.fetch(member.Public())); reply.Error != nil {
		t.Fatal(reply.Error)
	}
	if got := s.play("caller"); got != member.Public().String()+" member" {
		t.Errorf("the script saw the caller %q", got)
	}
}
