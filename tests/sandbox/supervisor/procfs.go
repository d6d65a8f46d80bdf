package supervisor

import (
	"bufio"
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
		if pid, state, err := readState(dir); err == nil {
			result[pid] = process{state: state, residentBytes: readResident(dir)}
		}
	}
	return result, nil
}

// readState returns a process's number in the innermost PID namespace, and its state's letter.
func readState(dir string) (int, byte, error) {
	file, err := os.Open(dir + "/status")
	if err != nil {
		return 0, 0, err
	}
	defer file.Close()
	var state byte
	for lines := bufio.NewScanner(file); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		switch {
		case len(fields) < 2:
		case fields[0] == "State:":
			state = fields[1][0]
		case fields[0] == "NSpid:":
			pid, err := strconv.Atoi(fields[len(fields)-1])
			return pid, state, err
		}
	}
	return 0, 0, fmt.Errorf("%s/status has no NSpid", dir)
}

// readResident returns a process's share of resident memory: what several processes have in
// common, such as this program's code, is divided among them, so that sums are true.
func readResident(dir string) int64 {
	file, err := os.Open(dir + "/smaps_rollup")
	if err != nil {
		return 0
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 || fields[0] != "Pss:" {
			continue
		}
		kibibytes, err := strconv.ParseInt(fields[1], 10, 64)
		if err != nil {
			return 0
		}
		return kibibytes * 1024
	}
	return 0
}
