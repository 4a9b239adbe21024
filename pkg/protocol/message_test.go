package protocol_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"circles/pkg/circle"
	"circles/pkg/protocol"
)

const key = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"

// show writes a decoded entry in short: its id, and its method or its code.
func show(e protocol.Entry) string {
	id := "-"
	if e.Request.ID != nil {
		id = string(e.Request.ID)
	}
	if e.Error != nil {
		return fmt.Sprintf("%s %d", id, int(e.Error.Code))
	}
	if e.Request.Params != nil {
		return fmt.Sprintf("%s %s %s", id, e.Request.Method, e.Request.Params)
	}
	return fmt.Sprintf("%s %s", id, e.Request.Method)
}

func TestDecodeFrame(t *testing.T) {
	tests := []struct {
		name, frame string
		batch       bool
		want        []string
	}{
		{"by position", `{"jsonrpc":"2.0","method":"subtract","params":[42,23],"id":1}`, false, []string{`1 subtract [42,23]`}},
		{"by name", ` {"jsonrpc": "2.0", "method": "subtract", "params": {"a": 1}, "id": 3} `, false, []string{`3 subtract {"a": 1}`}},
		{"no params", `{"jsonrpc":"2.0","method":"foo","id":"1"}`, false, []string{`"1" foo`}},
		{"null params", `{"jsonrpc":"2.0","method":"foo","params":null,"id":"1"}`, false, []string{`"1" foo`}},
		{"notification", `{"jsonrpc":"2.0","method":"update","params":[1]}`, false, []string{`- update [1]`}},
		{"null id is no notification", `{"jsonrpc":"2.0","method":"foo","id":null}`, false, []string{`null foo`}},
		{"big id", `{"jsonrpc":"2.0","method":"foo","id":123456789012345678901234567890}`, false, []string{`123456789012345678901234567890 foo`}},
		{"fraction", `{"jsonrpc":"2.0","method":"foo","id":1.50e+2}`, false, []string{`1.50e+2 foo`}},
		{"escaped id", `{"jsonrpc":"2.0","method":"foo","id":"\u0041<é>"}`, false, []string{`"\u0041<é>" foo`}},
		{"empty id", `{"jsonrpc":"2.0","method":"foo","id":""}`, false, []string{`"" foo`}},
		{"unknown member", `{"jsonrpc":"2.0","method":"foo","id":1,"trace":true}`, false, []string{`1 foo`}},
		{"empty method", `{"jsonrpc":"2.0","method":"","id":1}`, false, []string{`1 `}},

		{"empty", ``, false, []string{`null -32700`}},
		{"no JSON", `{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]`, false, []string{`null -32700`}},
		{"two values", `{"jsonrpc":"2.0","method":"foo","id":1} {}`, false, []string{`null -32700`}},
		{"no UTF-8", "{\"jsonrpc\":\"2.0\",\"method\":\"foo\",\"id\":\"\xff\"}", false, []string{`null -32700`}},
		{"too deep", strings.Repeat("[", 20000) + strings.Repeat("]", 20000), false, []string{`null -32700`}},
		{"number", `1`, false, []string{`null -32600`}},
		{"null", `null`, false, []string{`null -32600`}},
		{"string", `"play"`, false, []string{`null -32600`}},
		{"nothing asked", `{}`, false, []string{`null -32600`}},
		{"method is no string", `{"jsonrpc":"2.0","method":1,"params":"bar"}`, false, []string{`null -32600`}},
		{"method is null", `{"jsonrpc":"2.0","method":null,"id":1}`, false, []string{`1 -32600`}},
		{"method missing", `{"jsonrpc":"2.0","id":7}`, false, []string{`7 -32600`}},
		{"params is a string", `{"jsonrpc":"2.0","method":"foo","params":"bar","id":"x"}`, false, []string{`"x" -32600`}},
		{"params is a number in a notification", `{"jsonrpc":"2.0","method":"foo","params":1}`, false, []string{`null -32600`}},
		{"version 1", `{"method":"foo","id":1}`, false, []string{`1 -32600`}},
		{"version is a number", `{"jsonrpc":2.0,"method":"foo","id":1}`, false, []string{`1 -32600`}},
		{"names in another case", `{"JSONRPC":"2.0","Method":"foo","ID":1}`, false, []string{`null -32600`}},
		{"id is an object", `{"jsonrpc":"2.0","method":"foo","id":{}}`, false, []string{`null -32600`}},
		{"id is an array", `{"jsonrpc":"2.0","method":"foo","id":[1]}`, false, []string{`null -32600`}},
		{"id is a boolean", `{"jsonrpc":"2.0","method":"foo","id":true}`, false, []string{`null -32600`}},

		{"batch", `[{"jsonrpc":"2.0","method":"a","id":1},{"jsonrpc":"2.0","method":"b"}]`, true, []string{`1 a`, `- b`}},
		{"batch of one", `[{"jsonrpc":"2.0","method":"a","id":1}]`, true, []string{`1 a`}},
		{"batch no JSON", `[{"jsonrpc":"2.0","method":"sum","params":[1],"id":"1"},{"jsonrpc":"2.0","method"]`, false, []string{`null -32700`}},
		{"empty batch", `[]`, false, []string{`null -32600`}},
		{"batch of one that is none", `[1]`, true, []string{`null -32600`}},
		{"batch of three that are none", `[1,2,3]`, true, []string{`null -32600`, `null -32600`, `null -32600`}},
		{"mixed batch", `[{"jsonrpc":"2.0","method":"a","id":"9"},{"foo":"boo"},[],{"jsonrpc":"2.0","method":"n"}]`, true,
			[]string{`"9" a`, `null -32600`, `null -32600`, `- n`}},
		{"batch at the limit", `[1,1,1,1]`, true, []string{`null -32600`, `null -32600`, `null -32600`, `null -32600`}},
		{"batch over the limit", `[1,1,1,1,1]`, false, []string{`null -32600`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			frame := protocol.DecodeFrame([]byte(test.frame), 4)
			var got []string
			for _, entry := range frame.Entries {
				got = append(got, show(entry))
			}
			if fmt.Sprint(got) != fmt.Sprint(test.want) || frame.Batch != test.batch {
				t.Errorf("got %q (batch %t), want %q (batch %t)", got, frame.Batch, test.want, test.batch)
			}
		})
	}
}

func TestDecodeFrameKeepsNothingOfItsInput(t *testing.T) {
	for _, text := range []string{
		`{"jsonrpc":"2.0","method":"play","params":{"a":1},"id":77}`,
		`[{"jsonrpc":"2.0","method":"play","params":{"a":1},"id":77}]`,
	} {
		data := []byte(text)
		frame := protocol.DecodeFrame(data, 4)
		for i := range data {
			data[i] = 'x'
		}
		if got := show(frame.Entries[0]); got != `77 play {"a":1}` {
			t.Errorf("after its input was overwritten the frame is %s", got)
		}
	}
}

func TestResponses(t *testing.T) {
	tests := []struct {
		response protocol.Response
		want     string
	}{
		{protocol.Result(protocol.ID(`1e2`), 7), `{"jsonrpc":"2.0","id":1e2,"result":7}`},
		{protocol.Result(protocol.ID(`"<"`), "<&>"), `{"jsonrpc":"2.0","id":"<","result":"<&>"}`},
		{protocol.Result(protocol.ID(`null`), nil), `{"jsonrpc":"2.0","id":null,"result":null}`},
		{protocol.Result(protocol.ID(`1`), func() {}), `{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"internal error"}}`},
		{protocol.Response{Error: protocol.Errorf(protocol.CodeBusy, "busy").WithData(protocol.RetryData{RetryAfterMS: 5})},
			`{"jsonrpc":"2.0","id":null,"error":{"code":-32020,"message":"busy","data":{"retry_after_ms":5}}}`},
		{protocol.Response{ID: protocol.ID(`1`)}, `{"jsonrpc":"2.0","id":1,"result":null}`},
	}
	var all []protocol.Response
	var texts []string
	for _, test := range tests {
		if got := string(test.response.AppendJSON(nil)); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
		all, texts = append(all, test.response), append(texts, test.want)
	}
	if got, want := string(protocol.AppendBatch(nil, all)), "["+strings.Join(texts, ",")+"]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestRequestsAndReplies(t *testing.T) {
	request := protocol.Request{ID: protocol.ID(`7`), Method: "play", Params: json.RawMessage(`{"script":"1<2"}`)}
	if got, want := string(request.AppendJSON(nil)), `{"jsonrpc":"2.0","id":7,"method":"play","params":{"script":"1<2"}}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	frame, err := protocol.Notify(protocol.NotifyClosing, protocol.ClosingParams{Reason: "drain"})
	if err != nil || string(frame) != `{"jsonrpc":"2.0","method":"closing","params":{"reason":"drain"}}` {
		t.Errorf("got %s, %v", frame, err)
	}
	replies, err := protocol.DecodeReplies(frame)
	if err != nil || len(replies) != 1 || replies[0].Method != "closing" || string(replies[0].Params) != `{"reason":"drain"}` {
		t.Errorf("got %+v, %v", replies, err)
	}
	replies, err = protocol.DecodeReplies([]byte(`[{"jsonrpc":"2.0","id":1,"result":null},{"jsonrpc":"2.0","id":"a","error":{"code":-32010,"message":"m","data":{"line":1}}}]`))
	if err != nil || len(replies) != 2 || string(replies[0].Result) != "null" || replies[1].Error.Code != protocol.CodeScript {
		t.Errorf("got %+v, %v", replies, err)
	}
	for _, bad := range []string{``, `1`, `{}`, `[1]`, `{"jsonrpc":"2.0","id":1}`, `{"jsonrpc":"1.0","id":1,"result":1}`, `{"jsonrpc":"2.0","method":"x","result":1}`} {
		if replies, err := protocol.DecodeReplies([]byte(bad)); err == nil {
			t.Errorf("%s gave %+v", bad, replies)
		}
	}
}

func TestDecodeParams(t *testing.T) {
	var play protocol.PlayParams
	for _, params := range []string{
		`{"script":"1","args":{"a":[1]},"timeout_ms":5,"idempotency_key":"k"}`,
		`["1",{"a":[1]},5,"k"]`,
	} {
		play = protocol.PlayParams{}
		if err := protocol.DecodeParams(json.RawMessage(params), &play); err != nil {
			t.Fatalf("%s: %v", params, err)
		}
		if play.Script != "1" || string(play.Args) != `{"a":[1]}` || play.TimeoutMS != 5 || play.IdempotencyKey != "k" {
			t.Errorf("%s gave %+v", params, play)
		}
	}
	play = protocol.PlayParams{}
	if err := protocol.DecodeParams(json.RawMessage(`{"script":"","args":null,"timeout_ms":null}`), &play); err != nil {
		t.Fatal(err)
	}
	if string(play.Args) != "null" || play.TimeoutMS != 0 {
		t.Errorf("got %+v", play)
	}
	if err := protocol.DecodeParams(nil, &protocol.WhoamiParams{}); err != nil {
		t.Error(err)
	}
	var nonce protocol.FetchNonceParams
	if err := protocol.DecodeParams(json.RawMessage(`["`+key+`"]`), &nonce); err != nil || nonce.PubKey.String() != key {
		t.Errorf("got %+v, %v", nonce, err)
	}
}

func TestDecodeParamsRefuses(t *testing.T) {
	tests := []struct {
		params string
		into   any
		want   string
	}{
		{``, &protocol.PlayParams{}, "script is missing"},
		{`{}`, &protocol.PlayParams{}, "script is missing"},
		{`{"script":null}`, &protocol.PlayParams{}, "script is missing"},
		{`{"Script":"1"}`, &protocol.PlayParams{}, "script is missing"},
		{`{"script":1}`, &protocol.PlayParams{}, "script: got 1, want a string"},
		{`{"script":["1"]}`, &protocol.PlayParams{}, "script: got an array, want a string"},
		{`{"script":"1","timeout_ms":"5"}`, &protocol.PlayParams{}, "timeout_ms: got a string, want an integer"},
		{`{"script":"1","timeout_ms":1.5}`, &protocol.PlayParams{}, "timeout_ms: got 1.5, want an integer"},
		{`{"script":"1","timeout_ms":1e400}`, &protocol.PlayParams{}, "timeout_ms: got 1e400, want an integer"},
		{`{"script":"1","timeout_ms":99999999999999999999}`, &protocol.PlayParams{}, "timeout_ms: got 99999999999999999999, want an integer"},
		{`{"script":"1","timeout":5,"zzz":1}`, &protocol.PlayParams{}, `unknown parameter "timeout", want script, args, timeout_ms, idempotency_key`},
		{`["1",1,1,"k",1]`, &protocol.PlayParams{}, "got 5 by position, want at most 4"},
		{`{"a":1}`, &protocol.WhoamiParams{}, `unknown parameter "a", want none`},
		{`{"pubkey":"02"}`, &protocol.FetchNonceParams{}, `pubkey: circle key "02": 2 hex digits, want 66 (or 130 for an uncompressed key)`},
		{`{"pubkey":7}`, &protocol.FetchNonceParams{}, `pubkey: got 7, want a string`},
		{`{"pubkey":"` + strings.ToUpper(key) + `"}`, &protocol.FetchNonceParams{},
			`pubkey: circle key "` + strings.ToUpper(key) + `": is not canonical, want ` + key},
	}
	for _, test := range tests {
		err := protocol.DecodeParams(json.RawMessage(test.params), test.into)
		if err == nil || err.Code != protocol.CodeInvalidParams || err.Message != "invalid params: "+test.want {
			t.Errorf("%s: got %v, want %q", test.params, err, test.want)
		}
	}
	long := protocol.DecodeParams(json.RawMessage(`{"`+strings.Repeat("é", 1<<20)+`":1}`), &protocol.WhoamiParams{})
	if long == nil || len(long.Message) > 200 {
		t.Errorf("the error for a long name has %d bytes", len(long.Message))
	}
}

func TestWhoamiShowsNullForNobody(t *testing.T) {
	k, err := circle.Parse(key)
	if err != nil {
		t.Fatal(err)
	}
	got := protocol.Result(protocol.ID("1"), protocol.WhoamiResult{Circle: k})
	if want := `{"circle":"` + key + `","authenticated":false,"pubkey":null,"role":null}`; string(got.Result) != want {
		t.Errorf("got %s, want %s", got.Result, want)
	}
}

func TestPlayResultAsJSON(t *testing.T) {
	for _, r := range []protocol.PlayResult{
		{},
		{PlayID: "p", Output: "42", Value: json.RawMessage("42"), ElapsedUS: 7},
		{PlayID: "p", Output: "a \"quoted\" \\ text\n<&> \u2028 é \x7f \xff", Value: json.RawMessage(`{"a":[1,"x"]}`), ElapsedUS: 1 << 40},
	} {
		var want bytes.Buffer
		encoder := json.NewEncoder(&want)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(r); err != nil {
			t.Fatal(err)
		}
		if got := string(r.AppendJSON(nil)); got != strings.TrimSpace(want.String()) {
			t.Errorf("got %s, want %s", got, want.String())
		}
	}
}

// FuzzParams compares what is decoded with what encoding/json makes of it.
func FuzzParams(f *testing.F) {
	for _, seed := range []string{
		`{"script":"40 + 2"}`, ` { "script" : "a\"b\\" , "args" : { "x" : [ "}" , 1 ] } , "timeout_ms" : 5 } `,
		`{"script":"a","script":"b"}`, `{"\u0073cript":"a"}`, `{"script":"\ud800"}`, `["a",null,3]`, `["a", {"b":[[]]} ]`, `[]`, `{}`,
		`{"script":"a","args":null}`, `{"script":"a","args":"\\"}`, `{"script":"a","":1}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !json.Valid([]byte(text)) || !utf8.ValidString(text) {
			t.Skip()
		}
		got, err := protocol.ParamsOf[protocol.PlayParams]().Decode(json.RawMessage(text))
		if err != nil {
			return
		}
		var want protocol.PlayParams
		var items []json.RawMessage
		if json.Unmarshal([]byte(text), &items) == nil {
			for i, into := range []any{&want.Script, &want.Args, &want.TimeoutMS, &want.IdempotencyKey}[:len(items)] {
				if err := json.Unmarshal(items[i], into); err != nil {
					t.Fatalf("%s: %v", text, err)
				}
			}
		} else if err := json.Unmarshal([]byte(text), &want); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if got.Script != want.Script || got.TimeoutMS != want.TimeoutMS || got.IdempotencyKey != want.IdempotencyKey ||
			string(bytes.TrimSpace(got.Args)) != string(bytes.TrimSpace(want.Args)) {
			t.Fatalf("%s: got %+v, want %+v", text, got, want)
		}
	})
}

func FuzzDecodeFrame(f *testing.F) {
	for _, seed := range []string{
		``, `[]`, `[1,{}]`, `{"jsonrpc":"2.0","method":"play","params":{"script":"1"},"id":1}`,
		`[{"jsonrpc":"2.0","method":"play","params":["1"],"id":"x"},{"jsonrpc":"2.0","method":"n"}]`,
		`{"jsonrpc":"2.0","method":1,"id":null}`, `{"jsonrpc":"2.0","method":"a","id":{}}`, "\xff", `{"id":1e5,"id":[]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		frame := protocol.DecodeFrame(data, 8)
		if len(frame.Entries) == 0 || len(frame.Entries) > 8 {
			t.Fatalf("%d entries", len(frame.Entries))
		}
		var responses []protocol.Response
		for _, entry := range frame.Entries {
			if entry.Error != nil && (entry.Request.ID == nil || entry.Request.Method != "" || len(entry.Error.Message) > 500) {
				t.Fatalf("an entry that is no request came out as %+v", entry)
			}
			if err := protocol.DecodeParams(entry.Request.Params, &protocol.PlayParams{}); err != nil && len(err.Message) > 500 {
				t.Fatalf("an error of %d bytes", len(err.Message))
			}
			responses = append(responses, protocol.Response{ID: entry.Request.ID, Error: entry.Error})
		}
		encoded := protocol.AppendBatch(nil, responses)
		if !utf8.Valid(encoded) {
			t.Fatalf("the answer is not UTF-8: %q", encoded)
		}
		replies, err := protocol.DecodeReplies(encoded)
		if err != nil || len(replies) != len(responses) {
			t.Fatalf("our own answer is not understood: %v\n%s", err, encoded)
		}
	})
}

func FuzzDecodeReplies(f *testing.F) {
	for _, seed := range []string{``, `[]`, `{"jsonrpc":"2.0","id":1,"result":1}`, `[{"jsonrpc":"2.0","method":"closing","params":{}}]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		replies, err := protocol.DecodeReplies(data)
		if err != nil {
			return
		}
		for _, reply := range replies {
			if (reply.Method == "") == (reply.Result == nil && reply.Error == nil) {
				t.Fatalf("a reply is neither: %+v", reply)
			}
		}
	})
}
