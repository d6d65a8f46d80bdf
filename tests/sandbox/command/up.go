package command

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"kubia.test/sandbox/launch"
)

// How long to wait for a sandbox of this name that is just starting or ending.
const neighbourPatience = 3 * time.Minute

type upFlags struct {
	target
	tools, crds, rbac, path string
}

func up(arguments []string) (int, error) {
	f := &upFlags{}
	flags := newFlags("up", &f.target)
	flags.StringVar(&f.tools, "tools", "", "directory with Envoy and kubectl as pip installed them (default: tools beside this program's directory)")
	flags.StringVar(&f.crds, "crds", "", "file with the resource definitions of Istio and the Gateway API (default: definitions.yaml beside this program)")
	flags.StringVar(&f.rbac, "rbac", "", "file with the ClusterRole kubectl-kubia of the user kubia (default: docs/rbac.yaml here or in the repository of this program)")
	flags.StringVar(&f.path, "path", "", "directories, separated by ':', that the file env puts in front of PATH")
	if err := f.parse(flags, arguments, 0, 0); err != nil {
		return exitUsage, err
	}
	options, err := f.options()
	if err != nil {
		return exitFailed, err
	}
	lock, err := f.lock(options)
	if err != nil || lock == nil {
		return exitCode(err), err
	}
	defer lock.Release()
	return start(options, lock)
}

func start(options *launch.Options, lock *launch.Lock) (int, error) {
	options.Began = time.Now()
	fmt.Fprintf(os.Stderr, "starting sandbox %s\n", options.Name)
	err := launch.Up(options, lock, func(line string) { fmt.Fprintln(os.Stderr, line) })
	var vanished *launch.VanishedError
	if errors.As(err, &vanished) {
		return exitFailed, fmt.Errorf("%w (see %s)", err, filepath.Join(options.StateDir, "logs", "supervisor.log"))
	}
	if errors.Is(err, launch.ErrInterrupted) {
		return exitInterrupted, err
	}
	if err != nil {
		return exitFailed, err
	}
	fmt.Fprintf(os.Stderr, "sandbox %s is ready after %.1f s; to use it: . %s\n",
		options.Name, time.Since(options.Began).Seconds(), filepath.Join(options.StateDir, "env"))
	return exitOK, nil
}

// lock takes the sandbox's name. It returns nil when a sandbox of that name is up.
func (f *upFlags) lock(options *launch.Options) (*launch.Lock, error) {
	deadline := time.Now().Add(neighbourPatience)
	for told := false; ; told = true {
		lock, err := launch.AcquireWithin(options.StateDir, 100*time.Millisecond)
		if !errors.Is(err, launch.ErrLocked) {
			return lock, err
		}
		state, err := launch.ReadState(options.StateDir)
		if err != nil {
			return nil, err
		}
		if state != nil {
			fmt.Fprintf(os.Stderr, "sandbox %s is up already; to use it: . %s\n", f.name, filepath.Join(options.StateDir, "env"))
			return nil, nil
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("another sandbox %s is neither ready nor gone: end it with kubia-sandbox down --name %s", f.name, f.name)
		}
		if !told {
			fmt.Fprintf(os.Stderr, "sandbox %s is being started or ended by someone else: waiting\n", f.name)
		}
	}
}

func (f *upFlags) options() (*launch.Options, error) {
	installation, err := installationDir()
	if err != nil {
		return nil, err
	}
	o := &launch.Options{Name: f.name}
	if o.StateDir, err = f.stateDir(); err != nil {
		return nil, err
	}
	if o.ToolsDir, err = existing(f.tools, filepath.Join(installation, "tools")); err != nil {
		return nil, notBuilt(err)
	}
	if _, err := existing(filepath.Join(o.ToolsDir, "envoy", "_bin", "envoy"), ""); err != nil {
		return nil, fmt.Errorf("no Envoy in the tools directory: %w", notBuilt(err))
	}
	if o.CRDFile, err = existing(f.crds, filepath.Join(installation, "bin", "definitions.yaml")); err != nil {
		return nil, notBuilt(err)
	}
	if o.RBACFile, err = f.roleFile(installation); err != nil {
		return nil, err
	}
	o.PathDirs, err = absolutePaths(f.path)
	return o, err
}

// roleFile finds the role of the user kubia, which may do nothing without it.
func (f *upFlags) roleFile(installation string) (string, error) {
	if f.rbac != "" {
		return existing(f.rbac, "")
	}
	const usual = "docs/rbac.yaml"
	for _, path := range []string{usual, filepath.Join(installation, "..", "..", usual)} {
		if found, err := existing(path, ""); err == nil {
			return found, nil
		}
	}
	fmt.Fprintln(os.Stderr, "no docs/rbac.yaml found: the user kubia gets no rights (--rbac FILE names another)")
	return "", nil
}

// existing returns the absolute path of a file or directory that must be there.
func existing(path, standard string) (string, error) {
	if path == "" {
		path = standard
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("find %s: %w", path, err)
	}
	if _, err := os.Stat(absolute); err != nil {
		return "", err
	}
	return absolute, nil
}

func notBuilt(err error) error {
	return fmt.Errorf("%w (tests/sandbox/build.sh makes what the sandbox needs)", err)
}

func absolutePaths(list string) ([]string, error) {
	var result []string
	for _, path := range strings.FieldsFunc(list, func(r rune) bool { return r == filepath.ListSeparator }) {
		absolute, err := filepath.Abs(path)
		if err != nil {
			return nil, fmt.Errorf("find %s: %w", path, err)
		}
		result = append(result, absolute)
	}
	return result, nil
}

func exitCode(err error) int {
	if err != nil {
		return exitFailed
	}
	return exitOK
}
