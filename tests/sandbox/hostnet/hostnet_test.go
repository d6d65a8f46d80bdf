package hostnet

import (
	"bufio"
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
