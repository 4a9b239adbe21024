package gateway

import (
	"bytes"
	"errors"
	"time"

	"github.com/fasthttp/websocket"
)

// send has a frame written after those that came before it. It doesn't wait:
// where nobody else writes, what the system takes is written at once, which
// wakes no goroutine, and what is left is the writer's. The frame is the
// caller's again.
func (s *session) send(f *frame) {
	if !s.beginDirect(f) {
		s.out.put(bytes.Clone(f.text()))
		s.mu.Lock()
		defer s.mu.Unlock()
		s.wakeWriter()
		return
	}
	rest, err := f.try(s.raw)
	s.endDirect(rest, err != nil)
	if err != nil {
		s.kill("a message could not be written")
	}
}

// beginDirect makes the caller the writer for one frame, if it may.
func (s *session) beginDirect(f *frame) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.raw == nil || s.writing || s.written || s.ending || len(f.buffer) > directBytes {
		return false
	}
	s.writing = true
	s.writer.Add(1)
	return true
}

// endDirect hands the writing on to a writer, if there is something left to do.
func (s *session) endDirect(rest []byte, lost bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.writer.Done()
	if !lost && len(rest) > 0 {
		s.rest = bytes.Clone(rest)
	}
	if s.rest != nil || s.due() {
		s.writer.Go(s.write)
	} else {
		s.writing = false
	}
}

// due reports whether there is something for the writer to do besides frames that
// are being put. The caller holds mu.
func (s *session) due() bool { return s.more || s.ping || s.pong != nil || s.ending }

// pingDue has a ping written.
func (s *session) pingDue() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ping = true
	s.wakeWriter()
}

// pongDue has a ping of the client answered.
func (s *session) pongDue(data string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pong = []byte(data)
	s.wakeWriter()
}

// wakeWriter makes sure that somebody looks for what is to be written. The caller
// holds mu.
func (s *session) wakeWriter() {
	switch {
	case s.written:
	case s.writing:
		s.more = true
	default:
		s.writing = true
		s.writer.Go(s.write)
	}
}

// write is the writer: it writes what there is, and after everything else the
// close frame, within one write timeout. An idle connection has none.
func (s *session) write() {
	for {
		alive := s.flush(s.writeDeadline)
		s.mu.Lock()
		ping, pong, ending := s.ping, s.pong, s.ending
		if alive && !s.due() {
			s.writing = false
			s.mu.Unlock()
			return
		}
		s.ping, s.pong, s.more = false, nil, false
		s.mu.Unlock()
		switch {
		case !alive || ending:
			last := s.writeDeadline()
			if alive && s.flush(func() time.Time { return last }) {
				s.writeClose(last)
			}
			s.mu.Lock()
			s.written = true
			s.mu.Unlock()
			return
		case pong != nil:
			s.control(websocket.PongMessage, pong)
		}
		if ping && !ending {
			s.control(websocket.PingMessage, nil)
			s.pings.Reset(s.server.cfg.PingInterval)
		}
	}
}

// control writes a ping, or the answer to one.
func (s *session) control(kind int, data []byte) {
	if err := s.conn.WriteControl(kind, data, s.writeDeadline()); err != nil && !errors.Is(err, websocket.ErrCloseSent) {
		s.kill("a ping could not be written")
	}
}

// flush writes what is queued. It reports false when the connection is lost.
func (s *session) flush(deadline func() time.Time) bool {
	if rest := s.takeRest(); rest != nil {
		conn := s.conn.NetConn()
		err := conn.SetWriteDeadline(deadline())
		if err == nil {
			_, err = conn.Write(rest)
		}
		if err != nil {
			s.kill("a message could not be written")
			return false
		}
	}
	for frame := s.out.take(); frame != nil; frame = s.out.take() {
		var err error
		if until := deadline(); !until.Equal(s.writeUntil) {
			s.writeUntil = until
			err = s.conn.SetWriteDeadline(until)
		}
		if err == nil {
			err = s.conn.WriteMessage(websocket.TextMessage, frame)
		}
		switch {
		case errors.Is(err, websocket.ErrCloseSent):
			// The library answered a breach of the protocol with a close frame.
			s.out.close()
		case err != nil:
			s.kill("a message could not be written")
			return false
		}
	}
	return true
}

// takeRest returns what is left of a frame that was begun.
func (s *session) takeRest() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	rest := s.rest
	s.rest = nil
	return rest
}

// writeClose writes the close frame and gives the client a while to answer it.
func (s *session) writeClose(deadline time.Time) {
	s.mu.Lock()
	frame, killed := websocket.FormatCloseMessage(s.code, s.reason), s.killed
	s.mu.Unlock()
	if killed {
		return
	}
	// It fails when a close frame was written before.
	_ = s.conn.WriteControl(websocket.CloseMessage, frame, deadline)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.killed {
		_ = s.conn.SetReadDeadline(time.Now().Add(closeWait))
	}
}

// writeDeadline is when what is written now has to be, at the earliest. It is
// seldom another than the last time.
func (s *session) writeDeadline() time.Time {
	now, timeout := time.Now(), s.server.cfg.WriteTimeout
	if s.writeUntil.Sub(now) >= timeout {
		return s.writeUntil
	}
	return now.Add(timeout + timeout/slack)
}
