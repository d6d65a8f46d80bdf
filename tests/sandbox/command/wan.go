package command

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"kubia.test/sandbox/wan"
)

// runFar runs a command at a distance from the API server.
func runFar(arguments []string) (int, error) {
	t := &target{}
	flags := newFlags("wan", t)
	oneWay := flags.Duration("one-way", 25*time.Millisecond, "how long each packet takes, in either direction")
	count := flags.Bool("count", false, "say on stderr how many round trips the command took, and how many bytes it got")
	if err := t.parse(flags, arguments, 1, anyNumber); err != nil {
		return exitUsage, err
	}
	if *oneWay < 0 || *oneWay > 10*time.Second {
		return exitUsage, fmt.Errorf("--one-way %s is not between 0 and 10 s", *oneWay)
	}
	state, err := t.running()
	if err != nil {
		return exitFailed, err
	}
	if state == nil {
		return t.notRunning(os.Stderr), nil
	}
	dir, err := t.stateDir()
	if err != nil {
		return exitFailed, err
	}
	command := &wan.Command{
		Control: state.Control, Kubeconfig: filepath.Join(dir, "wan.kubeconfig"),
		OneWay: *oneWay, Arguments: flags.Args(),
	}
	code, err := command.Run()
	if err != nil {
		return exitFailed, err
	}
	if *count {
		fmt.Fprintln(os.Stderr, "round trips:", command.RoundTrips())
		fmt.Fprintln(os.Stderr, "bytes received:", command.Received())
	}
	return code, nil
}
