package podnet

import (
	"bufio"
	"context"
	"net/netip"
	"testing"

	"kubia.test/sandbox/node/podnet/podnettest"
)

func TestMain(m *testing.M) { podnettest.Main(m) }

func open(t *testing.T) *Network {
	t.Helper()
	network, err := Open(netip.MustParsePrefix("10.244.0.1/16"))
	if err != nil {
		t.Fatal(err)
	}
	return network
}

func attach(t *testing.T, network *Network, uid string) *Attachment {
	t.Helper()
	address, err := network.Allocate()
	if err != nil {
		t.Fatal(err)
	}
	attachment, err := network.Attach(uid, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := attachment.Detach(); err != nil {
			t.Error(err)
		}
	})
	return attachment
}

// serve answers every connection inside the pod with a line.
func serve(t *testing.T, attachment *Attachment, address, line string) {
	t.Helper()
	listener, err := attachment.Namespace.Listen(context.Background(), "tcp", address)
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
			connection.Write([]byte(line + "\n"))
			connection.Close()
		}
	}()
}

func read(t *testing.T, from *Attachment, address string) string {
	t.Helper()
	connection, err := from.Namespace.DialContext(context.Background(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	line, _, err := bufio.NewReader(connection).ReadLine()
	if err != nil {
		t.Fatal(err)
	}
	return string(line)
}

func TestEveryPodHasItsOwnLoopbackAndReachesTheOthers(t *testing.T) {
	network := open(t)
	first, second := attach(t, network, "first"), attach(t, network, "second")
	for _, attachment := range []*Attachment{first, second} {
		serve(t, attachment, "127.0.0.1:15000", "admin of "+attachment.Address.String())
		serve(t, attachment, ":80", "hello from "+attachment.Address.String())
	}

	if got, want := read(t, first, "127.0.0.1:15000"), "admin of "+first.Address.String(); got != want {
		t.Errorf("the first pod's loopback answers %q, want %q", got, want)
	}
	if got, want := read(t, first, second.Address.String()+":80"), "hello from "+second.Address.String(); got != want {
		t.Errorf("the second pod answers the first %q, want %q", got, want)
	}
}

func TestAnAgentThatComesBackFindsBridgeAndLinks(t *testing.T) {
	address := attach(t, open(t), "same").Address
	again := open(t)
	if !again.Reserve(address) {
		t.Fatalf("%s is not to be had", address)
	}
	attachment, err := again.Attach("same", address)
	if err != nil {
		t.Fatal(err)
	}
	serve(t, attachment, ":80", "back")
	if got := read(t, attach(t, again, "other"), address.String()+":80"); got != "back" {
		t.Errorf("got %q", got)
	}
}

func TestPoolGoesRoundBeforeItGivesAnAddressAgain(t *testing.T) {
	addresses := newPool(netip.MustParsePrefix("10.0.0.1/29"))
	var given []string
	for range 5 {
		address, err := addresses.next()
		if err != nil {
			t.Fatal(err)
		}
		given = append(given, address.String())
		if len(given) == 1 {
			addresses.release(address)
		}
	}
	if given[0] != "10.0.0.2" || given[4] != "10.0.0.6" {
		t.Errorf("given %v", given)
	}
	again, err := addresses.next()
	if err != nil || again.String() != given[0] {
		t.Errorf("got %v, %v, want the freed %s", again, err, given[0])
	}
	if again, err = addresses.next(); err == nil {
		t.Errorf("got %s from an exhausted pool", again)
	}
}
