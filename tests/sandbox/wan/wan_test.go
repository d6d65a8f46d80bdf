package wan

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestPacketsKeepTheirBoundsOnTheConnection(t *testing.T) {
	var connection bytes.Buffer
	writer := &packetWriter{out: &connection}
	sent := [][]byte{[]byte("first"), bytes.Repeat([]byte("x"), 1500), {}, []byte("last")}
	for _, packet := range sent {
		if _, err := writer.Write(packet); err != nil {
			t.Fatal(err)
		}
	}
	reader := &packetReader{in: bufio.NewReader(&connection)}
	buffer := make([]byte, maxPacket)
	for _, packet := range sent {
		n, err := reader.Read(buffer)
		if err != nil || !bytes.Equal(buffer[:n], packet) {
			t.Errorf("%d bytes, %v; want %d bytes", n, err, len(packet))
		}
	}
	if _, err := reader.Read(buffer); !errors.Is(err, io.EOF) {
		t.Errorf("after the last packet: %v", err)
	}
}

func uncounted(out io.Writer, in io.Reader, hold time.Duration) *line {
	return &line{out: out, in: in, oneWay: hold, sent: func() int { return 0 }, arrives: func([]byte, int) {}}
}

// moments notes when packets arrive, the first one not before all were sent.
type moments struct {
	all     <-chan struct{}
	packets []string
	times   []time.Time
}

func (m *moments) Write(packet []byte) (int, error) {
	select {
	case <-m.all:
	case <-time.After(10 * time.Second):
		return 0, errors.New("the others are not under way")
	}
	m.packets = append(m.packets, string(packet))
	m.times = append(m.times, time.Now())
	return len(packet), nil
}

// stream gives one packet per read, the later ones after a pause.
type stream struct {
	packets []string
	sent    []time.Time
	all     chan<- struct{}
}

func (s *stream) Read(buffer []byte) (int, error) {
	if len(s.sent) == len(s.packets) {
		return 0, io.EOF
	}
	if len(s.sent) > 0 {
		time.Sleep(5 * time.Millisecond)
	}
	s.sent = append(s.sent, time.Now())
	if len(s.sent) == len(s.packets) {
		close(s.all)
	}
	return copy(buffer, s.packets[len(s.sent)-1]), nil
}

func TestEveryPacketIsHeldForItsOwnTime(t *testing.T) {
	const hold = 30 * time.Millisecond
	all := make(chan struct{})
	in, out := &stream{packets: []string{"a", "b", "c", "d"}, all: all}, &moments{all: all}
	if err := uncounted(out, in, hold).carry(); !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	if len(out.packets) != len(in.packets) {
		t.Fatalf("arrived: %q", out.packets)
	}
	for i, packet := range in.packets {
		if out.packets[i] != packet {
			t.Errorf("arrived: %q", out.packets)
		}
		// Never early; how late depends on how busy the machine is.
		if took := out.times[i].Sub(in.sent[i]); took < hold {
			t.Errorf("packet %s took %s", packet, took)
		}
	}
}

func TestADeadEndStopsTheDelay(t *testing.T) {
	reader, writer := io.Pipe()
	defer writer.Close()
	go func() { _, _ = writer.Write([]byte("a")) }()
	closed := &packetWriter{out: brokenWriter{}}
	if err := uncounted(closed, reader, 0).carry(); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("%v", err)
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestAddressesAreGivenOnceAndAgain(t *testing.T) {
	s := NewServer()
	seen := map[string]bool{}
	for range 253 {
		address, err := s.reserve()
		if err != nil || seen[address.String()] {
			t.Fatalf("%s, %v", address, err)
		}
		seen[address.String()] = true
	}
	if address, err := s.reserve(); err == nil {
		t.Errorf("one too many: %s", address)
	}
	first, last := "10.254.0.2", "10.254.0.254"
	if !seen[first] || !seen[last] {
		t.Errorf("%s and %s are not among the addresses", first, last)
	}
}

func TestOrdinaryRequestsAreRefused(t *testing.T) {
	recorder := httptest.NewRecorder()
	NewServer().ServeHTTP(recorder, httptest.NewRequest(http.MethodPost, "/wan", nil))
	if recorder.Code != http.StatusUpgradeRequired {
		t.Errorf("%d %s", recorder.Code, recorder.Body)
	}
}
