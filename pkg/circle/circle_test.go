package circle_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"circles/pkg/circle"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
)

// The generator of the group, in both forms, and a second point (twice the generator).
const (
	g             = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
	gUncompressed = "0479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798" +
		"483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"
	g2 = "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5"
)

func TestParse(t *testing.T) {
	for _, text := range []string{g, strings.ToUpper(g), gUncompressed, strings.ToUpper(gUncompressed)} {
		key, err := circle.Parse(text)
		if err != nil {
			t.Errorf("Parse(%s): %v", text, err)
			continue
		}
		if key.String() != g {
			t.Errorf("Parse(%s) = %s, want %s", text, key, g)
		}
		if got := fmt.Sprintf("%x", key.PublicKey().SerializeCompressed()); got != g {
			t.Errorf("PublicKey of %s = %s, want %s", text, got, g)
		}
	}
}

func TestParseReasons(t *testing.T) {
	tests := []struct{ text, reason string }{
		{"", "is empty, want 66 hex digits"},
		{g + "0", "67 hex digits, want 66 (or 130 for an uncompressed key)"},
		{g[:65], "65 hex digits, want 66 (or 130 for an uncompressed key)"},
		{"0", "1 hex digits, want 66 (or 130 for an uncompressed key)"},
		{gUncompressed[:129], "129 hex digits, want 66 (or 130 for an uncompressed key)"},
		{"0x" + g, "starts with 0x; give the hex digits alone"},
		{g[:65] + "g", "'g' at position 66 is no hex digit"},
		{g[:64] + "é", "'é' at position 65 is no hex digit"},
		{"05" + g[2:], "starts with 05, want 02 or 03 for a compressed key"},
		{"06" + gUncompressed[2:], "starts with 06, want 04 for an uncompressed key"},
		{"02" + strings.Repeat("f", 64), "is not a point on the curve secp256k1"},
		{"02" + strings.Repeat("0", 63) + "5", "is not a point on the curve secp256k1"},
		{gUncompressed[:129] + "9", "is not a point on the curve secp256k1"},
	}
	for _, test := range tests {
		key, err := circle.Parse(test.text)
		var bad *circle.KeyError
		if !errors.As(err, &bad) {
			t.Errorf("Parse(%q) = %v, %v, want a *KeyError", test.text, key, err)
			continue
		}
		if bad.Reason != test.reason || bad.Text != test.text || bad.Position != 0 {
			t.Errorf("Parse(%q): %+v, want the reason %q", test.text, bad, test.reason)
		}
		if !key.IsZero() {
			t.Errorf("Parse(%q) gave %s beside its error", test.text, key)
		}
	}
}

func TestParseDoesNotEchoWhatMayBeAPrivateKey(t *testing.T) {
	secret, err := circle.GenerateSecret()
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{secret.Reveal(), strings.ToUpper(secret.Reveal())} {
		_, err := circle.ParseList([]string{text})
		var bad *circle.KeyError
		if !errors.As(err, &bad) || strings.Contains(err.Error(), text[8:]) {
			t.Errorf("got %v", err)
		}
		if want := "64 hex digits, want 66; if it is a private key, give the public one"; bad.Reason != want {
			t.Errorf("got the reason %q, want %q", bad.Reason, want)
		}
	}
}

func TestParseBoundsWhatItEchoes(t *testing.T) {
	for _, text := range []string{strings.Repeat("0", 1<<20), strings.Repeat("é", 1<<20), strings.Repeat("\xff", 1<<20)} {
		_, err := circle.Parse(text)
		if err == nil || len(err.Error()) > 1000 {
			t.Errorf("error of %d bytes for a key of a mebibyte", len(err.Error()))
		}
	}
}

func TestParseList(t *testing.T) {
	keys, err := circle.ParseList([]string{g, " " + strings.ToUpper(g2) + "\n"})
	if err != nil {
		t.Fatal(err)
	}
	if len(keys) != 2 || keys[0].String() != g || keys[1].String() != g2 {
		t.Fatalf("got %v", keys)
	}
	if keys, err := circle.ParseList(nil); err != nil || len(keys) != 0 {
		t.Fatalf("an empty list gave %v, %v", keys, err)
	}
}

func TestParseListReportsEveryBadKey(t *testing.T) {
	_, err := circle.ParseList([]string{g, g + "0", "", gUncompressed, g2})
	if err == nil {
		t.Fatal("no error")
	}
	var all interface{ Unwrap() []error }
	if !errors.As(err, &all) {
		t.Fatalf("%T does not list its errors", err)
	}
	want := []circle.KeyError{
		{Position: 2, Text: g + "0", Reason: "67 hex digits, want 66 (or 130 for an uncompressed key)"},
		{Position: 3, Text: "", Reason: "is empty, want 66 hex digits"},
		{Position: 4, Text: gUncompressed, Reason: "is the same key as key 1; give each key once"},
	}
	got := all.Unwrap()
	if len(got) != len(want) {
		t.Fatalf("%d errors, want %d: %v", len(got), len(want), err)
	}
	for i := range want {
		var bad *circle.KeyError
		if !errors.As(got[i], &bad) || *bad != want[i] {
			t.Errorf("error %d is %v, want %v", i, got[i], &want[i])
		}
	}
}

func TestKeyText(t *testing.T) {
	key, err := circle.Parse(gUncompressed)
	if err != nil {
		t.Fatal(err)
	}
	type message struct {
		Circle circle.Key `json:"circle,omitzero"`
	}
	encoded, err := json.Marshal(message{key})
	if err != nil || string(encoded) != `{"circle":"`+g+`"}` {
		t.Fatalf("got %s, %v", encoded, err)
	}
	var decoded message
	if err := json.Unmarshal(encoded, &decoded); err != nil || decoded.Circle != key {
		t.Fatalf("got %v, %v", decoded, err)
	}
	if encoded, err = json.Marshal(message{}); err != nil || string(encoded) != `{}` {
		t.Fatalf("got %s, %v", encoded, err)
	}
	for _, text := range []string{strings.ToUpper(g), gUncompressed, ""} {
		var key circle.Key
		var bad *circle.KeyError
		if err := key.UnmarshalText([]byte(text)); !errors.As(err, &bad) || !key.IsZero() {
			t.Errorf("UnmarshalText(%q) = %v, %v, want a *KeyError", text, key, err)
		}
	}
	if _, err := (circle.Key{}).MarshalText(); err == nil {
		t.Error("the zero key has a text")
	}
	if (circle.Key{}).PublicKey() != nil {
		t.Error("the zero key has a point")
	}
}

func TestSecret(t *testing.T) {
	one := strings.Repeat("0", 63) + "1"
	secret, err := circle.ParseSecret(one)
	if err != nil {
		t.Fatal(err)
	}
	if secret.Public().String() != g || secret.Reveal() != one {
		t.Fatalf("got %s, %s", secret.Public(), secret.Reveal())
	}
	made, err := circle.GenerateSecret()
	if err != nil {
		t.Fatal(err)
	}
	again, err := circle.ParseSecret(made.Reveal())
	if err != nil || again.Public() != made.Public() {
		t.Fatalf("a generated key did not survive: %v", err)
	}
	if zero := (circle.Secret{}); !zero.IsZero() || zero.Reveal() != "" || !zero.Public().IsZero() || zero.PrivateKey() != nil {
		t.Error("the zero secret is somebody's")
	}
}

func TestSecretRefuses(t *testing.T) {
	order := fmt.Sprintf("%064x", secp256k1.Params().N)
	for _, text := range []string{"", "01", strings.Repeat("0", 64), order, strings.Repeat("f", 64), strings.Repeat("zq", 32)} {
		_, err := circle.ParseSecret(text)
		if err == nil {
			t.Errorf("ParseSecret(%q) succeeded", text)
			continue
		}
		if text != "" && strings.Contains(err.Error(), text) && len(text) > 2 {
			t.Errorf("the error repeats the key: %v", err)
		}
	}
}

func TestSecretIsNeverShown(t *testing.T) {
	secret, err := circle.GenerateSecret()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%b", "%c", "%U", "%e", "%t", "%p"} {
		fmt.Fprintf(&out, verb+"\n", secret)
		fmt.Fprintf(&out, verb+"\n", &secret)
		fmt.Fprintf(&out, verb+"\n", struct{ hidden circle.Secret }{secret})
		fmt.Fprintf(&out, verb+"\n", struct{ Shown circle.Secret }{secret})
		fmt.Fprintf(&out, verb+"\n", []circle.Secret{secret})
	}
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "secret", secret, "in", map[string]any{"s": secret})
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "secret", secret, "in", struct{ S circle.Secret }{secret})
	if err := json.NewEncoder(&out).Encode(map[string]any{"s": secret, "t": []circle.Secret{secret}}); err != nil {
		t.Fatal(err)
	}
	raw := secret.PrivateKey().Serialize()
	words := []string{secret.Reveal(), string(raw), strings.Trim(fmt.Sprint(raw), "[]"), secret.PrivateKey().Key.String()}
	for _, word := range words {
		if strings.Contains(strings.ToLower(out.String()), strings.ToLower(word)) {
			t.Errorf("the key was shown in:\n%s", out.String())
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"", g, gUncompressed, strings.ToUpper(g2), "0x" + g, g + "0", "06" + gUncompressed[2:], "é\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		key, err := circle.Parse(text)
		if err != nil {
			if !key.IsZero() || len(err.Error()) > 1000 {
				t.Fatalf("got %s, %d bytes of error", key, len(err.Error()))
			}
			return
		}
		if len(key.String()) != circle.TextLen || key.PublicKey() == nil {
			t.Fatalf("%q gave the key %q", text, key)
		}
		var again circle.Key
		if err := again.UnmarshalText([]byte(key.String())); err != nil || again != key {
			t.Fatalf("the canonical text of %q gave %s, %v", text, again, err)
		}
	})
}

func ExampleParse() {
	key, err := circle.Parse(strings.ToUpper(gUncompressed))
	fmt.Println(key, err)
	_, err = circle.Parse(g + "0")
	fmt.Println(err)
	// Output:
	// 0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798 <nil>
	// circle key "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f817980": 67 hex digits, want 66 (or 130 for an uncompressed key)
}
