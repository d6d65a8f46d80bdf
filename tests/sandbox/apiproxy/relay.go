// Package apiproxy publishes the API server on the host: as it is on one port, and on another
// through a proxy that holds or breaks chosen requests.
package apiproxy

import (
	"errors"
	"io"
	"net"
)

// relay passes TCP connections on untouched, so TLS is between client and API server.
func relay(listener net.Listener, target string) error {
	for {
		client, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer client.Close()
			server, err := net.Dial("tcp", target)
			if err != nil {
				reset(client)
				return
			}
			defer server.Close()
			join(client, server)
		}()
	}
}

// join copies both ways and passes each side's end of file on.
func join(a, b net.Conn) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		copyHalf(a, b)
	}()
	copyHalf(b, a)
	<-done
}

func copyHalf(to, from net.Conn) {
	_, err := io.Copy(to, from)
	if err != nil && !errors.Is(err, net.ErrClosed) {
		reset(to)
		return
	}
	if half, ok := to.(*net.TCPConn); ok {
		_ = half.CloseWrite()
	}
}

// reset ends a connection with RST, as a vanished server would.
func reset(connection net.Conn) {
	if tcp, ok := connection.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	connection.Close()
}
