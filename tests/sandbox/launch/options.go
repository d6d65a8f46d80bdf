// Package launch starts a sandbox from an ordinary terminal: it locks the sandbox's name, clones
// the supervisor into namespaces of its own, and follows its progress until everything is ready.
package launch

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"time"
)

// Subcommands of this binary that are not for users.
const (
	EnterCommand      = "enter"
	HostCommand       = "host"
	SupervisorCommand = "supervisor"
)

// Options say what to start. Paths are absolute. They travel as one JSON argument
// from the launcher to the supervisor, which gets the fields at the end besides.
type Options struct {
	Name     string   `json:"name"`
	StateDir string   `json:"stateDir"`
	ToolsDir string   `json:"toolsDir"`
	CRDFile  string   `json:"crdFile"`
	RBACFile string   `json:"rbacFile,omitempty"`
	PathDirs []string `json:"pathDirs,omitempty"`
	// Began is when the user asked for the sandbox.
	Began time.Time `json:"began"`

	// X is the second byte of the reserved addresses 127.x.0.0/16.
	X int `json:"x,omitempty"`
	// HostPID is the helper in the host's network namespace, as seen by the supervisor.
	HostPID int `json:"hostPid,omitempty"`
	// SupervisorPID is the supervisor itself, as seen from outside.
	SupervisorPID int `json:"supervisorPid,omitempty"`
}

// The state directory's parent also holds the binary and the tools.
var (
	namePattern   = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$`)
	reservedNames = map[string]bool{"bin": true, "tools": true}
)

// ValidateName checks the name of a sandbox.
func ValidateName(name string) error {
	if !namePattern.MatchString(name) || reservedNames[name] {
		return fmt.Errorf("%q cannot be the name of a sandbox: use up to 40 lower-case letters, digits and '-', and not bin or tools", name)
	}
	return nil
}

// RunDir is where the sandbox mounts its private tmpfs.
func (o *Options) RunDir() string { return filepath.Join(o.StateDir, "run") }

// Encode returns the argument that ParseOptions reads.
func (o *Options) Encode() string {
	data, err := json.Marshal(o)
	if err != nil {
		panic(fmt.Sprintf("options hold only strings and numbers: %v", err))
	}
	return string(data)
}

// ParseOptions reads what Encode wrote.
func ParseOptions(argument string) (*Options, error) {
	o := &Options{}
	if err := json.Unmarshal([]byte(argument), o); err != nil {
		return nil, fmt.Errorf("parse options: %w", err)
	}
	return o, nil
}
