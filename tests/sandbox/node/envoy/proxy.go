// Package envoy runs the Envoy of a gateway pod.
package envoy

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"kubia.test/sandbox/node/container"
	"kubia.test/sandbox/node/podnet"
)

const (
	readyURL = "http://127.0.0.1:15000/ready"
	// Envoy is asked often until it is ready, then now and then.
	startupProbePeriod = 50 * time.Millisecond
	probePeriod        = time.Second
	probeTimeout       = 3 * time.Second
)

// Proxy runs Envoy in a pod. It implements container.Program.
type Proxy struct {
	Binary    string
	Namespace *podnet.Namespace
	// ConfigFile is where Bootstrap is put before each start.
	ConfigFile string
	Bootstrap  []byte
	Log        io.Writer
}

// Run runs the process until it ends: stop sends it SIGTERM, kill SIGKILL.
func (p *Proxy) Run(stop, kill context.Context, ready func(bool)) container.Exit {
	if err := p.writeConfig(); err != nil {
		fmt.Fprintln(p.Log, err)
		return container.Failed
	}
	command := exec.CommandContext(kill, p.Binary,
		"--config-path", p.ConfigFile, "--concurrency", "1", "--disable-hot-restart", "--log-level", "warning")
	command.Stdout, command.Stderr = p.Log, p.Log
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}

	running, ended := context.WithCancel(context.Background())
	defer ended()
	err := p.Namespace.Do(func() error {
		if err := command.Start(); err != nil {
			return err
		}
		go p.watchReadiness(running, ready)
		unwatch := context.AfterFunc(stop, func() { command.Process.Signal(syscall.SIGTERM) })
		defer unwatch()
		return command.Wait()
	})
	if command.ProcessState == nil {
		fmt.Fprintln(p.Log, "start Envoy:", err)
		return container.Failed
	}
	return exit(command.ProcessState.Sys().(syscall.WaitStatus))
}

func (p *Proxy) writeConfig() error {
	if err := os.MkdirAll(filepath.Dir(p.ConfigFile), 0o700); err != nil {
		return fmt.Errorf("make a directory for Envoy's bootstrap: %w", err)
	}
	if err := os.WriteFile(p.ConfigFile, p.Bootstrap, 0o600); err != nil {
		return fmt.Errorf("write Envoy's bootstrap: %w", err)
	}
	return nil
}

func exit(status syscall.WaitStatus) container.Exit {
	switch {
	case status.Signaled():
		return container.Exit{Code: 128 + int32(status.Signal()), Reason: container.Failed.Reason}
	case status.ExitStatus() != 0:
		return container.Exit{Code: int32(status.ExitStatus()), Reason: container.Failed.Reason}
	default:
		return container.Completed
	}
}

// watchReadiness asks Envoy, as a readiness probe does, until ctx is done.
func (p *Proxy) watchReadiness(ctx context.Context, ready func(bool)) {
	client := &http.Client{
		Transport: &http.Transport{DialContext: p.Namespace.DialContext},
		Timeout:   probeTimeout,
	}
	defer client.CloseIdleConnections()
	period := startupProbePeriod
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	for live := false; ; {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if now := isLive(ctx, client); now != live && ctx.Err() == nil {
			live = now
			ready(live)
		}
		if live && period != probePeriod {
			period = probePeriod
			ticker.Reset(period)
		}
	}
}

func isLive(ctx context.Context, client *http.Client) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, readyURL, nil)
	if err != nil {
		return false
	}
	response, err := client.Do(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 64))
	return err == nil && response.StatusCode == http.StatusOK && strings.TrimSpace(string(body)) == "LIVE"
}
