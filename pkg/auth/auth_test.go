package auth_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"circles/pkg/auth"
	"circles/pkg/circle"
)

// vector is one signature made by an implementation that isn't ours.
type vector struct {
	Name, Text, Signature, Why string
	Key                        circle.Key
	Secret                     string
	Valid                      bool
}

func vectors(t *testing.T, scheme auth.Scheme) []vector {
	t.Helper()
	raw, err := os.ReadFile("testdata/" + string(scheme) + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var all []vector
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	if len(all) < 20 {
		t.Fatalf("%d vectors of %s", len(all), scheme)
	}
	return all
}

func TestVectorsOfOtherImplementations(t *testing.T) {
	kinds := map[string]error{
		"high s":    auth.ErrHighS,
		"wrong":     auth.ErrWrongSignature,
		"malformed": auth.ErrMalformedSignature,
	}
	for _, scheme := range auth.Schemes() {
		for _, v := range vectors(t, scheme) {
			t.Run(string(scheme)+"/"+v.Name, func(t *testing.T) {
				err := auth.Verify(scheme, v.Key, v.Text, v.Signature)
				switch {
				case v.Valid && err != nil:
					t.Fatalf("refused: %v", err)
				case v.Valid:
				case err == nil:
					t.Fatal("taken")
				case v.Why != "any" && !errors.Is(err, kinds[v.Why]):
					t.Fatalf("refused with %v, want %v", err, kinds[v.Why])
				}
			})
		}
	}
}

func TestOurSignaturesAreTheirs(t *testing.T) {
	for _, scheme := range auth.Schemes() {
		for _, v := range vectors(t, scheme) {
			if !v.Valid || strings.HasPrefix(v.Name, "v counts") {
				continue
			}
			secret, err := circle.ParseSecret(v.Secret)
			if err != nil {
				t.Fatal(err)
			}
			got, err := auth.Sign(scheme, secret, v.Text)
			if err != nil {
				t.Fatal(err)
			}
			want := strings.ToLower(strings.TrimPrefix(v.Signature, "0x"))
			if got != want {
				t.Errorf("%s, %s: got %s, want %s", scheme, v.Name, got, want)
			}
		}
	}
}

func TestChallengeTextIsWhatOthersSigned(t *testing.T) {
	for _, scheme := range auth.Schemes() {
		for _, v := range vectors(t, scheme) {
			if !strings.HasPrefix(v.Name, "challenge") {
				continue
			}
			c, err := auth.ParseChallenge(v.Text)
			if err != nil {
				t.Errorf("%s: %v", v.Name, err)
				continue
			}
			if c.Text() != v.Text || c.Signer != v.Key {
				t.Errorf("%s: got %+v", v.Name, c)
			}
		}
	}
}

func TestSignAndVerifyRefuse(t *testing.T) {
	secret := generate(t)
	if _, err := auth.Sign("rsa", secret, "x"); !errors.Is(err, auth.ErrScheme) {
		t.Errorf("Sign with an unknown scheme: %v", err)
	}
	if _, err := auth.Sign(auth.ECDSA, circle.Secret{}, "x"); !errors.Is(err, auth.ErrNoKey) {
		t.Errorf("Sign without a key: %v", err)
	}
	if err := auth.Verify(auth.Scheme(strings.Repeat("x", 1<<20)), secret.Public(), "x", ""); !errors.Is(err, auth.ErrScheme) || len(err.Error()) > 200 {
		t.Errorf("Verify with an unknown scheme: %d bytes of error", len(err.Error()))
	}
	signature, err := auth.Sign(auth.ECDSA, secret, "x")
	if err != nil {
		t.Fatal(err)
	}
	if err := auth.Verify(auth.ECDSA, circle.Key{}, "x", signature); !errors.Is(err, auth.ErrNoKey) {
		t.Errorf("Verify without a key: %v", err)
	}
	if err := auth.Verify(auth.ECDSA, secret.Public(), "x", signature[:126]+"zz"); !errors.Is(err, auth.ErrMalformedSignature) {
		t.Errorf("Verify with no hex: %v", err)
	}
}

func generate(t *testing.T) circle.Secret {
	t.Helper()
	secret, err := circle.GenerateSecret()
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

func challenge(t *testing.T) auth.Challenge {
	return auth.Challenge{
		Audience: "localhost:8080",
		Circle:   generate(t).Public(),
		Signer:   generate(t).Public(),
		Nonce:    strings.Repeat("0f", 32),
		Expires:  time.Date(2026, 1, 1, 0, 0, 0, 999, time.FixedZone("east", 3600)),
	}
}

func TestChallengeText(t *testing.T) {
	c := challenge(t)
	want := fmt.Sprintf("circles-auth-v1\naudience: localhost:8080\ncircle: %s\nsigner: %s\nnonce: %s\nexpires: 2025-12-31T23:00:00Z",
		c.Circle, c.Signer, c.Nonce)
	if got := c.Text(); got != want {
		t.Fatalf("got\n%s\nwant\n%s", got, want)
	}
	parsed, err := auth.ParseChallenge(want)
	if err != nil || parsed.Text() != want {
		t.Fatalf("got %+v, %v", parsed, err)
	}
}

func TestParseChallengeRefuses(t *testing.T) {
	good := challenge(t)
	text := good.Text()
	tests := map[string]string{
		"empty":                   "",
		"another version":         strings.Replace(text, "auth-v1", "auth-v2", 1),
		"newline at the end":      text + "\n",
		"carriage returns":        strings.ReplaceAll(text, "\n", "\r\n"),
		"a line more":             text + "\nnote: pay",
		"a line less":             text[:strings.LastIndexByte(text, '\n')],
		"fields in another order": strings.NewReplacer("circle: ", "signer: ", "signer: ", "circle: ").Replace(text),
		"no space":                strings.Replace(text, "nonce: ", "nonce:", 1),
		"two spaces":              strings.Replace(text, "nonce: ", "nonce:  ", 1),
		"upper-case circle":       strings.Replace(text, good.Circle.String(), strings.ToUpper(good.Circle.String()), 1),
		"no key":                  strings.Replace(text, good.Signer.String(), "", 1),
		"upper-case nonce":        strings.Replace(text, good.Nonce, strings.ToUpper(good.Nonce), 1),
		"short nonce":             strings.Replace(text, good.Nonce, good.Nonce[2:], 1),
		"expires with a fraction": strings.Replace(text, "00:00Z", "00:00.5Z", 1),
		"expires with an offset":  strings.Replace(text, "00:00Z", "00:00+00:00", 1),
		"no such day":             strings.Replace(text, "12-31", "02-30", 1),
		"empty audience":          strings.Replace(text, "localhost:8080", "", 1),
		"audience with a space":   strings.Replace(text, "localhost:8080", "local host", 1),
		"audience in upper case":  strings.Replace(text, "localhost", "Localhost", 1),
		"audience beyond ASCII":   strings.Replace(text, "localhost", "lócalhost", 1),
		"huge":                    strings.Replace(text, "localhost", strings.Repeat("a", 1<<20), 1),
	}
	for name, text := range tests {
		c, err := auth.ParseChallenge(text)
		var bad *auth.ChallengeError
		if !errors.As(err, &bad) {
			t.Errorf("%s: got %+v, %v, want a *ChallengeError", name, c, err)
			continue
		}
		if len(err.Error()) > 4096 {
			t.Errorf("%s: the error has %d bytes", name, len(err.Error()))
		}
	}
}

func TestMatches(t *testing.T) {
	c := challenge(t)
	other := generate(t).Public()
	before, at := c.Expires.Add(-time.Second), c.Expires
	if err := c.Matches("LocalHost:8080", c.Circle, c.Signer, before); err != nil {
		t.Errorf("refused: %v", err)
	}
	mismatches := map[string]error{
		"audience": c.Matches("localhost:8081", c.Circle, c.Signer, before),
		"circle":   c.Matches("localhost:8080", other, c.Signer, before),
		"signer":   c.Matches("localhost:8080", c.Circle, other, before),
	}
	for field, err := range mismatches {
		var mismatch *auth.MismatchError
		if !errors.As(err, &mismatch) || mismatch.Field != field {
			t.Errorf("another %s: %v", field, err)
		}
	}
	if err := c.Matches("localhost:8080", c.Circle, c.Signer, at); !errors.Is(err, auth.ErrExpired) {
		t.Errorf("at its expiry: %v", err)
	}
	if err := (auth.Challenge{Expires: at}).Matches("", circle.Key{}, circle.Key{}, before); err == nil {
		t.Error("an empty challenge matches nothing in particular")
	}
}

func FuzzParseChallenge(f *testing.F) {
	const key = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
	f.Add("circles-auth-v1\naudience: localhost:8080\ncircle: " + key + "\nsigner: " + key +
		"\nnonce: " + strings.Repeat("0f", 32) + "\nexpires: 2026-01-01T00:00:00Z")
	f.Add("circles-auth-v1\naudience: \ncircle: \nsigner: \nnonce: \nexpires: ")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := auth.ParseChallenge(text)
		if err != nil {
			return
		}
		if c.Text() != text {
			t.Fatalf("parsed %q and wrote %q", text, c.Text())
		}
	})
}

func FuzzVerify(f *testing.F) {
	key, err := circle.Parse("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")
	if err != nil {
		f.Fatal(err)
	}
	f.Add("ecdsa", "text", strings.Repeat("01", 64))
	f.Add("eip191", "text", "0x"+strings.Repeat("01", 65))
	f.Fuzz(func(t *testing.T, scheme, text, signature string) {
		// Nobody signed anything with this key here.
		if err := auth.Verify(auth.Scheme(scheme), key, text, signature); err == nil {
			t.Fatalf("%s took %q", scheme, signature)
		}
	})
}

func ExampleChallenge() {
	secret, _ := circle.ParseSecret(strings.Repeat("0", 63) + "1")
	c, _ := auth.ParseChallenge(auth.Challenge{
		Audience: "localhost:8080",
		Circle:   secret.Public(),
		Signer:   secret.Public(),
		Nonce:    strings.Repeat("0f", 32),
		Expires:  time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
	}.Text())

	// The client dialled localhost:8080.
	now := c.Expires.Add(-time.Minute)
	fmt.Println(c.Matches("evil.example", secret.Public(), secret.Public(), now))
	fmt.Println(c.Matches("localhost:8080", secret.Public(), secret.Public(), now))

	signature, _ := auth.Sign(auth.ECDSA, secret, c.Text())
	fmt.Println(auth.Verify(auth.ECDSA, secret.Public(), c.Text(), signature))
	// Output:
	// challenge names the audience "localhost:8080", want "evil.example"; it is not signed
	// <nil>
	// <nil>
}
