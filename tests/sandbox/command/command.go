// Package command is the command line of the sandbox: up, down, status, logs, fault and wan.
package command

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"

	"kubia.test/sandbox/launch"
)

// Exit codes.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitNotRunning  = 3
	exitInterrupted = 130
)

const usage = `Runs a Kubernetes control plane, istiod and Envoy gateways as ordinary processes.

Usage: kubia-sandbox COMMAND [flags]

Commands:
  up                 Start a sandbox and wait until it is ready
  down               End a sandbox and wait until nothing of it is left
  status             Ask every part of a running sandbox how it is
  logs PART          Show the log of a part
  fault METHOD PATH [BODY]
                     Send a request to the control API, e.g. fault POST /parts/istiod/stop
  wan -- COMMAND…    Run a command 50 ms away from the API server (KUBECONFIG is set for it)

Every command takes --name NAME (default "default") and --dir DIR, the directory of all
sandboxes (default: the parent of the directory this program is in). "COMMAND --help" shows all flags.
`

// Main runs one command and returns its exit code.
func Main(arguments []string) int {
	if len(arguments) == 0 {
		fmt.Fprint(os.Stderr, usage)
		return exitUsage
	}
	commands := map[string]func([]string) (int, error){
		"up": up, "down": down, "status": showStatus, "logs": logs, "fault": fault, "wan": runFar,
	}
	name := arguments[0]
	if name == "help" || name == "--help" || name == "-h" {
		fmt.Print(usage)
		return exitOK
	}
	run, known := commands[name]
	if !known {
		fmt.Fprintf(os.Stderr, "error: unknown command %q\n\n%s", name, usage)
		return exitUsage
	}
	code, err := run(arguments[1:])
	if errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "error: %v\n", err)
	}
	return code
}

// target says which sandbox a command is about.
type target struct {
	name, dir string
}

// newFlags returns the flags of a command, with those that every command has.
func newFlags(command string, t *target) *flag.FlagSet {
	flags := flag.NewFlagSet("kubia-sandbox "+command, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&t.name, "name", "default", "name of the sandbox")
	flags.StringVar(&t.dir, "dir", "", "directory of all sandboxes (default: the parent of this program's)")
	return flags
}

// anyNumber of arguments besides flags.
const anyNumber = math.MaxInt

// parse reads flags and checks the number of other arguments.
func (t *target) parse(flags *flag.FlagSet, arguments []string, atLeast, atMost int) error {
	err := flags.Parse(arguments)
	if errors.Is(err, flag.ErrHelp) {
		flags.SetOutput(os.Stdout)
		flags.Usage()
		return err
	}
	if err != nil {
		return err
	}
	switch n := flags.NArg(); {
	case n < atLeast && atMost == anyNumber:
		return fmt.Errorf("%d arguments besides flags, wanted at least %d: see kubia-sandbox help", n, atLeast)
	case n < atLeast || n > atMost:
		return fmt.Errorf("%d arguments besides flags, wanted %d to %d: see kubia-sandbox help", n, atLeast, atMost)
	}
	return launch.ValidateName(t.name)
}

// stateDir returns the absolute state directory of the sandbox.
func (t *target) stateDir() (string, error) {
	dir := t.dir
	if dir == "" {
		parent, err := installationDir()
		if err != nil {
			return "", err
		}
		dir = parent
	}
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find the directory %s: %w", dir, err)
	}
	return filepath.Join(absolute, t.name), nil
}

// installationDir is OUTDIR of build.sh, which put this program into OUTDIR/bin.
func installationDir() (string, error) {
	program, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find this program: %w", err)
	}
	return filepath.Dir(filepath.Dir(program)), nil
}

// running returns the state of a sandbox that is up, or nil.
func (t *target) running() (*launch.State, error) {
	dir, err := t.stateDir()
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(dir); os.IsNotExist(err) {
		return nil, nil
	}
	return launch.ReadState(dir)
}

func (t *target) notRunning(out io.Writer) int {
	fmt.Fprintf(out, "sandbox %s is not running\n", t.name)
	return exitNotRunning
}
