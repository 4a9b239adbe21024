package gateway

import (
	"encoding/binary"
	"syscall"

	"github.com/fasthttp/websocket"
)

const (
	// headBytes is the most that a frame's head takes on the wire.
	headBytes = 10

	// directBytes is the size of the largest frame that is written at once, and of
	// the largest buffer that is kept for the next one.
	directBytes = 16 << 10
)

// frame is a text message that is made to be sent, and then used again. Its
// buffer has room for the head before the text.
type frame struct {
	buffer []byte

	// Of one attempt to write it.
	rest  []byte // what is left of it, its head included
	err   error
	write func(fd uintptr)
}

func newFrame() any {
	f := &frame{buffer: make([]byte, headBytes, 512)}
	f.write = f.writeTo
	return f
}

// newFrame returns an empty frame; give it back by freeFrame.
func (s *Server) newFrame() *frame {
	f := s.frames.Get().(*frame)
	f.buffer = f.buffer[:headBytes]
	return f
}

func (s *Server) freeFrame(f *frame) {
	if cap(f.buffer) <= directBytes {
		f.rest, f.err = nil, nil
		s.frames.Put(f)
	}
}

func (f *frame) text() []byte { return f.buffer[headBytes:] }

// try writes as much of the frame as the system takes at once. It never waits,
// also not for one who waits in a write of the same socket: that is why it does
// not go by the connection. It returns what is left.
func (f *frame) try(conn syscall.RawConn) ([]byte, error) {
	f.rest = f.wire()
	if err := conn.Control(f.write); err != nil {
		return nil, err
	}
	return f.rest, f.err
}

// wire is the frame as it is on the wire: one that is not fragmented, and, coming
// from a server, not masked.
func (f *frame) wire() []byte {
	const final = 1 << 7
	size := len(f.text())
	head := f.buffer[:headBytes]
	switch {
	case size < 126:
		head = head[headBytes-2:]
		head[1] = byte(size)
	case size < 1<<16:
		head = head[headBytes-4:]
		head[1] = 126
		binary.BigEndian.PutUint16(head[2:], uint16(size))
	default:
		head[1] = 127
		binary.BigEndian.PutUint64(head[2:], uint64(size))
	}
	head[0] = final | websocket.TextMessage
	return f.buffer[headBytes-len(head):]
}
