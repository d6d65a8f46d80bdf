package container

import (
	"bytes"
	"sync"
)

// logLimit is how much a Log remembers at least; twice as much at most.
const logLimit = 256 << 10

// Log keeps the last output of a container.
type Log struct {
	mu      sync.Mutex
	data    []byte
	dropped int64
	grown   chan struct{}
}

// NewLog returns an empty log.
func NewLog() *Log {
	return &Log{grown: make(chan struct{})}
}

// Write implements io.Writer; it never fails.
func (l *Log) Write(data []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.data = append(l.data, data...)
	if len(l.data) > 2*logLimit {
		excess := len(l.data) - logLimit
		l.data = bytes.Clone(l.data[excess:])
		l.dropped += int64(excess)
	}
	close(l.grown)
	l.grown = make(chan struct{})
	return len(data), nil
}

// Since returns what was written from an offset on (as far as it is still
// remembered), the offset of its end, and a channel that is closed when there
// is more.
func (l *Log) Since(offset int64) (data []byte, next int64, more <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	start := min(max(offset-l.dropped, 0), int64(len(l.data)))
	return bytes.Clone(l.data[start:]), l.dropped + int64(len(l.data)), l.grown
}
