package wan

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"kubia.test/sandbox/hostnet"
	"kubia.test/sandbox/launch"
)

// Command says what to run and how far away.
type Command struct {
	// Control is the base URL of the control API.
	Control    string
	Kubeconfig string
	OneWay     time.Duration
	Arguments  []string

	trips roundTrips
}

// RoundTrips is how often the command waited for the server.
func (c *Command) RoundTrips() int { return c.trips.count() }

// Received returns how many bytes reached the command, without the headers of their packets.
func (c *Command) Received() int { return c.trips.received() }

// Run runs the command and returns its exit code as a shell would.
func (c *Command) Run() (int, error) {
	t, err := open(c.Control)
	if err != nil {
		return 0, err
	}
	defer t.connection.Close()
	ours, theirs, err := socketPair()
	if err != nil {
		return 0, err
	}
	defer ours.Close()
	// The command's death signal is tied to the thread that starts it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	process, err := c.start(t, theirs)
	theirs.Close()
	if err != nil {
		return 0, err
	}
	// From here on the terminal's signals are the command's business: it gets them too.
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	device, err := hostnet.ReceiveFile(ours)
	if err != nil {
		// The child has said why before it ended.
		return exitCode(process.Wait())
	}
	defer device.Close()
	go func() { _ = t.carry(device, c.OneWay, &c.trips) }()
	go forward(signals, process.Process)
	return exitCode(process.Wait())
}

// start runs this program's second stage in namespaces of its own. Root on a machine
// without user namespaces needs none.
func (c *Command) start(t *tunnel, socket *os.File) (*exec.Cmd, error) {
	build := func(flags uintptr) *exec.Cmd {
		command := exec.Command("/proc/self/exe", append([]string{EnterCommand, t.address.String()}, c.Arguments...)...)
		command.Args[0] = "kubia-sandbox"
		command.Env = append(os.Environ(), "KUBECONFIG="+c.Kubeconfig)
		command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
		command.ExtraFiles = []*os.File{socket}
		command.SysProcAttr = &syscall.SysProcAttr{Cloneflags: flags, Pdeathsig: syscall.SIGKILL}
		return command
	}
	command := build(syscall.CLONE_NEWNET | syscall.CLONE_NEWUSER)
	// The command stays the user it was; the rights to make a device and to read from it must survive exec for that.
	command.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: os.Geteuid(), HostID: os.Geteuid(), Size: 1}}
	command.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getegid(), HostID: os.Getegid(), Size: 1}}
	command.SysProcAttr.AmbientCaps = []uintptr{unix.CAP_NET_ADMIN, unix.CAP_NET_RAW}
	err := command.Start()
	if launch.IsRefusal(err) && os.Geteuid() == 0 {
		command = build(syscall.CLONE_NEWNET)
		err = command.Start()
	}
	if launch.IsRefusal(err) {
		return nil, launch.ErrForbidden
	}
	if err != nil {
		return nil, fmt.Errorf("start the command: %w", err)
	}
	return command, nil
}

// forward passes on what is sent to this process alone; the terminal's own signals
// reach the command without help.
func forward(signals <-chan os.Signal, process *os.Process) {
	for received := range signals {
		if received == syscall.SIGTERM || received == syscall.SIGHUP {
			_ = process.Signal(received)
		}
	}
}

func exitCode(err error) (int, error) {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return 0, err
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return exit.ExitCode(), nil
}

// socketPair makes a socket for this process and its other end for a child.
func socketPair() (*net.UnixConn, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("make a socket pair: %w", err)
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "socket"), os.NewFile(uintptr(fds[1]), "socket")
	defer ours.Close()
	connection, err := net.FileConn(ours)
	if err != nil {
		theirs.Close()
		return nil, nil, fmt.Errorf("make a socket pair: %w", err)
	}
	return connection.(*net.UnixConn), theirs, nil
}
