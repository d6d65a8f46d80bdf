package wan

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

const (
	devicePath = "/dev/net/tun"
	// The kernel puts the first free number in.
	deviceName = "wan%d"
	mtu        = 1500
)

// openDevice makes a TUN device in the network namespace of this process, with an address
// and the only other one that it leads to. The device lives as long as its descriptor is open.
//
// Without further flags a device takes no segments larger than its MTU and merges none.
func openDevice(local, peer netip.Addr) (int, error) {
	fd, err := unix.Open(devicePath, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return 0, fmt.Errorf("open %s, which needs rights to read and write it: %w", devicePath, err)
	}
	name, err := attach(fd)
	if err == nil {
		err = configure(name, local, peer)
	}
	if err != nil {
		unix.Close(fd)
		return 0, err
	}
	return fd, nil
}

func attach(fd int) (string, error) {
	request, err := unix.NewIfreq(deviceName)
	if err != nil {
		return "", fmt.Errorf("name a TUN device: %w", err)
	}
	request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, request); err != nil {
		return "", fmt.Errorf("make a TUN device: %w", err)
	}
	return request.Name(), nil
}

func configure(name string, local, peer netip.Addr) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return fmt.Errorf("find %s: %w", name, err)
	}
	if err := netlink.LinkSetMTU(link, mtu); err != nil {
		return fmt.Errorf("set the MTU of %s: %w", name, err)
	}
	if err := netlink.AddrAdd(link, &netlink.Addr{IPNet: host(local), Peer: host(peer)}); err != nil {
		return fmt.Errorf("give %s the address %s: %w", name, local, err)
	}
	return setUp(name)
}

func setUp(name string) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return fmt.Errorf("find %s: %w", name, err)
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return fmt.Errorf("bring %s up: %w", name, err)
	}
	return nil
}

// host is the network of one address.
func host(address netip.Addr) *net.IPNet {
	return &net.IPNet{IP: address.AsSlice(), Mask: net.CIDRMask(address.BitLen(), address.BitLen())}
}
