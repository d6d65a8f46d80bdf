package wan

import (
	"fmt"
	"math/bits"
	"net"
	"net/netip"
	"os"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

const mtu = 1500

// What precedes the IP header of a packet on its way: what the kernel says about the packet (for one,
// that its checksum is yet to be computed), and an Ethernet header.
const (
	offloadHeader  = 10
	ethernetHeader = 14
	ipOffset       = offloadHeader + ethernetHeader
)

// Room for what the kernel receives before this process gets to run; it gives less if it must.
const receiveBuffer = 4 << 20

// Every near end has this address. A device that asks for none puts its own into what it sends,
// so a packet from one near end is at once addressed to another.
var nearAddress = net.HardwareAddr{2, 0, 0, 0, 0, 1}

// device is one end of the line: a pair of virtual Ethernet devices. The near one has an IP address
// and belongs to the kernel's TCP; what that sends is read from a packet socket on the far one,
// and what is written there arrives at the near one.
type device struct {
	socket int
	near   netlink.Link
}

// openDevice makes a device in the network namespace of this process, with an address and the only
// other one that it leads to. Its name is that of the client.
func openDevice(client, local, peer netip.Addr) (*device, error) {
	octets := client.As4()
	name := fmt.Sprintf("wan%d", octets[len(octets)-1])
	near := &netlink.Veth{LinkAttrs: netlink.NewLinkAttrs(), PeerName: name + "-far"}
	near.Name, near.HardwareAddr, near.MTU = name, nearAddress, mtu
	// Otherwise the kernel hands over large segments, to be cut by a device.
	near.GSOMaxSegs = 1
	if err := netlink.LinkAdd(near); err != nil {
		return nil, fmt.Errorf("make a pair of devices: %w", err)
	}
	d := &device{socket: -1, near: near}
	if err := d.configure(local, peer); err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

func (d *device) configure(local, peer netip.Addr) error {
	far, err := netlink.LinkByName(d.near.Attrs().Name + "-far")
	if err != nil {
		return fmt.Errorf("find the far device: %w", err)
	}
	if err := netlink.LinkSetARPOff(d.near); err != nil {
		return fmt.Errorf("let %s ask for no addresses: %w", d.near.Attrs().Name, err)
	}
	address := &netlink.Addr{IPNet: host(local), Peer: host(peer)}
	if err := netlink.AddrAdd(d.near, address); err != nil {
		return fmt.Errorf("give %s the address %s: %w", d.near.Attrs().Name, local, err)
	}
	for _, link := range []netlink.Link{d.near, far} {
		if err := netlink.LinkSetUp(link); err != nil {
			return fmt.Errorf("bring %s up: %w", link.Attrs().Name, err)
		}
	}
	// Only now: a socket on a device that is down begins with an error.
	if d.socket, err = openSocket(far.Attrs().Index); err != nil {
		return fmt.Errorf("open a packet socket on %s: %w", far.Attrs().Name, err)
	}
	return nil
}

// openSocket opens a socket for the IPv4 packets that arrive at a device.
func openSocket(index int) (int, error) {
	protocol := bits.ReverseBytes16(unix.ETH_P_IP)
	socket, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, err
	}
	err = unix.SetsockoptInt(socket, unix.SOL_PACKET, unix.PACKET_VNET_HDR, 1)
	if err == nil {
		err = unix.SetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer)
	}
	if err == nil {
		err = unix.Bind(socket, &unix.SockaddrLinklayer{Protocol: protocol, Ifindex: index})
	}
	if err != nil {
		unix.Close(socket)
		return -1, err
	}
	return socket, nil
}

// file gives the socket away.
func (d *device) file() *os.File {
	return os.NewFile(uintptr(d.socket), "packets")
}

// close removes the devices; the socket's owner closes that.
func (d *device) close() {
	_ = netlink.LinkDel(d.near)
}

// host is the network of one address.
func host(address netip.Addr) *net.IPNet {
	return &net.IPNet{IP: address.AsSlice(), Mask: net.CIDRMask(address.BitLen(), address.BitLen())}
}
