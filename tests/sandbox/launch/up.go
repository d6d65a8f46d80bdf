package launch

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
)

// ErrForbidden says what to do on a machine that lets users make no namespaces.
var ErrForbidden = errors.New("this machine forbids user namespaces: allow them with sysctl (kernel.unprivileged_userns_clone=1, " +
	"kernel.apparmor_restrict_unprivileged_userns=0, user.max_user_namespaces above 0; whichever exists here), or run as root")

// ErrInterrupted means that the user stopped the start.
var ErrInterrupted = errors.New("interrupted: the half-started sandbox is gone")

// Up starts a sandbox and returns when it is ready. The caller holds the lock; the
// sandbox's processes keep it when the caller ends.
func Up(o *Options, lock *Lock, show func(string)) error {
	if err := clean(o.StateDir); err != nil {
		return err
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("make the progress pipe: %w", err)
	}
	defer reader.Close()
	supervisor, err := start(o, lock, writer)
	writer.Close()
	if err != nil {
		return err
	}
	return await(supervisor, reader, show)
}

// await follows the start; whatever goes wrong, no half-started sandbox is left.
func await(supervisor *exec.Cmd, progress *os.File, show func(string)) error {
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(interrupts)
	result := make(chan error, 1)
	go func() { result <- follow(progress, show) }()
	var failure error
	select {
	case <-interrupts:
		failure = ErrInterrupted
	case failure = <-result:
	}
	if failure == nil {
		return supervisor.Process.Release()
	}
	if err := end(supervisor); err != nil {
		return errors.Join(failure, err)
	}
	return failure
}

func end(supervisor *exec.Cmd) error {
	if err := supervisor.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("end the supervisor: %w", err)
	}
	// The exit status is of no interest: the process was killed.
	_ = supervisor.Wait()
	return nil
}

// start clones the supervisor into its namespaces. Root on a machine without user
// namespaces needs none.
func start(o *Options, lock *Lock, progress *os.File) (*exec.Cmd, error) {
	log, err := os.Create(filepath.Join(o.StateDir, "logs", "supervisor.log"))
	if err != nil {
		return nil, fmt.Errorf("create the supervisor's log: %w", err)
	}
	defer log.Close()
	build := func(flags uintptr) *exec.Cmd {
		command := exec.Command("/proc/self/exe", EnterCommand, o.Encode())
		command.Args[0] = "kubia-sandbox"
		command.Env = []string{"PATH=/usr/local/bin:/usr/bin:/bin"}
		command.Stdout, command.Stderr = log, log
		command.ExtraFiles = []*os.File{lock.file, progress}
		command.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Cloneflags: flags}
		return command
	}
	const flags = syscall.CLONE_NEWPID | syscall.CLONE_NEWNS
	command := build(flags | syscall.CLONE_NEWUSER)
	command.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
	command.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	err = command.Start()
	if IsRefusal(err) && os.Geteuid() == 0 {
		command = build(flags)
		err = command.Start()
	}
	if IsRefusal(err) {
		return nil, ErrForbidden
	}
	if err != nil {
		return nil, fmt.Errorf("start the supervisor: %w", err)
	}
	return command, nil
}

// IsRefusal tells the errors with which kernels refuse namespaces: by policy, by limit, or not built in.
func IsRefusal(err error) bool {
	for _, refusal := range []error{syscall.EPERM, syscall.EACCES, syscall.ENOSPC, syscall.EUSERS, syscall.EINVAL} {
		if errors.Is(err, refusal) {
			return true
		}
	}
	return false
}
