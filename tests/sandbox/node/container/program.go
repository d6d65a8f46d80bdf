package container

import (
	"context"
	"fmt"
	"io"
)

// Program is what runs in a container.
type Program interface {
	// Run runs the program once and returns how it ended. It should end soon
	// after stop is done and must end at once when kill is done. It reports
	// through ready, any number of times, whether it can do its work.
	Run(stop, kill context.Context, ready func(bool)) Exit
}

// Exit is how a program ended.
type Exit struct {
	Code   int32
	Reason string
}

// Ways to end, as container runtimes report them.
var (
	Completed = Exit{Code: 0, Reason: "Completed"}
	Failed    = Exit{Code: 1, Reason: "Error"}
	Killed    = Exit{Code: 137, Reason: "Error"}
)

// Broken is a program that the sandbox cannot run: it says so in its log and
// fails, so that its container ends in CrashLoopBackOff.
type Broken struct {
	Problem string
	Log     io.Writer
}

// Run implements Program.
func (b Broken) Run(_, _ context.Context, _ func(bool)) Exit {
	fmt.Fprintln(b.Log, b.Problem)
	return Failed
}
