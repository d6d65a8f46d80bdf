package xds

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

var gateway = types.NamespacedName{Namespace: "istio-system", Name: "gateway"}

// istiod echoes lines.
func istiod(t *testing.T) string {
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
			go func() {
				defer connection.Close()
				for lines := bufio.NewScanner(connection); lines.Scan(); {
					fmt.Fprintln(connection, lines.Text())
				}
			}()
		}
	}()
	return listener.Addr().String()
}

func relays(t *testing.T) (*Relays, *Relay) {
	t.Helper()
	all := NewRelays(netip.MustParseAddr("127.0.0.1"), istiod(t))
	relay, err := all.Open(gateway)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { all.Close(gateway, relay) })
	return all, relay
}

func put(t *testing.T, handler http.Handler, body string) *httptest.ResponseRecorder {
	t.Helper()
	response := httptest.NewRecorder()
	handler.ServeHTTP(response, httptest.NewRequest(http.MethodPut, "/xds/istio-system/gateway", strings.NewReader(body)))
	return response
}

func dial(t *testing.T, relay *Relay) (net.Conn, *bufio.Scanner) {
	t.Helper()
	connection, err := net.Dial("tcp", relay.Address().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	return connection, bufio.NewScanner(connection)
}

func TestCutClosesAndRefusesUntilItPassesAgain(t *testing.T) {
	all, relay := relays(t)
	connection, lines := dial(t, relay)
	fmt.Fprintln(connection, "one")
	if !lines.Scan() || lines.Text() != "one" {
		t.Fatalf("got %q, %v", lines.Text(), lines.Err())
	}

	put(t, all, `{"mode":"cut"}`)
	if lines.Scan() {
		t.Errorf("the connection still answers %q", lines.Text())
	}
	if connection, err := net.Dial("tcp", relay.Address().String()); err == nil {
		connection.Close()
		t.Error("a new connection is accepted")
	}

	put(t, all, `{"mode":"pass"}`)
	connection, lines = dial(t, relay)
	fmt.Fprintln(connection, "two")
	if !lines.Scan() || lines.Text() != "two" {
		t.Errorf("got %q, %v", lines.Text(), lines.Err())
	}
}

func TestDelayHoldsPushesBackAndKeepsTheirOrder(t *testing.T) {
	all, relay := relays(t)
	connection, lines := dial(t, relay)
	put(t, all, `{"mode":"delay","minMs":20,"maxMs":60}`)
	start := time.Now()
	for i := range 5 {
		fmt.Fprintln(connection, i)
	}
	for i := range 5 {
		if !lines.Scan() || lines.Text() != fmt.Sprint(i) {
			t.Fatalf("line %d is %q, %v", i, lines.Text(), lines.Err())
		}
	}
	if took := time.Since(start); took < 20*time.Millisecond {
		t.Errorf("nothing was held back: %s", took)
	}
}

func TestControlRefusesWhatItDoesNotKnow(t *testing.T) {
	all, _ := relays(t)
	for _, body := range []string{`{"mode":"slow"}`, `{"mode":"delay","minMs":5,"maxMs":1}`, `{"mod":"cut"}`, `{`} {
		if response := put(t, all, body); response.Code != http.StatusBadRequest {
			t.Errorf("%s: %d %s", body, response.Code, response.Body)
		}
	}
	response := httptest.NewRecorder()
	all.ServeHTTP(response, httptest.NewRequest(http.MethodGet, "/xds/istio-system/gone", nil))
	if response.Code != http.StatusNotFound {
		t.Errorf("a pod that is not there: %d %s", response.Code, response.Body)
	}
}
