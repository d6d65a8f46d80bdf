package command

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"kubia.test/sandbox/launch"
)

// How long the kernel may take to end a sandbox's processes.
const endPatience = 20 * time.Second

func down(arguments []string) (int, error) {
	t := &target{}
	if err := t.parse(newFlags("down", t), arguments, 0, 0); err != nil {
		return exitUsage, err
	}
	dir, err := t.stateDir()
	if err != nil {
		return exitFailed, err
	}
	if _, err := os.Stat(dir); os.IsNotExist(err) {
		t.notRunning(os.Stderr)
		return exitOK, nil
	}
	lock, err := launch.Acquire(dir)
	switch {
	case errors.Is(err, launch.ErrLocked):
		lock, err = t.end(dir)
		if err != nil {
			return exitFailed, err
		}
		fmt.Fprintf(os.Stderr, "sandbox %s is gone\n", t.name)
	case err != nil:
		return exitFailed, err
	default:
		t.notRunning(os.Stderr)
	}
	defer lock.Release()
	if err := launch.RemoveAccess(dir); err != nil {
		return exitFailed, err
	}
	return exitOK, nil
}

// end kills the supervisor, and with it everything, and waits for the lock that all of it holds.
func (t *target) end(dir string) (*launch.Lock, error) {
	deadline := time.Now().Add(endPatience)
	for {
		pid, err := launch.Holder(dir)
		if err != nil {
			return nil, err
		}
		if pid != 0 {
			if err := unix.Kill(pid, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
				return nil, fmt.Errorf("end the supervisor %d: %w", pid, err)
			}
		}
		lock, err := launch.AcquireWithin(dir, 500*time.Millisecond)
		if !errors.Is(err, launch.ErrLocked) {
			return lock, err
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("processes of sandbox %s are still there after %s", t.name, endPatience)
		}
	}
}
