package nodeport

import (
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const dialTimeout = 5 * time.Second

// frontend relays the connections to one published address to pods, in turn.
type frontend struct {
	listener net.Listener
	pods     atomic.Pointer[[]string]
	turn     atomic.Uint64
}

func newFrontend(listener net.Listener, pods []string) *frontend {
	f := &frontend{listener: listener}
	f.setPods(pods)
	go f.accept()
	return f
}

// setPods changes where connections that come from now on go.
func (f *frontend) setPods(pods []string) { f.pods.Store(&pods) }

// close refuses connections from now on. Open ones stay, as they do where the
// kernel tracks them.
func (f *frontend) close() { f.listener.Close() }

func (f *frontend) accept() {
	for {
		connection, err := f.listener.Accept()
		if err != nil {
			return
		}
		go f.relay(connection.(*net.TCPConn))
	}
}

func (f *frontend) relay(client *net.TCPConn) {
	defer client.Close()
	pods := *f.pods.Load()
	address := pods[f.turn.Add(1)%uint64(len(pods))]
	connection, err := net.DialTimeout("tcp", address, dialTimeout)
	if err != nil {
		slog.Warn("a node port leads to a pod that does not answer", "nodePort", f.listener.Addr().String(), "error", err)
		client.SetLinger(0) // The client sees a reset, not an empty answer.
		return
	}
	pod := connection.(*net.TCPConn)
	defer pod.Close()

	var directions sync.WaitGroup
	directions.Go(func() { copyAndCloseWrite(pod, client) })
	directions.Go(func() { copyAndCloseWrite(client, pod) })
	directions.Wait()
}

// copyAndCloseWrite copies until from has ended and passes the end on. After an
// error nothing more can come of the connection.
func copyAndCloseWrite(to, from *net.TCPConn) {
	if _, err := io.Copy(to, from); err != nil {
		to.Close()
		from.Close()
		return
	}
	to.CloseWrite()
}
