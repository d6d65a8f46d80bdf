package command

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A restart answers only when the part is ready again.
const operationPatience = 3 * time.Minute

// fault sends one request to the control API and prints the answer.
func fault(arguments []string) (int, error) {
	t := &target{}
	flags := newFlags("fault", t)
	if err := t.parse(flags, arguments, 2, 3); err != nil {
		return exitUsage, err
	}
	state, err := t.running()
	if err != nil {
		return exitFailed, err
	}
	if state == nil {
		return t.notRunning(os.Stderr), nil
	}
	method, path, body := strings.ToUpper(flags.Arg(0)), flags.Arg(1), flags.Arg(2)
	request, err := http.NewRequest(method, state.Control+path, strings.NewReader(body))
	if err != nil {
		return exitUsage, fmt.Errorf("make the request: %w", err)
	}
	response, err := (&http.Client{Timeout: operationPatience}).Do(request)
	if err != nil {
		return exitFailed, fmt.Errorf("ask sandbox %s: %w", t.name, err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(os.Stdout, response.Body); err != nil {
		return exitFailed, fmt.Errorf("read the answer: %w", err)
	}
	if response.StatusCode >= http.StatusBadRequest {
		return exitFailed, errors.New(response.Status)
	}
	return exitOK, nil
}

// logs prints the log of a part, also of a sandbox that has ended.
func logs(arguments []string) (int, error) {
	t := &target{}
	flags := newFlags("logs", t)
	if err := t.parse(flags, arguments, 1, 1); err != nil {
		return exitUsage, err
	}
	dir, err := t.stateDir()
	if err != nil {
		return exitFailed, err
	}
	name := flags.Arg(0)
	file, err := os.Open(filepath.Join(dir, "logs", filepath.Base(name)+".log"))
	if os.IsNotExist(err) {
		return exitFailed, fmt.Errorf("sandbox %s has no log of a part %q", t.name, name)
	}
	if err != nil {
		return exitFailed, fmt.Errorf("open the log: %w", err)
	}
	defer file.Close()
	if _, err := io.Copy(os.Stdout, file); err != nil {
		return exitFailed, fmt.Errorf("read the log: %w", err)
	}
	return exitOK, nil
}
