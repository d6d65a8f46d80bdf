package wan

import (
	"encoding/binary"
	"testing"

	"golang.org/x/sys/unix"
)

// segment is a TCP segment in a packet as it travels.
func segment(payload int) []byte {
	packet := make([]byte, ipOffset+40+payload)
	ip := packet[ipOffset:]
	ip[0], ip[9], ip[32] = 4<<4|5, unix.IPPROTO_TCP, 5<<4
	binary.BigEndian.PutUint16(ip[2:], uint16(len(ip)))
	return packet
}

func TestSegmentsSayHowMuchTheyCarry(t *testing.T) {
	padded := append(segment(3), 0, 0, 0)
	for packet, wanted := range map[string]int{string(segment(0)): 0, string(segment(1200)): 1200, string(padded): 3} {
		if length, tcp := payloadLength([]byte(packet)); !tcp || length != wanted {
			t.Errorf("%d, %t; want %d", length, tcp, wanted)
		}
	}
	datagram := segment(0)
	datagram[ipOffset+9] = unix.IPPROTO_UDP
	short := segment(0)[:ipOffset+30]
	for _, packet := range [][]byte{datagram, short, nil} {
		if length, tcp := payloadLength(packet); tcp {
			t.Errorf("%d bytes in % x", length, packet)
		}
	}
}

// exchange sends a segment each way, one after the other.
func exchange(r *roundTrips, question, answer int) {
	r.asked(segment(question), r.ask())
	r.answered(segment(answer), r.answer())
}

func TestEachAnswerThatIsWaitedForIsARoundTrip(t *testing.T) {
	r := &roundTrips{}
	exchange(r, 0, 0)
	if r.count() != 0 {
		t.Errorf("%d without payload", r.count())
	}
	exchange(r, 200, 900)
	if r.count() != 2 || r.received() != 900 {
		t.Errorf("%d, %d bytes; want 2: a connection and a question, and 900", r.count(), r.received())
	}
	// An acknowledgement that nothing comes after takes nobody's time.
	exchange(r, 0, 0)
	if r.count() != 2 {
		t.Errorf("%d after the end; want 2", r.count())
	}
}

func TestWhatIsUnderWayTogetherIsOneRoundTrip(t *testing.T) {
	r := &roundTrips{}
	first, second := r.ask(), r.ask()
	r.asked(segment(100), first)
	one := r.answer()
	r.asked(segment(100), second)
	other := r.answer()
	r.answered(segment(1000), one)
	r.answered(segment(1000), other)
	if r.count() != 1 {
		t.Errorf("%d; want 1: both were asked before either was answered", r.count())
	}
}

func TestASecondFlightWaitsForTheFirstToBeAcknowledged(t *testing.T) {
	r := &roundTrips{}
	r.asked(segment(100), r.ask())
	flight := r.answer()
	for range 10 {
		r.answered(segment(1200), flight)
	}
	exchange(r, 0, 1200)
	if r.count() != 2 {
		t.Errorf("%d; want 2", r.count())
	}
}
