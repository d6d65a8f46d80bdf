package launch

import (
	"bufio"
	"encoding/json"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// Descriptors the launcher hands to the supervisor; the lock's is inherited by everything.
const (
	lockFD     = 3
	progressFD = 4
)

// event is one line from the supervisor to the launcher.
type event struct {
	Line  string `json:"line,omitempty"`
	Error string `json:"error,omitempty"`
	Ready bool   `json:"ready,omitempty"`
}

// Progress is the supervisor's end of the pipe to its launcher. The launcher may be gone
// at any time, so nothing depends on whether a line arrives.
type Progress struct {
	pipe *os.File
}

// InheritedProgress returns the pipe that the launcher handed down, and keeps it from children.
func InheritedProgress() *Progress {
	unix.CloseOnExec(progressFD)
	return &Progress{pipe: os.NewFile(progressFD, "progress")}
}

// Line shows one line to the user.
func (p *Progress) Line(text string) { p.send(event{Line: text}) }

// Failed tells why the sandbox will not come up.
func (p *Progress) Failed(err error) { p.send(event{Error: err.Error()}) }

// Ready tells that the sandbox is up, and ends the connection with the launcher.
func (p *Progress) Ready() {
	p.send(event{Ready: true})
	p.pipe.Close()
}

func (p *Progress) send(e event) {
	_ = json.NewEncoder(p.pipe).Encode(e)
}

// survivesExec lets the pipe pass through the supervisor's exec of itself.
func (p *Progress) survivesExec() error {
	_, err := unix.FcntlInt(progressFD, unix.F_SETFD, 0)
	return err
}

// follow copies progress to show until the supervisor is ready (nil), fails or vanishes.
func follow(pipe io.Reader, show func(string)) error {
	scanner := bufio.NewScanner(pipe)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		var e event
		if err := json.Unmarshal(scanner.Bytes(), &e); err != nil {
			return &VanishedError{}
		}
		switch {
		case e.Ready:
			return nil
		case e.Error != "":
			return &StartError{Reason: e.Error}
		default:
			show(e.Line)
		}
	}
	return &VanishedError{}
}

// StartError is the supervisor's own account of why it gave up.
type StartError struct{ Reason string }

func (e *StartError) Error() string { return e.Reason }

// VanishedError means that the supervisor ended without a word.
type VanishedError struct{}

func (e *VanishedError) Error() string { return "the supervisor ended before the sandbox was ready" }
