//go:build unix

package gateway

import (
	"net"
	"syscall"
)

// directTo is the socket of a connection, nil where frames can't be written to it
// directly: those of TLS are encrypted on their way.
func directTo(conn net.Conn) syscall.RawConn {
	if socket, ok := conn.(syscall.Conn); ok {
		if raw, err := socket.SyscallConn(); err == nil {
			return raw
		}
	}
	return nil
}

// writeTo is one attempt. Sockets are set not to block.
func (f *frame) writeTo(fd uintptr) {
	for {
		n, err := syscall.Write(int(fd), f.rest)
		switch err {
		case nil:
			f.rest = f.rest[n:]
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
		default:
			f.err = err
		}
		return
	}
}
