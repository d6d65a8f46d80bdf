package supervisor

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// process is what /proc says about a process of the sandbox.
type process struct {
	state         byte
	residentBytes int64
}

// readProcesses returns all processes of this PID namespace by their number in it. /proc may
// be the outer one, with other numbers and other processes, where a fresh one could not be mounted.
func readProcesses() (map[int]process, error) {
	own, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return nil, fmt.Errorf("read the PID namespace: %w", err)
	}
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	result := map[int]process{}
	for _, dir := range dirs {
		// A process that ends meanwhile cannot be read and is not counted.
		if namespace, err := os.Readlink(dir + "/ns/pid"); err != nil || namespace != own {
			continue
		}
		if pid, p, err := readProcess(dir); err == nil {
			result[pid] = p
		}
	}
	return result, nil
}

func readProcess(dir string) (int, process, error) {
	data, err := os.ReadFile(dir + "/status")
	if err != nil {
		return 0, process{}, err
	}
	var p process
	pid := 0
	for line := range strings.Lines(string(data)) {
		key, value, _ := strings.Cut(line, ":")
		fields := strings.Fields(value)
		if len(fields) == 0 {
			continue
		}
		switch key {
		case "State":
			p.state = fields[0][0]
		case "VmRSS":
			kibibytes, err := strconv.ParseInt(fields[0], 10, 64)
			if err != nil {
				return 0, p, err
			}
			p.residentBytes = kibibytes * 1024
		case "NSpid":
			// The last number is the one in the innermost namespace.
			if pid, err = strconv.Atoi(fields[len(fields)-1]); err != nil {
				return 0, p, err
			}
		}
	}
	return pid, p, nil
}
