//go:build !unix

package gateway

import (
	"net"
	"syscall"
)

func directTo(net.Conn) syscall.RawConn { return nil }

func (f *frame) writeTo(uintptr) {}
