package nodeport

import (
	"fmt"
	"io"
	"net"
	"testing"
)

// pod answers every connection with its name.
func pod(t *testing.T, name string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			fmt.Fprint(connection, name)
			connection.Close()
		}
	}()
	return listener.Addr().String()
}

// ask returns what answers at an address; empty if nothing does.
func ask(address string) string {
	connection, err := net.Dial("tcp", address)
	if err != nil {
		return ""
	}
	defer connection.Close()
	answer, _ := io.ReadAll(connection)
	return string(answer)
}

// freeAddress returns an address that nothing listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func TestProxyPublishesExactlyTheTable(t *testing.T) {
	p := &Proxy{
		listen:    func(address string) (net.Listener, error) { return net.Listen("tcp", address) },
		frontends: make(map[string]*frontend),
	}
	address, a, b := freeAddress(t), pod(t, "a"), pod(t, "b")
	steps := []struct {
		pods []string
		want map[string]int
	}{
		{[]string{a, b}, map[string]int{"a": 2, "b": 2}},
		{[]string{b}, map[string]int{"b": 4}},
		{nil, map[string]int{"": 4}},
		{[]string{a}, map[string]int{"a": 4}},
	}
	for i, step := range steps {
		wanted := table{}
		if step.pods != nil {
			wanted[address] = step.pods
		}
		if err := p.publish(wanted); err != nil {
			t.Fatal(err)
		}
		got := map[string]int{}
		for range 4 {
			got[ask(address)]++
		}
		if fmt.Sprint(got) != fmt.Sprint(step.want) {
			t.Errorf("step %d: got %v, want %v", i, got, step.want)
		}
	}
}
