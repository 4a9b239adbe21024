package load

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/fasthttp/websocket"

	"circles/pkg/protocol"
)

// JSONRPC is the protocol of the gateway, and of the servers that it is compared with where they speak it.
type JSONRPC struct {
	// Want is in every result: what is answered wrong is no answer.
	Want string
}

// Kind is that of text.
func (JSONRPC) Kind() int { return websocket.TextMessage }

// Append appends a request to play a script.
func (JSONRPC) Append(dst []byte, id uint64, script string) []byte {
	dst = append(dst, `{"jsonrpc":"2.0","id":`...)
	dst = strconv.AppendUint(dst, id, 10)
	dst = append(dst, `,"method":"play","params":{"script":`...)
	dst = strconv.AppendQuote(dst, script)
	return append(dst, `}}`...)
}

// idMark is what stands before the id in an answer.
const idMark = `"id":`

// Answers reads one answer.
func (p JSONRPC) Answers(frame []byte, answered func(uint64, Verdict)) error {
	id, ok := ID(frame)
	switch {
	case !ok:
		return fmt.Errorf("got %.200s, want an answer with a number as id", frame)
	case bytes.Contains(frame, []byte(p.Want)):
		answered(id, Done)
	case bytes.Contains(frame, busy()):
		answered(id, Refused)
	default:
		return fmt.Errorf("got %.300s, want an answer with %s", frame, p.Want)
	}
	return nil
}

func busy() []byte { return strconv.AppendInt([]byte(`"code":`), int64(protocol.CodeBusy), 10) }

// ID is the number that a frame has as its id.
func ID(frame []byte) (uint64, bool) {
	at := bytes.Index(frame, []byte(idMark))
	if at < 0 {
		return 0, false
	}
	var id uint64
	digits := 0
	for _, b := range frame[at+len(idMark):] {
		if b < '0' || b > '9' {
			break
		}
		id = id*10 + uint64(b-'0')
		digits++
	}
	return id, digits > 0
}
