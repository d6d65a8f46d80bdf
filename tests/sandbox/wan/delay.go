package wan

import (
	"io"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// Far more than is ever under way: a queue that were full would delay packets further.
const queueLength = 4096

// line carries packets in one direction, each of them that much later.
type line struct {
	out    io.Writer
	in     io.Reader
	oneWay time.Duration
	// sent is told of each packet when it begins its way, and its depth given back to arrives at the end.
	sent    func() int
	arrives func(packet []byte, depth int)
}

type heldPacket struct {
	data  []byte
	due   time.Time
	depth int
}

// carry returns when either end fails.
func (l *line) carry() error {
	queue := make(chan heldPacket, queueLength)
	failed := make(chan error, 1)
	done := make(chan struct{})
	defer close(done)
	go func() {
		defer close(queue)
		failed <- l.enqueue(queue, done)
	}()
	// The runtime's own timers are up to a millisecond late; a thread's sleep is not.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for packet := range queue {
		sleepUntil(packet.due)
		l.arrives(packet.data, packet.depth)
		if _, err := l.out.Write(packet.data); err != nil {
			return err
		}
	}
	return <-failed
}

func (l *line) enqueue(queue chan<- heldPacket, done <-chan struct{}) error {
	buffer := make([]byte, maxPacket)
	for {
		n, err := l.in.Read(buffer)
		if err != nil {
			return err
		}
		packet := heldPacket{data: append([]byte(nil), buffer[:n]...), due: time.Now().Add(l.oneWay), depth: l.sent()}
		select {
		case queue <- packet:
		case <-done:
			return nil
		}
	}
}

func sleepUntil(due time.Time) {
	for {
		left := time.Until(due)
		if left <= 0 {
			return
		}
		// A signal may end the sleep early.
		pause := unix.NsecToTimespec(left.Nanoseconds())
		_ = unix.Nanosleep(&pause, nil)
	}
}
