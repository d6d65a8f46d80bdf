// Package podnet does what a CNI plugin does: it gives every pod a network
// namespace with an address of its own, all joined by one bridge that lives in
// the sandbox's main network namespace.
package podnet

import (
	"errors"
	"fmt"
	"hash/fnv"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
)

const (
	bridgeName   = "cni0"
	podInterface = "eth0"
)

// Network is the bridge and the pods' addresses.
type Network struct {
	bridge netlink.Link
	// prefix is the bridge's own address and the pods' network.
	prefix netip.Prefix
	pool   *pool
}

// Attachment is one pod's place in the network.
type Attachment struct {
	Namespace *Namespace
	Address   netip.Addr

	hostLink string
}

// Open makes the bridge, or finds the one an earlier agent made. The prefix is
// the bridge's address in the pods' network.
func Open(prefix netip.Prefix) (*Network, error) {
	bridge, err := netlink.LinkByName(bridgeName)
	if errors.As(err, &netlink.LinkNotFoundError{}) {
		bridge, err = createBridge(prefix.Addr())
	}
	if err != nil {
		return nil, fmt.Errorf("bridge %s: %w", bridgeName, err)
	}
	address := &netlink.Addr{IPNet: ipNet(prefix)}
	if err := netlink.AddrReplace(bridge, address); err != nil {
		return nil, fmt.Errorf("give bridge %s the address %s: %w", bridgeName, prefix, err)
	}
	if err := netlink.LinkSetUp(bridge); err != nil {
		return nil, fmt.Errorf("bring up bridge %s: %w", bridgeName, err)
	}
	return &Network{bridge: bridge, prefix: prefix, pool: newPool(prefix)}, nil
}

func createBridge(address netip.Addr) (netlink.Link, error) {
	attributes := netlink.NewLinkAttrs()
	attributes.Name = bridgeName
	// A fixed address: left to itself a bridge takes one from its ports and
	// changes it as they come and go.
	attributes.HardwareAddr = hardwareAddress(address)
	if err := netlink.LinkAdd(&netlink.Bridge{LinkAttrs: attributes}); err != nil {
		return nil, fmt.Errorf("create: %w", err)
	}
	return netlink.LinkByName(bridgeName)
}

// Reserve keeps an address that a pod already has from being given away;
// false if it cannot be had.
func (n *Network) Reserve(address netip.Addr) bool {
	return n.pool.reserve(address)
}

// Allocate takes a free address.
func (n *Network) Allocate() (netip.Addr, error) {
	return n.pool.next()
}

// Release gives an address back.
func (n *Network) Release(address netip.Addr) {
	n.pool.release(address)
}

// Attach makes a namespace for the pod with this UID and connects it to the
// bridge under an address that Reserve or Allocate took.
func (n *Network) Attach(uid string, address netip.Addr) (*Attachment, error) {
	namespace, err := newNamespace()
	if err != nil {
		return nil, err
	}
	attachment := &Attachment{Namespace: namespace, Address: address, hostLink: hostLinkName(uid)}
	if err := n.connect(attachment); err != nil {
		return nil, errors.Join(err, attachment.Detach())
	}
	return attachment, nil
}

// Detach cuts the pod off. The kernel removes the namespace with the last
// process in it.
func (a *Attachment) Detach() error {
	return errors.Join(deleteLink(a.hostLink), a.Namespace.close())
}

func (n *Network) connect(attachment *Attachment) error {
	// The kernel removes the links of an agent that was killed a moment
	// after its end: one of the same name may still be there.
	if err := deleteLink(attachment.hostLink); err != nil {
		return err
	}
	attributes := netlink.NewLinkAttrs()
	attributes.Name = attachment.hostLink
	attributes.MasterIndex = n.bridge.Attrs().Index
	veth := &netlink.Veth{
		LinkAttrs:        attributes,
		PeerName:         podInterface,
		PeerHardwareAddr: hardwareAddress(attachment.Address),
		PeerNamespace:    netlink.NsFd(attachment.Namespace.handle),
	}
	if err := netlink.LinkAdd(veth); err != nil {
		return fmt.Errorf("create veth pair %s: %w", attributes.Name, err)
	}
	if err := netlink.LinkSetUp(veth); err != nil {
		return fmt.Errorf("bring up %s: %w", attributes.Name, err)
	}
	return n.configure(attachment)
}

// configure sets up the pod's own end: lo, eth0, the default route. It works from inside the
// namespace, because netlink's own way there and back looks for this process under
// its number in /proc, which need not be of this PID namespace.
func (n *Network) configure(attachment *Attachment) error {
	return attachment.Namespace.Do(func() error { return n.configureInside(attachment.Address) })
}

func (n *Network) configureInside(address netip.Addr) error {
	handle, err := netlink.NewHandle()
	if err != nil {
		return fmt.Errorf("reach the pod's network namespace: %w", err)
	}
	defer handle.Close()
	if err := setUp(handle, "lo"); err != nil {
		return err
	}
	link, err := handle.LinkByName(podInterface)
	if err != nil {
		return fmt.Errorf("find %s in the pod: %w", podInterface, err)
	}
	prefix := netip.PrefixFrom(address, n.prefix.Bits())
	if err := handle.AddrAdd(link, &netlink.Addr{IPNet: ipNet(prefix)}); err != nil {
		return fmt.Errorf("give the pod the address %s: %w", prefix, err)
	}
	if err := setUp(handle, podInterface); err != nil {
		return err
	}
	route := &netlink.Route{LinkIndex: link.Attrs().Index, Gw: net.IP(n.prefix.Addr().AsSlice())}
	if err := handle.RouteAdd(route); err != nil {
		return fmt.Errorf("add the pod's default route: %w", err)
	}
	return nil
}

func setUp(handle *netlink.Handle, name string) error {
	link, err := handle.LinkByName(name)
	if err != nil {
		return fmt.Errorf("find %s in the pod: %w", name, err)
	}
	if err := handle.LinkSetUp(link); err != nil {
		return fmt.Errorf("bring up %s in the pod: %w", name, err)
	}
	return nil
}

func deleteLink(name string) error {
	link, err := netlink.LinkByName(name)
	if errors.As(err, &netlink.LinkNotFoundError{}) {
		return nil
	}
	if err == nil {
		err = netlink.LinkDel(link)
	}
	if err != nil {
		return fmt.Errorf("delete link %s: %w", name, err)
	}
	return nil
}

// hostLinkName fits the kernel's 15 characters.
func hostLinkName(uid string) string {
	hash := fnv.New32a()
	hash.Write([]byte(uid))
	return fmt.Sprintf("veth%08x", hash.Sum32())
}

// hardwareAddress derives a locally administered address from an IP address,
// so that no neighbour cache is wrong after a pod comes back with its address.
func hardwareAddress(address netip.Addr) net.HardwareAddr {
	return append(net.HardwareAddr{0x02, 0x42}, address.AsSlice()...)
}

func ipNet(prefix netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: prefix.Addr().AsSlice(), Mask: net.CIDRMask(prefix.Bits(), prefix.Addr().BitLen())}
}
