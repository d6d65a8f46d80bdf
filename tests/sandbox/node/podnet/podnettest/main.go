// Package podnettest lets tests make network namespaces without being root and
// without touching the machine's network.
package podnettest

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// inside tells a test binary that it runs in namespaces of its own.
const inside = "PODNETTEST_INSIDE"

// Main is called from TestMain: it runs the tests in user and network
// namespaces of their own, as root there.
func Main(m *testing.M) {
	if os.Getenv(inside) != "" {
		os.Exit(m.Run())
	}
	command := exec.Command("/proc/self/exe", os.Args[1:]...)
	command.Env = append(os.Environ(), inside+"=1")
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	if err := command.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "in namespaces of their own:", err)
		os.Exit(1)
	}
}
