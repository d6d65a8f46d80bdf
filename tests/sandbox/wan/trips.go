package wan

import (
	"encoding/binary"
	"sync"

	"golang.org/x/sys/unix"
)

// roundTrips counts how often the client had to wait for the server, from what could have caused
// what and not from any clock: a packet of the client is one round trip later than the latest
// answer that it had by then, and an answer is as late as the latest packet the server had by then.
// The count is that of the last payload that reached the client.
//
// It is never too small. It is too large when the server lets a whole round trip pass before it
// answers, since what arrives meanwhile may have been the cause: the longer the line, the rarer.
type roundTrips struct {
	mutex          sync.Mutex
	client, server int
	payload        int
	bytes          int
}

// ask returns the depth of a packet that the client sends now.
func (r *roundTrips) ask() int {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.client + 1
}

// asked notes that a packet of the client arrives.
func (r *roundTrips) asked(packet []byte, depth int) {
	if _, tcp := payloadLength(packet); !tcp {
		return
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.server = max(r.server, depth)
}

// answer returns the depth of a packet that the server sends now.
func (r *roundTrips) answer() int {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.server
}

// answered notes that a packet of the server arrives.
func (r *roundTrips) answered(packet []byte, depth int) {
	length, tcp := payloadLength(packet)
	if !tcp {
		return
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.client = max(r.client, depth)
	if length > 0 {
		r.payload = max(r.payload, depth)
		r.bytes += length
	}
}

func (r *roundTrips) count() int {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.payload
}

// received returns how many bytes of payload reached the client.
func (r *roundTrips) received() int {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.bytes
}

// payloadLength returns how many bytes a TCP segment carries; false if the packet is none.
func payloadLength(packet []byte) (int, bool) {
	const ipHeader, tcpHeader = 20, 20
	if len(packet) < ipOffset+ipHeader {
		return 0, false
	}
	ip := packet[ipOffset:]
	begin, end := int(ip[0]&0x0f)*4, int(binary.BigEndian.Uint16(ip[2:]))
	if ip[0]>>4 != 4 || ip[9] != unix.IPPROTO_TCP || begin < ipHeader || begin+tcpHeader > end || end > len(ip) {
		return 0, false
	}
	begin += int(ip[begin+12]>>4) * 4
	return max(end-begin, 0), true
}
