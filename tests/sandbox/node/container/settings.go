package container

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Annotations of a pod that make its containers misbehave.
const (
	ErrorRateAnnotation  = "sandbox/error-rate"
	LatencyAnnotation    = "sandbox/latency-ms"
	ReadyAfterAnnotation = "sandbox/ready-after-seconds"
	CrashAfterAnnotation = "sandbox/crash-after-seconds"
)

// NeverReady is the value of ReadyAfterAnnotation for a container that never
// becomes ready.
const NeverReady = "never"

// Settings are the faults a pod's annotations ask for; none is the zero value.
type Settings struct {
	// ErrorRate is the share of requests answered with 503, 0 to 1.
	ErrorRate float64
	// Latency is added to every answer.
	Latency time.Duration
	// ReadyAfter holds readiness back after each start; NeverReady for good.
	ReadyAfter time.Duration
	NeverReady bool
	// CrashAfter ends the program that long after each start, if Crashes.
	CrashAfter time.Duration
	Crashes    bool
}

// ParseSettings reads a pod's annotations. A value that cannot be read counts
// as absent and is reported in the error.
func ParseSettings(annotations map[string]string) (Settings, error) {
	var settings Settings
	var problems []error
	number := func(key string, maximum float64) (float64, bool) {
		text, found := annotations[key]
		if !found {
			return 0, false
		}
		value, err := strconv.ParseFloat(text, 64)
		if err != nil || !(value >= 0 && value <= maximum) {
			problems = append(problems, fmt.Errorf("annotation %s: %q is not a number from 0 to %g", key, text, maximum))
			return 0, false
		}
		return value, true
	}
	const day = 24 * 60 * 60
	settings.ErrorRate, _ = number(ErrorRateAnnotation, 1)
	if milliseconds, found := number(LatencyAnnotation, day*1000); found {
		settings.Latency = seconds(milliseconds / 1000)
	}
	if annotations[ReadyAfterAnnotation] == NeverReady {
		settings.NeverReady = true
	} else if value, found := number(ReadyAfterAnnotation, day); found {
		settings.ReadyAfter = seconds(value)
	}
	if value, found := number(CrashAfterAnnotation, day); found {
		settings.CrashAfter, settings.Crashes = seconds(value), true
	}
	return settings, errors.Join(problems...)
}

func seconds(value float64) time.Duration {
	return time.Duration(value * float64(time.Second))
}
