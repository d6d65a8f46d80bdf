package wan

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync"

	"kubia.test/sandbox/config"
)

// Server is the sandbox's end: each connection gets a device and a client address of its own.
type Server struct {
	mutex sync.Mutex
	used  map[netip.Addr]bool
}

// NewServer returns a server without connections.
func NewServer() *Server {
	return &Server{used: map[netip.Addr]bool{}}
}

// ServeHTTP turns the request's connection into one for packets.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") != protocol {
		http.Error(w, "this is for the command wan", http.StatusUpgradeRequired)
		return
	}
	client, err := s.reserve()
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	defer s.release(client)
	device, err := openDevice(client, netip.MustParseAddr(config.WANAddress), client)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer device.close()
	packets := device.file()
	defer packets.Close()
	connection, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer connection.Close()
	if err := serve(connection, buffered.Reader, packets, client); err != nil {
		fmt.Fprintf(os.Stderr, "wan: %s: %v\n", client, err)
	}
}

// serve carries packets until the client is gone.
func serve(connection net.Conn, in *bufio.Reader, packets io.ReadWriteCloser, client netip.Addr) error {
	_, err := fmt.Fprintf(connection, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n%s: %s\r\n\r\n",
		protocol, addressHeader, client)
	if err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	var outward sync.WaitGroup
	// Ends when the packets are closed.
	outward.Go(func() { _ = copyPackets(&packetWriter{out: connection}, packets) })
	err = copyPackets(packets, &packetReader{in: in})
	packets.Close()
	outward.Wait()
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// reserve takes the first free address after the API server's own.
func (s *Server) reserve() (netip.Addr, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	first := netip.MustParseAddr(config.WANAddress)
	network := netip.PrefixFrom(first, config.WANBits)
	for address := first.Next(); network.Contains(address.Next()); address = address.Next() {
		if !s.used[address] {
			s.used[address] = true
			return address, nil
		}
	}
	return netip.Addr{}, fmt.Errorf("no address of %s is free", network.Masked())
}

func (s *Server) release(address netip.Addr) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	delete(s.used, address)
}
