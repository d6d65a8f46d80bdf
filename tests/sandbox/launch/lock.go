package launch

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// ErrLocked means that a sandbox of this name is up, starting or ending.
var ErrLocked = errors.New("the sandbox is in use")

// Lock is the lock of a sandbox's name. It belongs to an open file that every process of the
// sandbox inherits, so it is free exactly when the last of them is gone, however it ended.
type Lock struct {
	file *os.File
}

// Acquire takes the lock, or returns ErrLocked.
func Acquire(stateDir string) (*Lock, error) {
	if err := os.MkdirAll(stateDir, 0o755); err != nil {
		return nil, fmt.Errorf("create the state directory: %w", err)
	}
	file, err := os.OpenFile(lockPath(stateDir), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the lock: %w", err)
	}
	whole := unix.Flock_t{Type: unix.F_WRLCK}
	if err := unix.FcntlFlock(file.Fd(), unix.F_OFD_SETLK, &whole); err != nil {
		file.Close()
		if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
			return nil, ErrLocked
		}
		return nil, fmt.Errorf("lock %s: %w", file.Name(), err)
	}
	if err := file.Truncate(0); err != nil {
		file.Close()
		return nil, fmt.Errorf("clear the lock: %w", err)
	}
	return &Lock{file: file}, nil
}

// AcquireWithin waits for the holder to let go.
func AcquireWithin(stateDir string, patience time.Duration) (*Lock, error) {
	deadline := time.Now().Add(patience)
	for {
		lock, err := Acquire(stateDir)
		if !errors.Is(err, ErrLocked) || time.Now().After(deadline) {
			return lock, err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Release gives this process's hold up; processes that inherited the lock keep theirs.
func (l *Lock) Release() { l.file.Close() }

// Holder returns the supervisor of the sandbox that holds the lock, as seen from outside: 0
// when nobody holds it, or a launcher that has not started its supervisor yet.
func Holder(stateDir string) (int, error) {
	file, err := os.Open(lockPath(stateDir))
	if os.IsNotExist(err) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("open the lock: %w", err)
	}
	defer file.Close()
	whole := unix.Flock_t{Type: unix.F_RDLCK}
	if err := unix.FcntlFlock(file.Fd(), unix.F_OFD_GETLK, &whole); err != nil {
		return 0, fmt.Errorf("query the lock: %w", err)
	}
	if whole.Type == unix.F_UNLCK {
		return 0, nil
	}
	data, err := io.ReadAll(file)
	if err != nil {
		return 0, fmt.Errorf("read the lock: %w", err)
	}
	text := strings.TrimSpace(string(data))
	if text == "" {
		return 0, nil
	}
	pid, err := strconv.Atoi(text)
	if err != nil || pid <= 1 {
		return 0, fmt.Errorf("the lock %s does not hold a process: %q", file.Name(), text)
	}
	return pid, nil
}

// noteHolder writes the supervisor into the lock it inherited.
func noteHolder(pid int) error {
	if _, err := unix.Pwrite(lockFD, []byte(strconv.Itoa(pid)+"\n"), 0); err != nil {
		return fmt.Errorf("note the supervisor in the lock: %w", err)
	}
	return nil
}

func lockPath(stateDir string) string { return filepath.Join(stateDir, "lock") }
