package container

import (
	"bytes"
	"testing"
)

func TestLogForgetsTheOldestButKeepsCounting(t *testing.T) {
	log := NewLog()
	_, _, more := log.Since(0)
	line := bytes.Repeat([]byte("x"), 1023)
	line = append(line, '\n')
	const lines = 4 * logLimit / 1024
	for range lines {
		log.Write(line)
	}
	select {
	case <-more:
	default:
		t.Error("nobody is told that there is more")
	}
	text, next, _ := log.Since(0)
	if len(text) < logLimit || len(text) > 2*logLimit || next != lines*1024 {
		t.Errorf("%d bytes up to %d", len(text), next)
	}
	log.Write([]byte("last\n"))
	if text, _, _ := log.Since(next); string(text) != "last\n" {
		t.Errorf("got %q", text)
	}
}
