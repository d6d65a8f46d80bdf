package supervisor

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"kubia.test/sandbox/config"
	"kubia.test/sandbox/controlplane"
)

// PartCommand is the subcommand with which this binary runs as a part.
const PartCommand = "part"

const startPatience = 2 * time.Minute

// spec says how a part is started and how one sees that it is ready.
type spec struct {
	name        string
	needs       []string
	environment []string
	readyURL    string
}

// specs are the parts in the order in which status lists them.
func specs() []spec {
	loopback := func(port int) string { return fmt.Sprintf("https://127.0.0.1:%d/healthz", port) }
	return []spec{
		{name: "etcd", readyURL: "http://" + config.EtcdAddress + "/readyz"},
		{name: "kube-apiserver", readyURL: "https://" + config.APIServerAddress + "/readyz"},
		{name: "kube-controller-manager", needs: []string{"kube-apiserver"}, readyURL: loopback(controlplane.ControllerManagerPort)},
		{name: "kube-scheduler", needs: []string{"kube-apiserver"}, readyURL: loopback(controlplane.SchedulerPort)},
		{
			name: "istiod", needs: []string{"kube-apiserver"}, environment: controlplane.IstiodEnvironment(),
			readyURL: "http://" + config.IstiodHTTPAddress + "/ready",
		},
		{name: "api-proxy", readyURL: "http://" + config.APIProxyControl + "/readyz"},
		{name: "node-agent", needs: []string{"kube-apiserver"}, readyURL: "http://" + config.NodeAgentControl + "/readyz"},
		{name: "node-proxy", needs: []string{"kube-apiserver"}, readyURL: "http://" + config.NodeProxyControl + "/readyz"},
	}
}

var (
	errRunning = errors.New("is running already")
	errEnded   = errors.New("is not running")
)

// part is one part's process over time.
type part struct {
	spec
	processes *processes
	probe     *prober

	// operation makes starts and ends of the part follow each other; mutex guards what is below.
	operation sync.Mutex
	mutex     sync.Mutex
	pid       int
	exited    <-chan struct{}
	restarts  int
}

// start starts the process and waits until it is ready.
func (p *part) start(ctx context.Context) error {
	p.operation.Lock()
	defer p.operation.Unlock()
	return p.startLocked(ctx)
}

func (p *part) startLocked(ctx context.Context) error {
	if p.alive() {
		return fmt.Errorf("%s %w", p.name, errRunning)
	}
	pid, exited, err := p.processes.start(p.name, p.environment)
	if err != nil {
		return err
	}
	p.mutex.Lock()
	p.pid, p.exited = pid, exited
	p.mutex.Unlock()
	return p.awaitReady(ctx, exited)
}

func (p *part) awaitReady(ctx context.Context, exited <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := p.probe.ready(ctx, p.readyURL)
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-exited:
			return fmt.Errorf("%s ended before it was ready (see logs/%s.log)", p.name, p.name)
		case <-ctx.Done():
			return fmt.Errorf("%s was not ready in time: %w (see logs/%s.log)", p.name, err, p.name)
		}
	}
}

// restart ends the process if there is one, and starts it anew.
func (p *part) restart(ctx context.Context) error {
	p.operation.Lock()
	defer p.operation.Unlock()
	if err := p.killLocked(); err != nil && !errors.Is(err, errEnded) {
		return err
	}
	p.mutex.Lock()
	p.restarts++
	p.mutex.Unlock()
	return p.startLocked(ctx)
}

// kill ends the process at once and waits until it is gone.
func (p *part) kill() error {
	p.operation.Lock()
	defer p.operation.Unlock()
	return p.killLocked()
}

func (p *part) killLocked() error {
	if err := p.signal(unix.SIGKILL); err != nil {
		return err
	}
	<-p.exited
	return nil
}

// signal sends a signal to the process.
func (p *part) signal(signal unix.Signal) error {
	if !p.alive() {
		return fmt.Errorf("%s %w", p.name, errEnded)
	}
	pid, _ := p.counters()
	if err := unix.Kill(pid, signal); err != nil {
		return fmt.Errorf("signal %s: %w", p.name, err)
	}
	return nil
}

func (p *part) alive() bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.exited == nil {
		return false
	}
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

func (p *part) counters() (pid, restarts int) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.pid, p.restarts
}
