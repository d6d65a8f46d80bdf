package wan

import (
	"io"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// Far more than is ever under way: a queue that were full would delay packets further.
const queueLength = 4096

type heldPacket struct {
	data []byte
	due  time.Time
}

// delayPackets carries packets like copyPackets, each of them that much later.
func delayPackets(out io.Writer, in io.Reader, hold time.Duration) error {
	queue := make(chan heldPacket, queueLength)
	failed := make(chan error, 1)
	done := make(chan struct{})
	defer close(done)
	go func() {
		defer close(queue)
		failed <- enqueue(queue, done, in, hold)
	}()
	// The runtime's own timers are up to a millisecond late; a thread's sleep is not.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for packet := range queue {
		sleepUntil(packet.due)
		if _, err := out.Write(packet.data); err != nil {
			return err
		}
	}
	return <-failed
}

func enqueue(queue chan<- heldPacket, done <-chan struct{}, in io.Reader, hold time.Duration) error {
	buffer := make([]byte, maxPacket)
	for {
		n, err := in.Read(buffer)
		if err != nil {
			return err
		}
		packet := heldPacket{data: append([]byte(nil), buffer[:n]...), due: time.Now().Add(hold)}
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
