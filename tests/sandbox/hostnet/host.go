package hostnet

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// The second bytes that sandboxes choose from: 127.0.x.x is everyone's.
const (
	firstX = 2
	countX = 250
)

// Serve is the helper process: it reserves 127.x.0.0/16 for the sandbox, writes x and a newline
// to announce, and answers requests on the socket in runDir until it is killed.
func Serve(name, runDir string, announce io.Writer) error {
	x, reservation, err := reserve(name)
	if err != nil {
		return err
	}
	defer reservation.Close()
	path, dir, err := socketPath(runDir)
	if err != nil {
		return err
	}
	defer dir.Close()
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return fmt.Errorf("listen for requests: %w", err)
	}
	if _, err := fmt.Fprintln(announce, x); err != nil {
		return fmt.Errorf("announce 127.%d.0.0/16: %w", x, err)
	}
	prefix := fmt.Sprintf("127.%d.", x)
	for {
		connection, err := listener.AcceptUnix()
		if err != nil {
			return fmt.Errorf("accept a request: %w", err)
		}
		go func() {
			defer connection.Close()
			if err := handle(connection, prefix); err != nil {
				fmt.Fprintln(os.Stderr, "host:", err)
			}
		}()
	}
}

// handle answers one request; only addresses of this sandbox are opened.
func handle(connection *net.UnixConn, prefix string) error {
	line, err := bufio.NewReader(connection).ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("read a request: %w", err)
	}
	var wanted request
	if err := json.Unmarshal(line, &wanted); err != nil {
		return reply(connection, fmt.Errorf("unreadable request: %w", err), nil)
	}
	if !strings.HasPrefix(wanted.Listen, prefix) {
		return reply(connection, fmt.Errorf("%s is not an address of this sandbox", wanted.Listen), nil)
	}
	listener, err := net.Listen("tcp", wanted.Listen)
	if err != nil {
		return reply(connection, err, nil)
	}
	// The helper's own copy must go at once: the address is free again when the asker closes his.
	defer listener.Close()
	file, err := listener.(*net.TCPListener).File()
	if err != nil {
		return reply(connection, err, nil)
	}
	defer file.Close()
	return reply(connection, nil, file)
}

func reply(connection *net.UnixConn, failure error, socket *os.File) error {
	var message answer
	var rights []byte
	if failure != nil {
		message.Error = failure.Error()
	}
	if socket != nil {
		rights = syscall.UnixRights(int(socket.Fd()))
	}
	line, err := json.Marshal(message)
	if err != nil {
		return fmt.Errorf("encode an answer: %w", err)
	}
	if _, _, err := connection.WriteMsgUnix(append(line, '\n'), rights, nil); err != nil {
		return fmt.Errorf("send an answer: %w", err)
	}
	return nil
}

// reserve takes the first free x, starting from a hash of the name so that a sandbox
// keeps its addresses from one start to the next.
func reserve(name string) (int, *os.File, error) {
	hash := fnv.New32a()
	hash.Write([]byte(name))
	start := int(hash.Sum32() % countX)
	for i := range countX {
		x := firstX + (start+i)%countX
		reservation, err := bindExclusively(x)
		if errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		if err != nil {
			return 0, nil, fmt.Errorf("reserve 127.%d.0.1: %w", x, err)
		}
		if portsFree(x) {
			return x, reservation, nil
		}
		reservation.Close()
	}
	return 0, nil, errors.New("no 127.x.0.1 has its ports 6442 to 6445 free: does something listen on all addresses?")
}

// bindExclusively binds port 6442 without listening. No connection can ever linger on
// it, so it is free again as soon as the sandbox is gone.
func bindExclusively(x int) (*os.File, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Port: 6442, Addr: [4]byte{127, byte(x), 0, 1}}); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), "reservation"), nil
}

func portsFree(x int) bool {
	for port := 6443; port <= 6445; port++ {
		listener, err := net.Listen("tcp", fmt.Sprintf("127.%d.0.1:%d", x, port))
		if err != nil {
			return false
		}
		listener.Close()
	}
	return true
}
