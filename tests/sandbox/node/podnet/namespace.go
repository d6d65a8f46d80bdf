package podnet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"sync"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// ErrClosed is returned for work in a namespace whose pod has ended.
var ErrClosed = errors.New("the pod's network namespace is closed")

// Namespace is a pod's network namespace. The descriptor keeps it alive; so
// does every process running inside.
type Namespace struct {
	mu     sync.RWMutex
	handle netns.NsHandle
}

func newNamespace() (*Namespace, error) {
	namespace := &Namespace{handle: netns.None()}
	err := onOwnThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("create a network namespace: %w", err)
		}
		// thread-self, unlike a path with a thread id in it, is right
		// whichever PID namespace /proc was mounted for.
		handle, err := netns.GetFromPath("/proc/thread-self/ns/net")
		if err != nil {
			return fmt.Errorf("open the new network namespace: %w", err)
		}
		namespace.handle = handle
		return nil
	})
	if err != nil {
		return nil, err
	}
	return namespace, nil
}

// Do runs f on a thread of its own inside the namespace. A process that f
// starts is inside too; its Pdeathsig is tied to the thread, so f must wait
// for it before returning.
func (n *Namespace) Do(f func() error) error {
	return onOwnThread(func() error {
		if err := n.enter(); err != nil {
			return err
		}
		return f()
	})
}

// Listen opens a listener inside the namespace, which may be used anywhere.
func (n *Namespace) Listen(ctx context.Context, network, address string) (listener net.Listener, err error) {
	err = n.Do(func() error {
		listener, err = new(net.ListenConfig).Listen(ctx, network, address)
		return err
	})
	return listener, err
}

// DialContext connects from inside the namespace. The host must be a literal
// IP address: names would be resolved on other threads.
func (n *Namespace) DialContext(ctx context.Context, network, address string) (connection net.Conn, err error) {
	err = n.Do(func() error {
		connection, err = new(net.Dialer).DialContext(ctx, network, address)
		return err
	})
	return connection, err
}

func (n *Namespace) enter() error {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if !n.handle.IsOpen() {
		return ErrClosed
	}
	if err := netns.Set(n.handle); err != nil {
		return fmt.Errorf("enter the pod's network namespace: %w", err)
	}
	return nil
}

func (n *Namespace) close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.handle.IsOpen() {
		return nil
	}
	return n.handle.Close()
}

// onOwnThread runs f on an operating system thread that ends with it: the
// goroutine stays locked, so no other one ever finds itself in a namespace
// that f has entered.
func onOwnThread(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		done <- f()
	}()
	return <-done
}
