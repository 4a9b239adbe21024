package load

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"

	"github.com/fasthttp/websocket"
)

// NATS asks by core NATS's request and reply, as its protocol has them on a WebSocket; what is asked and answered is
// that of JSONRPC. The id is the last part of the subject that the answer comes to.
type NATS struct {
	JSONRPC
	Subject string // that is asked
	Inbox   string // unique; answers come to subjects below it
}

// Kind is that of binary messages.
func (NATS) Kind() int { return websocket.BinaryMessage }

// Greeting is what a client sends first.
func (p NATS) Greeting() []byte {
	return []byte("CONNECT {\"verbose\":false,\"pedantic\":false,\"lang\":\"go\",\"version\":\"1\",\"protocol\":1,\"headers\":true,\"no_responders\":true}\r\n" +
		"SUB " + p.Inbox + ".* 1\r\nPING\r\n")
}

// Append appends the publication of a request.
func (p NATS) Append(dst []byte, id uint64, script string) []byte {
	var payload [512]byte
	body := p.JSONRPC.Append(payload[:0], id, script)
	dst = append(append(dst, "PUB "...), p.Subject...)
	dst = append(append(append(dst, ' '), p.Inbox...), '.')
	dst = append(strconv.AppendUint(dst, id, 10), ' ')
	dst = append(strconv.AppendInt(dst, int64(len(body)), 10), "\r\n"...)
	return append(append(dst, body...), "\r\n"...)
}

// Answers reads the messages in a frame. The server sends whole ones.
func (p NATS) Answers(frame []byte, answered func(uint64, Verdict)) error {
	for len(frame) > 0 {
		line, rest, ok := bytes.Cut(frame, []byte("\r\n"))
		switch {
		case !ok:
			return errors.New("got a part of a message, want whole ones")
		case !bytes.HasPrefix(line, []byte("MSG ")):
			if bytes.HasPrefix(line, []byte("-ERR")) {
				return fmt.Errorf("got %s", line)
			}
			frame = rest // PING, PONG, INFO
			continue
		}
		size, err := strconv.Atoi(string(line[bytes.LastIndexByte(line, ' ')+1:]))
		if err != nil || size+2 > len(rest) {
			return fmt.Errorf("got %s and %d bytes, want the whole message", line, len(rest))
		}
		if err := p.JSONRPC.Answers(rest[:size], answered); err != nil {
			return err
		}
		frame = rest[size+2:]
	}
	return nil
}
