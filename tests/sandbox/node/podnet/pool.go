package podnet

import (
	"fmt"
	"net/netip"
	"sync"
)

// pool hands out the addresses of a prefix. It goes round the whole prefix
// before it gives a freed address to another pod, so that nothing which still
// remembers the old owner reaches the new one.
type pool struct {
	mu     sync.Mutex
	prefix netip.Prefix
	last   netip.Addr
	taken  map[netip.Addr]struct{}
}

// newPool makes a pool whose first address, the bridge's own, is taken.
func newPool(bridge netip.Prefix) *pool {
	return &pool{
		prefix: bridge.Masked(),
		last:   bridge.Addr(),
		taken:  map[netip.Addr]struct{}{bridge.Addr(): {}},
	}
}

// reserve takes one wanted address; false if it is taken or not the pool's.
func (p *pool) reserve(address netip.Addr) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.usable(address) {
		return false
	}
	p.taken[address] = struct{}{}
	return true
}

func (p *pool) next() (netip.Addr, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	candidate := p.last
	for {
		candidate = candidate.Next()
		if !p.prefix.Contains(candidate) {
			candidate = p.prefix.Addr()
		}
		if p.usable(candidate) {
			break
		}
		if candidate == p.last {
			return netip.Addr{}, fmt.Errorf("no address of %s is free", p.prefix)
		}
	}
	p.last = candidate
	p.taken[candidate] = struct{}{}
	return candidate, nil
}

func (p *pool) release(address netip.Addr) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.taken, address)
}

// usable tells whether an address may be given to a pod: not the network's or
// the broadcast address, not taken.
func (p *pool) usable(address netip.Addr) bool {
	if !p.prefix.Contains(address) || address == p.prefix.Addr() || !p.prefix.Contains(address.Next()) {
		return false
	}
	_, taken := p.taken[address]
	return !taken
}
