package queue

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

var (
	fullPlay = Play{
		ID: "id", Script: "40 + 2", Args: json.RawMessage(`{"a":1}`), Caller: "02ab", Role: "owner",
		Deadline: time.UnixMicro(1_767_225_600_123_456), IdempotencyKey: "once", Stream: true, ReplyTo: "gateway",
	}
	fullOutcome = Outcome{
		PlayID: "id", Output: "42", Value: json.RawMessage("42"), Printed: []string{"a", ""}, Elapsed: 1500 * time.Microsecond,
		Error: &PlayError{Kind: KindScript, ScriptKind: "ErrorRuntime", Message: "no", Line: 3, Column: 7, Trace: []string{"f", "g"}, Limit: "operations"},
	}
)

func TestPlayRoundTrip(t *testing.T) {
	for name, want := range map[string]Play{"full": fullPlay, "zero": {}, "only an id": {ID: "x"}} {
		got, err := DecodePlay(string(EncodePlay(want)))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
}

func TestOutcomeRoundTrip(t *testing.T) {
	for name, want := range map[string]Outcome{"full": fullOutcome, "zero": {}, "success": {PlayID: "x", Output: "()", Value: json.RawMessage("null")}} {
		got, err := DecodeOutcome(string(EncodeOutcome(want)))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
}

func TestDecodeAcceptsOlderAndNewerMessages(t *testing.T) {
	text := string(EncodePlay(fullPlay))
	got, err := DecodePlay(text + "\x03new")
	if err != nil || !reflect.DeepEqual(got, fullPlay) {
		t.Errorf("with a field more: got %+v, %v", got, err)
	}
	older := strings.TrimSuffix(text, "\x07gateway")
	want := fullPlay
	want.ReplyTo = ""
	if got, err := DecodePlay(older); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("with a field less: got %+v, %v", got, err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":            "",
		"another message":    string(EncodeOutcome(fullOutcome)),
		"a newer version":    "P\x02",
		"a text too long":    "P\x01\x7fabc",
		"an endless number":  "P\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
		"half a number":      "P\x01\xff",
		"more than is taken": "P\x01" + strings.Repeat("x", MaxMessageBytes),
	} {
		if p, err := DecodePlay(text); !errors.Is(err, ErrMalformed) || !reflect.DeepEqual(p, Play{}) {
			t.Errorf("%s: got %+v, %v", name, p, err)
		}
	}
}

func FuzzDecodePlay(f *testing.F) {
	f.Add(string(EncodePlay(fullPlay)))
	f.Add("P\x01")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := DecodePlay(text)
		if err != nil {
			return
		}
		again, err := DecodePlay(string(EncodePlay(p)))
		if err != nil || !reflect.DeepEqual(p, again) {
			t.Errorf("got %+v, %v; want %+v", again, err, p)
		}
	})
}

func FuzzDecodeOutcome(f *testing.F) {
	f.Add(string(EncodeOutcome(fullOutcome)))
	f.Add("O\x01")
	f.Fuzz(func(t *testing.T, text string) {
		o, err := DecodeOutcome(text)
		if err != nil {
			return
		}
		again, err := DecodeOutcome(string(EncodeOutcome(o)))
		if err != nil || !reflect.DeepEqual(o, again) {
			t.Errorf("got %+v, %v; want %+v", again, err, o)
		}
	})
}
