package launch

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"kubia.test/sandbox/config"
)

// Enter is the supervisor's first stage: already process 1 of its own user, PID and mount
// namespaces but still in the host's network. It mounts the private run directory, leaves a
// helper behind in the host's network, and becomes the supervisor in a network of its own.
func Enter(o *Options) error {
	// A network namespace belongs to a thread, and exec keeps only the one that calls it.
	runtime.LockOSThread()
	progress := InheritedProgress()
	if err := enter(o, progress); err != nil {
		if IsRefusal(err) {
			err = fmt.Errorf("%w (%w)", ErrForbidden, err)
		}
		progress.Failed(err)
		return err
	}
	return nil
}

func enter(o *Options, progress *Progress) error {
	// Only the outer /proc knows this process by its outer number.
	self, err := os.Readlink("/proc/self")
	if err != nil {
		return fmt.Errorf("read the supervisor's process number: %w", err)
	}
	if o.SupervisorPID, err = strconv.Atoi(self); err != nil {
		return fmt.Errorf("read the supervisor's process number: %w", err)
	}
	if err := noteHolder(o.SupervisorPID); err != nil {
		return err
	}
	if err := mount(o.RunDir()); err != nil {
		return err
	}
	if err := startHost(o); err != nil {
		return err
	}
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("make a network namespace: %w", err)
	}
	if err := progress.survivesExec(); err != nil {
		return fmt.Errorf("keep the progress pipe: %w", err)
	}
	arguments := []string{"kubia-sandbox", SupervisorCommand, o.Encode()}
	environment := append(os.Environ(), config.RunDirVariable+"="+o.RunDir())
	if err := unix.Exec("/proc/self/exe", arguments, environment); err != nil {
		return fmt.Errorf("become the supervisor: %w", err)
	}
	return nil
}

func mount(runDir string) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := unix.Mount("tmpfs", runDir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0700"); err != nil {
		return fmt.Errorf("mount the run directory: %w", err)
	}
	if err := os.Mkdir(filepath.Join(runDir, "tmp"), 0o700); err != nil {
		return fmt.Errorf("create the run directory: %w", err)
	}
	// Some containers refuse a fresh /proc. The outer one then does: whoever reads
	// it tells the sandbox's processes by their PID namespace.
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		fmt.Fprintln(os.Stderr, "no fresh /proc:", err)
	}
	return nil
}

// startHost starts the helper and learns from it which addresses it reserved.
func startHost(o *Options) error {
	reader, writer, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("make a pipe: %w", err)
	}
	defer reader.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	defer null.Close()
	host, err := os.StartProcess("/proc/self/exe", []string{"kubia-sandbox", HostCommand, o.Name, o.RunDir()},
		&os.ProcAttr{Env: os.Environ(), Files: []*os.File{null, writer, os.Stderr}})
	writer.Close()
	if err != nil {
		return fmt.Errorf("start the host helper: %w", err)
	}
	o.HostPID = host.Pid
	line, err := bufio.NewReader(reader).ReadString('\n')
	if err != nil {
		return fmt.Errorf("the host helper reserved no address (see logs/supervisor.log): %w", err)
	}
	if o.X, err = strconv.Atoi(strings.TrimSpace(line)); err != nil {
		return fmt.Errorf("the host helper's answer: %w", err)
	}
	return nil
}
