package gateway

import (
	"testing"
	"unicode/utf8"

	"circles/pkg/protocol"
)

// FuzzFrames sends frames through a whole gateway, to plays and back: whatever
// they hold, the connection lives, and as many frames come back as are due.
func FuzzFrames(f *testing.F) {
	for _, seed := range []string{
		`{"jsonrpc":"2.0","method":"whoami","id":1}`,
		`{"jsonrpc":"2.0","method":"play","params":{"script":"echo hello","args":[1],"timeout_ms":1000},"id":"a"}`,
		`{"jsonrpc":"2.0","method":"play","params":["fail script"]}`,
		`{"jsonrpc":"2.0","method":"fetch_nonce","params":["0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"],"id":null}`,
		`{"jsonrpc":"2.0","method":"authenticate","params":["0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798","00","eip191"],"id":1.5}`,
		`[{"jsonrpc":"2.0","method":"play","params":["big 10"],"id":1},1,{"jsonrpc":"2.0","method":"rpc.discover","id":2},{"jsonrpc":"2.0","method":"whoami"}]`,
		`[]`, `{}`, `[[]]`, `null`, `"`, ``, `{"jsonrpc":"2.0","method":"play","params":{"script":"caller","timeout_ms":-1},"id":[]}`,
	} {
		f.Add(seed)
	}
	r := startGateway(f, withoutAuth)
	r.open()
	s := r.dial(0)
	f.Fuzz(func(t *testing.T, frame string) {
		if !utf8.ValidString(frame) || int64(len(frame)) > r.server.cfg.MaxMessageBytes {
			t.Skip("ends the connection")
		}
		s.t = t
		due := 1 // of the marker
		for _, entry := range protocol.DecodeFrame([]byte(frame), r.server.cfg.MaxBatch).Entries {
			if !entry.Request.IsNotification() {
				due = 2
			}
		}
		s.write(frame)
		const marker = `{"jsonrpc":"2.0","id":"marker","error":{"code":-32601,"message":"method not found"}}`
		s.write(`{"jsonrpc":"2.0","method":"marker","id":"marker"}`)
		marked := false
		for range due {
			got := s.read()
			if _, err := protocol.DecodeReplies([]byte(got)); err != nil {
				t.Fatalf("%s was answered %s: %v", frame, got, err)
			}
			marked = marked || got == marker
		}
		if !marked {
			t.Fatalf("%s: no answer to what came after it", frame)
		}
	})
}
