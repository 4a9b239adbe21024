package gateway

import (
	"errors"
	"time"

	"github.com/fasthttp/websocket"
)

// send has a frame written after those that came before it. It doesn't wait.
func (s *session) send(frame []byte) {
	s.out.put(frame)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wakeWriter()
}

// pingDue has a ping written.
func (s *session) pingDue() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ping = true
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
		ping, ending := s.ping, s.ending
		if !ending && alive && !ping && !s.more {
			s.writing = false
			s.mu.Unlock()
			return
		}
		s.ping, s.more = false, false
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
		case ping:
			if err := s.conn.WriteControl(websocket.PingMessage, nil, s.writeDeadline()); err != nil && !errors.Is(err, websocket.ErrCloseSent) {
				s.kill("a ping could not be written")
			}
			s.pings.Reset(s.server.cfg.PingInterval)
		}
	}
}

// flush writes what is queued. It reports false when the connection is lost.
func (s *session) flush(deadline func() time.Time) bool {
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
			// The library answered the client's close frame, or a breach of the
			// protocol, with one of its own.
			s.out.close()
		case err != nil:
			s.kill("a message could not be written")
			return false
		}
	}
	return true
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
