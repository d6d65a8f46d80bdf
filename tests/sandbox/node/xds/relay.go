// Package xds relays every gateway's xDS connection to istiod, and can cut or
// delay each one on its own.
package xds

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"
)

const (
	// chunkSize is more than istiod writes for one push of a small cluster.
	chunkSize = 256 << 10
	// queuedChunks bounds what a delayed connection holds.
	queuedChunks = 1024
)

// Relay is one gateway's way to istiod. It starts in mode Pass.
type Relay struct {
	listenOn netip.AddrPort
	upstream string

	mu          sync.Mutex
	fault       Fault
	listener    net.Listener
	connections map[net.Conn]struct{}
	closed      bool
}

// newRelay listens on a free port of an address.
func newRelay(address netip.Addr, upstream string) (*Relay, error) {
	relay := &Relay{
		listenOn:    netip.AddrPortFrom(address, 0),
		upstream:    upstream,
		fault:       Fault{Mode: Pass},
		connections: make(map[net.Conn]struct{}),
	}
	if err := relay.listen(); err != nil {
		return nil, err
	}
	relay.listenOn = relay.listener.Addr().(*net.TCPAddr).AddrPort()
	return relay, nil
}

// Address is where the gateway connects to.
func (r *Relay) Address() netip.AddrPort { return r.listenOn }

// Fault returns the present behaviour.
func (r *Relay) Fault() Fault {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.fault
}

// SetFault changes the behaviour, also of connections that are open.
func (r *Relay) SetFault(fault Fault) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return errors.New("the gateway has ended")
	}
	r.fault = fault
	if fault.Mode == Cut {
		r.hangUp()
		return nil
	}
	if r.listener == nil {
		return r.listen()
	}
	return nil
}

// Close ends the relay for good.
func (r *Relay) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	r.hangUp()
}

func (r *Relay) listen() error {
	listener, err := net.Listen("tcp", r.listenOn.String())
	if err != nil {
		return fmt.Errorf("listen for a gateway's xDS connection: %w", err)
	}
	r.listener = listener
	go r.accept(listener)
	return nil
}

// hangUp stops listening and closes every connection.
func (r *Relay) hangUp() {
	if r.listener != nil {
		r.listener.Close()
		r.listener = nil
	}
	for connection := range r.connections {
		connection.Close()
	}
}

func (r *Relay) accept(listener net.Listener) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		go r.serve(connection)
	}
}

func (r *Relay) serve(gateway net.Conn) {
	defer gateway.Close()
	if !r.track(gateway) {
		return
	}
	defer r.untrack(gateway)
	istiod, err := net.Dial("tcp", r.upstream)
	if err != nil {
		slog.Debug("a gateway cannot reach istiod", "error", err)
		return
	}
	defer istiod.Close()

	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer cancel()
		io.Copy(istiod, gateway)
	}()
	go func() {
		defer cancel()
		r.copyDelayed(ctx, gateway, istiod)
	}()
	<-ctx.Done()
}

// track remembers an open connection; false if it may not be open.
func (r *Relay) track(connection net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.listener == nil {
		return false
	}
	r.connections[connection] = struct{}{}
	return true
}

func (r *Relay) untrack(connection net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.connections, connection)
}

// chunk is data as it was read, and when it may go on.
type chunk struct {
	data []byte
	due  time.Time
}

// copyDelayed copies until ctx is done or either side ends. Chunks keep their
// order: one that would overtake waits for the one before it.
func (r *Relay) copyDelayed(ctx context.Context, to io.Writer, from io.Reader) {
	chunks := make(chan chunk, queuedChunks)
	go func() {
		defer close(chunks)
		buffer := make([]byte, chunkSize)
		for {
			n, err := from.Read(buffer)
			if n > 0 {
				fault := r.Fault()
				next := chunk{data: append([]byte(nil), buffer[:n]...), due: time.Now().Add(fault.delay())}
				select {
				case chunks <- next:
				case <-ctx.Done():
					return
				}
			}
			if err != nil {
				return
			}
		}
	}()
	for next := range chunks {
		if !waitUntil(ctx, next.due) {
			return
		}
		if _, err := to.Write(next.data); err != nil {
			return
		}
	}
}

// waitUntil waits; false if ctx ended first.
func waitUntil(ctx context.Context, due time.Time) bool {
	wait := time.Until(due)
	if wait <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
