package wan

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"time"
)

// tunnel is the client's end of the connection that carries packets.
type tunnel struct {
	connection net.Conn
	in         *bufio.Reader
	// address is the command's own.
	address netip.Addr
}

// open asks the control API for a tunnel.
func open(control string) (*tunnel, error) {
	request, err := http.NewRequest(http.MethodPost, control+"/wan", nil)
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	request.Header.Set("Connection", "Upgrade")
	request.Header.Set("Upgrade", protocol)
	connection, err := net.Dial("tcp", request.URL.Host)
	if err != nil {
		return nil, fmt.Errorf("ask the sandbox: %w", err)
	}
	t := &tunnel{connection: connection, in: bufio.NewReader(connection)}
	if err := t.upgrade(request); err != nil {
		connection.Close()
		return nil, err
	}
	return t, nil
}

func (t *tunnel) upgrade(request *http.Request) error {
	if err := request.Write(t.connection); err != nil {
		return fmt.Errorf("ask the sandbox: %w", err)
	}
	response, err := http.ReadResponse(t.in, request)
	if err != nil {
		return fmt.Errorf("ask the sandbox: %w", err)
	}
	if response.StatusCode != http.StatusSwitchingProtocols {
		defer response.Body.Close()
		text, _ := io.ReadAll(io.LimitReader(response.Body, 1000))
		return fmt.Errorf("the sandbox refused: %s: %s", response.Status, strings.TrimSpace(string(text)))
	}
	if t.address, err = netip.ParseAddr(response.Header.Get(addressHeader)); err != nil {
		return fmt.Errorf("the sandbox's answer: %w", err)
	}
	return nil
}

// carry holds packets back in both directions until the device or the sandbox is gone.
func (t *tunnel) carry(device *os.File, oneWay time.Duration, trips *roundTrips) error {
	failed := make(chan error, 2)
	inward := &line{out: device, in: &packetReader{in: t.in}, oneWay: oneWay, sent: trips.answer, arrives: trips.answered}
	outward := &line{out: &packetWriter{out: t.connection}, in: device, oneWay: oneWay, sent: trips.ask, arrives: trips.asked}
	go func() { failed <- inward.carry() }()
	go func() { failed <- outward.carry() }()
	return <-failed
}
