package protocol_test

import (
	"encoding/json"
	"testing"

	"circles/pkg/protocol"
)

// BenchmarkPlay is what a gateway does with JSON for a play: it takes the request apart and writes the answer.
func BenchmarkPlay(b *testing.B) {
	frame := []byte(`{"jsonrpc":"2.0","id":123,"method":"play","params":{"script":"40 + 2"}}`)
	params := protocol.ParamsOf[protocol.PlayParams]()
	b.ReportAllocs()
	for b.Loop() {
		request := protocol.DecodeFrame(frame, 64).Entries[0].Request
		if _, err := params.Decode(request.Params); err != nil {
			b.Fatal(err)
		}
		result := protocol.PlayResult{PlayID: "0196f0a0-0000-7000-8000-000000000000", Output: "42", Value: json.RawMessage("42"), ElapsedUS: 10}
		response := protocol.Response{ID: request.ID, Result: result.AppendJSON(make([]byte, 0, 128))}
		response.AppendJSON(make([]byte, 0, 256))
	}
}
