package hostnet

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"

	"kubia.test/sandbox/config"
)

// serve starts the helper in this process and returns its x.
func serve(t *testing.T, name string) int {
	t.Helper()
	dir := t.TempDir()
	t.Setenv(config.RunDirVariable, dir)
	reader, writer := io.Pipe()
	go func() { writer.CloseWithError(Serve(name, dir, writer)) }()
	line, err := bufio.NewReader(reader).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	x, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestAddressIsPublishedUntilItsListenerIsClosed(t *testing.T) {
	address := fmt.Sprintf("127.%d.0.2:32440", serve(t, t.Name()))
	for range 2 {
		listener, err := Listen(address)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Listen(address); err == nil {
			t.Error("an address was published twice")
		}
		connection, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		accepted, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		accepted.Close()
		connection.Close()
		listener.Close()
		if _, err := net.Dial("tcp", address); err == nil {
			t.Error("the address answers after its listener was closed")
		}
	}
}

func TestSandboxesOfOneNameGetDifferentAddresses(t *testing.T) {
	if first, second := serve(t, t.Name()), serve(t, t.Name()); first == second {
		t.Errorf("both got 127.%d.0.0/16", first)
	}
}

func TestAddressesOfOthersAreRefused(t *testing.T) {
	x := serve(t, t.Name())
	for _, address := range []string{"0.0.0.0:32440", fmt.Sprintf("127.%d.0.2:32440", x+1), fmt.Sprintf("127.%d1.0.2:32440", x)} {
		if _, err := Listen(address); err == nil {
			t.Errorf("%s was published", address)
		}
	}
}

func TestMergedListenersAcceptWhatEitherDoes(t *testing.T) {
	var listeners [2]net.Listener
	for i := range listeners {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		listeners[i] = listener
	}
	merged := Merge(listeners[0], listeners[1])
	if merged.Addr() != listeners[0].Addr() {
		t.Errorf("the address is %s", merged.Addr())
	}
	for _, listener := range []net.Listener{listeners[1], listeners[0], listeners[1]} {
		connection, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		accepted, err := merged.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if accepted.LocalAddr().String() != listener.Addr().String() {
			t.Errorf("%s was accepted at %s", listener.Addr(), accepted.LocalAddr())
		}
		accepted.Close()
		connection.Close()
	}
	if err := merged.Close(); err != nil {
		t.Error(err)
	}
	if _, err := merged.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after the end: %v", err)
	}
	for _, listener := range listeners {
		if _, err := net.Dial("tcp", listener.Addr().String()); err == nil {
			t.Errorf("%s answers after the end", listener.Addr())
		}
	}
}
