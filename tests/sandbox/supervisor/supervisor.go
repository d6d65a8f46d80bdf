// Package supervisor is process 1 of a sandbox: it starts the parts in order, keeps an eye on
// them, and serves the control API. It holds no state that must survive it: when it ends, the
// kernel ends everything else.
package supervisor

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/vishvananda/netlink"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"kubia.test/sandbox/config"
	"kubia.test/sandbox/controlplane"
	"kubia.test/sandbox/credentials"
	"kubia.test/sandbox/gateways"
	"kubia.test/sandbox/install"
	"kubia.test/sandbox/launch"
	"kubia.test/sandbox/load"
)

// Supervisor runs one sandbox.
type Supervisor struct {
	config *config.Config
	parts  []*part
	probe  *prober
	rest   *rest.Config
	client kubernetes.Interface
	load   *load.Writer
	began  time.Time
	// start is how long everything took to be ready, in nanoseconds; 0 until it is.
	start atomic.Int64
}

// Run starts the sandbox and keeps it until the host helper ends; it returns on failure only.
func Run(o *launch.Options) error {
	progress := launch.InheritedProgress()
	s := &Supervisor{began: o.Began}
	if err := s.run(o, progress); err != nil {
		progress.Failed(err)
		return err
	}
	return nil
}

func (s *Supervisor) run(o *launch.Options, progress *launch.Progress) error {
	if err := s.prepare(o); err != nil {
		return err
	}
	processes := newProcesses(s.config)
	hostExited := processes.adopt(o.HostPID)
	go processes.reap()
	for _, spec := range specs() {
		s.parts = append(s.parts, &part{spec: spec, processes: processes, probe: s.probe})
	}
	if err := runTasks(context.Background(), s.tasks(), progress.Line); err != nil {
		return err
	}
	s.start.Store(int64(time.Since(s.began)))
	if err := s.announce(o); err != nil {
		return err
	}
	progress.Ready()
	<-hostExited
	return fmt.Errorf("the helper in the host's network ended: nothing can be published any more")
}

// prepare does what needs no other process.
func (s *Supervisor) prepare(o *launch.Options) error {
	token := make([]byte, 16)
	if _, err := rand.Read(token); err != nil {
		return fmt.Errorf("make a token: %w", err)
	}
	s.config = &config.Config{
		Name: o.Name, X: o.X, StateDir: o.StateDir, RunDir: o.RunDir(), ToolsDir: o.ToolsDir,
		CRDFile: o.CRDFile, RBACFile: o.RBACFile, PathDirs: o.PathDirs, KubiaToken: hex.EncodeToString(token),
	}
	if err := s.config.Save(); err != nil {
		return err
	}
	if err := bringLoopbackUp(); err != nil {
		return err
	}
	chooseCongestionControl()
	if err := credentials.Create(s.config); err != nil {
		return err
	}
	if err := controlplane.WriteFiles(s.config); err != nil {
		return err
	}
	return s.connect()
}

func (s *Supervisor) connect() error {
	var err error
	if s.probe, err = newProber(s.config); err != nil {
		return err
	}
	if s.rest, err = clientcmd.BuildConfigFromFlags("", s.config.Kubeconfig("supervisor")); err != nil {
		return fmt.Errorf("load the supervisor's kubeconfig: %w", err)
	}
	s.rest.UserAgent = "kubia-sandbox-supervisor"
	s.rest.QPS, s.rest.Burst = 100, 200
	if s.client, err = kubernetes.NewForConfig(s.rest); err != nil {
		return fmt.Errorf("make a client: %w", err)
	}
	return s.prepareLoad()
}

// prepareLoad gives the writer a client of its own, whose rate is nobody's but its own business.
func (s *Supervisor) prepareLoad() error {
	unlimited := rest.CopyConfig(s.rest)
	unlimited.UserAgent = "kubia-sandbox-load"
	unlimited.QPS = -1
	client, err := kubernetes.NewForConfig(unlimited)
	if err != nil {
		return fmt.Errorf("make a client for background writes: %w", err)
	}
	s.load = load.NewWriter(client)
	return nil
}

// tasks are the parts and what is put into the cluster.
func (s *Supervisor) tasks() []task {
	tasks := []task{
		{name: "control API", run: s.serveControl},
		{name: "istio objects", needs: []string{"kube-apiserver"}, run: func(ctx context.Context) error {
			return install.Apply(ctx, s.rest, s.config)
		}},
		{name: "gateways", needs: []string{"istio objects", "kube-controller-manager", "kube-scheduler", "node-agent", "istiod"}, run: s.installGateways},
	}
	for _, p := range s.parts {
		tasks = append(tasks, task{name: p.name, needs: p.needs, run: p.start})
	}
	return tasks
}

func (s *Supervisor) installGateways(ctx context.Context) error {
	if err := gateways.Install(ctx, s.rest); err != nil {
		return err
	}
	return s.awaitGateways(ctx)
}

// announce writes the files with which users find the sandbox.
func (s *Supervisor) announce(o *launch.Options) error {
	if err := writeEnvironment(s.config); err != nil {
		return err
	}
	state := &launch.State{
		Name:          s.config.Name,
		X:             s.config.X,
		SupervisorPID: o.SupervisorPID,
		Control:       "http://" + s.config.PublicControl(),
		APIServer:     "https://" + s.config.PublicAPIServer(),
		Proxied:       "https://" + s.config.PublicProxied(),
	}
	return state.Write(s.config.StateDir)
}

// chooseCongestionControl makes TCP's window grow as on most servers, whatever this machine has: BBR
// spreads packets out in time. Reno begins like Linux's usual CUBIC, which not every machine allows here.
func chooseCongestionControl() {
	err := os.WriteFile("/proc/sys/net/ipv4/tcp_congestion_control", []byte("reno"), 0)
	if err != nil {
		fmt.Fprintln(os.Stderr, "TCP's congestion control stays this machine's own:", err)
	}
}

// bringLoopbackUp makes 127.0.0.0/8 of the new network namespace usable.
func bringLoopbackUp() error {
	link, err := netlink.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("find the loopback interface: %w", err)
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return fmt.Errorf("bring the loopback interface up: %w", err)
	}
	return nil
}
