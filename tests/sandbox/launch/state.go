package launch

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// State is the file state.json: written when the sandbox is ready, for those outside.
type State struct {
	Name string `json:"name"`
	X    int    `json:"x"`
	// SupervisorPID is the supervisor as seen from outside: killing it ends everything.
	SupervisorPID int    `json:"supervisorPid"`
	Control       string `json:"control"`
	APIServer     string `json:"apiServer"`
	Proxied       string `json:"proxied"`
}

// ReadState returns the state of the running sandbox, or nil when it is not (yet) ready.
func ReadState(stateDir string) (*State, error) {
	data, err := os.ReadFile(statePath(stateDir))
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the sandbox's state: %w", err)
	}
	state := &State{}
	if err := json.Unmarshal(data, state); err != nil {
		return nil, fmt.Errorf("parse the sandbox's state: %w", err)
	}
	// A file left by a sandbox that was killed says nothing about the one starting now.
	if holder, err := Holder(stateDir); err != nil || holder != state.SupervisorPID {
		return nil, err
	}
	return state, nil
}

// Write stores the state at once and whole, because others poll for it.
func (s *State) Write(stateDir string) error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the sandbox's state: %w", err)
	}
	temporary := statePath(stateDir) + ".new"
	if err := os.WriteFile(temporary, append(data, '\n'), 0o644); err != nil {
		return fmt.Errorf("write the sandbox's state: %w", err)
	}
	if err := os.Rename(temporary, statePath(stateDir)); err != nil {
		return fmt.Errorf("write the sandbox's state: %w", err)
	}
	return nil
}

// Files that lead into a running sandbox, and files that tell about the last one.
var (
	accessFiles = []string{"state.json", "env", "admin.kubeconfig", "kubia.kubeconfig", "proxied.kubeconfig", "wan.kubeconfig"}
	recordFiles = []string{"logs", "audit.log", "admin.log", "run"}
)

// RemoveAccess removes what would lead to a sandbox that is gone.
func RemoveAccess(stateDir string) error { return remove(stateDir, accessFiles) }

func clean(stateDir string) error {
	if err := RemoveAccess(stateDir); err != nil {
		return err
	}
	if err := remove(stateDir, recordFiles); err != nil {
		return err
	}
	for _, name := range []string{"logs", "run"} {
		if err := os.MkdirAll(filepath.Join(stateDir, name), 0o755); err != nil {
			return fmt.Errorf("create the state directory: %w", err)
		}
	}
	return nil
}

func remove(stateDir string, names []string) error {
	for _, name := range names {
		if err := os.RemoveAll(filepath.Join(stateDir, name)); err != nil {
			return fmt.Errorf("clean the state directory: %w", err)
		}
	}
	return nil
}

func statePath(stateDir string) string { return filepath.Join(stateDir, "state.json") }
