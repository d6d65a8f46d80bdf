package wan

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"runtime"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"kubia.test/sandbox/config"
)

// EnterCommand is the subcommand with which this program runs its second stage.
const EnterCommand = "wan-enter"

// The socket that the first stage hands down.
const socketFD = 3

// Enter is the second stage: in the new network namespace already, it makes the device, hands it
// to the first stage, and becomes the command. Arguments: the address, and the command.
func Enter(arguments []string) error {
	if len(arguments) < 2 {
		return errors.New("wanted an address and a command")
	}
	address, err := netip.ParseAddr(arguments[0])
	if err != nil {
		return fmt.Errorf("the command's address: %w", err)
	}
	program, err := exec.LookPath(arguments[1])
	if err != nil {
		return err
	}
	unix.CloseOnExec(socketFD)
	lo, err := netlink.LinkByName("lo")
	if err == nil {
		err = netlink.LinkSetUp(lo)
	}
	if err != nil {
		return fmt.Errorf("bring the loopback interface up: %w", err)
	}
	device, err := openDevice(address, address, netip.MustParseAddr(config.WANAddress))
	if err != nil {
		return err
	}
	if err := unix.Sendmsg(socketFD, []byte("{}"), unix.UnixRights(device.socket), nil, 0); err != nil {
		return fmt.Errorf("hand the device over: %w", err)
	}
	// Rights are a thread's, and exec keeps those of the one that calls it.
	runtime.LockOSThread()
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return fmt.Errorf("give rights up: %w", err)
	}
	if err := unix.Exec(program, arguments[1:], os.Environ()); err != nil {
		return fmt.Errorf("run %s: %w", program, err)
	}
	return nil
}
