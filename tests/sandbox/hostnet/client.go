// Package hostnet gives the sandbox's parts, which live in a network namespace of their own,
// listening sockets in the host's: a helper process that stayed there opens them and hands
// them over. Whoever asked accepts on the socket and relays to an inside address.
package hostnet

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"syscall"

	"kubia.test/sandbox/config"
)

const socketName = "host.sock"

type request struct {
	Listen string `json:"listen"`
}

type answer struct {
	Error string `json:"error"`
}

// Listen opens a TCP listener on an address of the host. Closing it unpublishes the address.
func Listen(address string) (net.Listener, error) {
	file, err := listenFile(address)
	if err != nil {
		return nil, fmt.Errorf("publish %s on the host: %w", address, err)
	}
	defer file.Close()
	listener, err := net.FileListener(file)
	if err != nil {
		return nil, fmt.Errorf("publish %s on the host: %w", address, err)
	}
	return listener, nil
}

func listenFile(address string) (*os.File, error) {
	connection, err := dial()
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	if err := json.NewEncoder(connection).Encode(request{Listen: address}); err != nil {
		return nil, err
	}
	file, err := ReceiveFile(connection)
	if err != nil {
		return nil, err
	}
	// The helper ends the connection when its own copy of the socket is closed. Until then the
	// address would stay taken, even if we closed ours.
	if _, err := io.Copy(io.Discard, connection); err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// ReceiveFile reads an answer with a file attached.
func ReceiveFile(connection *net.UnixConn) (*os.File, error) {
	text, control := make([]byte, 4096), make([]byte, syscall.CmsgSpace(4))
	n, controlLength, _, _, err := connection.ReadMsgUnix(text, control)
	if err != nil {
		return nil, err
	}
	return parseAnswer(text[:n], control[:controlLength])
}

func parseAnswer(text, control []byte) (*os.File, error) {
	var reply answer
	if err := json.Unmarshal(text, &reply); err != nil {
		return nil, fmt.Errorf("unreadable answer: %w", err)
	}
	if reply.Error != "" {
		return nil, errors.New(reply.Error)
	}
	messages, err := syscall.ParseSocketControlMessage(control)
	if err != nil || len(messages) != 1 {
		return nil, errors.New("no file came with the answer")
	}
	fds, err := syscall.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return nil, errors.New("no file came with the answer")
	}
	return os.NewFile(uintptr(fds[0]), "received"), nil
}

func dial() (*net.UnixConn, error) {
	path, dir, err := socketPath(os.Getenv(config.RunDirVariable))
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
}

// socketPath names the socket through an open directory, because a socket's
// own path may not be longer than 107 bytes and state directories can be.
func socketPath(runDir string) (string, *os.File, error) {
	dir, err := os.Open(runDir)
	if err != nil {
		return "", nil, fmt.Errorf("open the run directory: %w", err)
	}
	return filepath.Join("/proc/self/fd", fmt.Sprint(dir.Fd()), socketName), dir, nil
}
