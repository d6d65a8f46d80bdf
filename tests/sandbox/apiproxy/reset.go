package apiproxy

import "net"

// reset ends a connection with RST, as a vanished server would.
func reset(connection net.Conn) {
	if tcp, ok := connection.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	connection.Close()
}
