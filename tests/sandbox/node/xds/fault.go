package xds

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Mode is what a relay does with what passes through it.
type Mode string

// Modes.
const (
	Pass Mode = "pass"
	// Cut closes the connections and refuses new ones.
	Cut Mode = "cut"
	// Delay holds each push back for a random time of its own; their order stays.
	Delay Mode = "delay"
)

// defaultMaxDelay is the longest delay where none is given.
const defaultMaxDelay = 3000

// Fault is the present behaviour of a relay, and the body of the control API.
type Fault struct {
	Mode  Mode   `json:"mode"`
	MinMs int64  `json:"minMs"`
	MaxMs *int64 `json:"maxMs,omitempty"`
}

func (f *Fault) validate() error {
	switch f.Mode {
	case Pass, Cut:
		f.MinMs, f.MaxMs = 0, nil
		return nil
	case Delay:
	default:
		return fmt.Errorf("mode %q is none of pass, cut, delay", f.Mode)
	}
	if f.MaxMs == nil {
		maximum := max(f.MinMs, defaultMaxDelay)
		f.MaxMs = &maximum
	}
	if f.MinMs < 0 || *f.MaxMs < f.MinMs {
		return fmt.Errorf("a delay from %d to %d ms is not possible", f.MinMs, *f.MaxMs)
	}
	return nil
}

// delay draws the time to hold one push back.
func (f *Fault) delay() time.Duration {
	if f.Mode != Delay {
		return 0
	}
	return time.Duration(f.MinMs+rand.Int64N(*f.MaxMs-f.MinMs+1)) * time.Millisecond
}
