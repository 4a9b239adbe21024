package gateway

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// rawSocket is a client that does nothing by itself: it reads nothing, answers
// no ping and no close frame. write sends a text frame.
func rawSocket(t testing.TB, r *rig) (conn *rawConn, write func(text string)) {
	t.Helper()
	tcp, err := net.Dial("tcp", r.server.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tcp.Close() })
	conn = &rawConn{Conn: tcp, buffered: bufio.NewReaderSize(tcp, 256)}
	fmt.Fprintf(tcp, "GET /%s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", r.circle(0), r.host)
	response, err := http.ReadResponse(conn.buffered, nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("got the status %d, want 101", response.StatusCode)
	}
	return conn, func(text string) {
		t.Helper()
		if _, err := tcp.Write(maskedText(text)); err != nil {
			t.Fatal(err)
		}
	}
}

type rawConn struct {
	net.Conn
	buffered *bufio.Reader
}

// maskedText is a text frame as a client sends it, under the mask of zeros.
func maskedText(text string) []byte {
	frame := []byte{0x81}
	switch n := len(text); {
	case n < 126:
		frame = append(frame, 0x80|byte(n))
	default:
		frame = append(frame, 0x80|126)
		frame = binary.BigEndian.AppendUint16(frame, uint16(n))
	}
	frame = append(frame, 0, 0, 0, 0)
	return append(frame, text...)
}

type rawFrame struct {
	opcode  byte
	payload []byte
}

// code is the close frame's.
func (f rawFrame) code() int {
	if len(f.payload) < 2 {
		return 0
	}
	return int(binary.BigEndian.Uint16(f.payload))
}

// readFrames reads frames until the connection ends.
func readFrames(t testing.TB, conn *rawConn) []rawFrame {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	var frames []rawFrame
	for {
		var head [2]byte
		if _, err := io.ReadFull(conn.buffered, head[:]); err != nil {
			return frames
		}
		length := uint64(head[1] & 0x7f)
		var long [8]byte
		switch length {
		case 126:
			_, _ = io.ReadFull(conn.buffered, long[6:])
			length = binary.BigEndian.Uint64(long[:])
		case 127:
			_, _ = io.ReadFull(conn.buffered, long[:])
			length = binary.BigEndian.Uint64(long[:])
		}
		payload := make([]byte, length)
		if _, err := io.ReadFull(conn.buffered, payload); err != nil {
			return frames
		}
		frames = append(frames, rawFrame{head[0] & 0x0f, payload})
	}
}
