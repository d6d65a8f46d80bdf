package hostnet

import (
	"errors"
	"net"
	"sync"
)

// Merge returns one listener that accepts what both accept; its address is that of the first.
func Merge(first, second net.Listener) net.Listener {
	m := &merged{
		listeners: [2]net.Listener{first, second},
		accepted:  make(chan acceptance),
		closed:    make(chan struct{}),
	}
	for _, listener := range m.listeners {
		go m.acceptFrom(listener)
	}
	return m
}

type acceptance struct {
	connection net.Conn
	err        error
}

type merged struct {
	listeners [2]net.Listener
	accepted  chan acceptance
	closed    chan struct{}
	once      sync.Once
}

func (m *merged) acceptFrom(listener net.Listener) {
	for {
		connection, err := listener.Accept()
		select {
		case m.accepted <- acceptance{connection, err}:
		case <-m.closed:
			if err == nil {
				connection.Close()
			}
			return
		}
	}
}

func (m *merged) Accept() (net.Conn, error) {
	select {
	case a := <-m.accepted:
		return a.connection, a.err
	case <-m.closed:
		return nil, net.ErrClosed
	}
}

func (m *merged) Close() error {
	m.once.Do(func() { close(m.closed) })
	return errors.Join(m.listeners[0].Close(), m.listeners[1].Close())
}

func (m *merged) Addr() net.Addr { return m.listeners[0].Addr() }
