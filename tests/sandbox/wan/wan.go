// Package wan gives a command a network in which the API server is far away. Whole IP packets
// are held back on their way, so a connection's start, every acknowledgement and the slow growth
// of TCP's window cost what they cost over a real distance; a relay of byte streams would hide
// all of these.
//
// The command runs in a network namespace of its own, where only one device leads anywhere. What
// is sent into it comes out of a second device in the sandbox, where the API server itself ends
// the connection, and the other way round. Between the two, packets travel through a connection
// to the control API.
package wan

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
)

const (
	// The token of the Upgrade header, and the header that tells the command's address.
	protocol      = "kubia-wan"
	addressHeader = "Wan-Address"

	// maxPacket leaves room for whatever a device could carry.
	maxPacket = 1<<16 - 1
)

// A packet on the connection follows its length in two bytes.
const headerLength = 2

// packetWriter sends packets down a connection, each with a single write.
type packetWriter struct {
	out    io.Writer
	buffer []byte
}

func (w *packetWriter) Write(packet []byte) (int, error) {
	if len(packet) > maxPacket {
		return 0, fmt.Errorf("a packet of %d bytes", len(packet))
	}
	w.buffer = binary.BigEndian.AppendUint16(w.buffer[:0], uint16(len(packet)))
	w.buffer = append(w.buffer, packet...)
	if _, err := w.out.Write(w.buffer); err != nil {
		return 0, err
	}
	return len(packet), nil
}

// packetReader returns one packet per read, as a packet socket does.
type packetReader struct {
	in *bufio.Reader
}

func (r *packetReader) Read(packet []byte) (int, error) {
	var header [headerLength]byte
	if _, err := io.ReadFull(r.in, header[:]); err != nil {
		return 0, err
	}
	length := int(binary.BigEndian.Uint16(header[:]))
	if length > len(packet) {
		return 0, fmt.Errorf("a packet of %d bytes", length)
	}
	return io.ReadFull(r.in, packet[:length])
}

// copyPackets carries packets, one per read and write, until either fails.
func copyPackets(out io.Writer, in io.Reader) error {
	packet := make([]byte, maxPacket)
	for {
		n, err := in.Read(packet)
		if err != nil {
			return err
		}
		if _, err := out.Write(packet[:n]); err != nil {
			return err
		}
	}
}
