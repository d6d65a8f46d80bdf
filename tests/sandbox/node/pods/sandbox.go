package pods

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"kubia.test/sandbox/node/container"
	"kubia.test/sandbox/node/envoy"
	"kubia.test/sandbox/node/kubia"
	"kubia.test/sandbox/node/podnet"
	"kubia.test/sandbox/node/xds"
)

// linger is how long a pod that is being deleted still serves. In a cluster the
// tutorial's program ignores SIGTERM for the whole grace period and Istio's
// agent lets Envoy drain for 5 s; after one second all that leads to the pod
// has learnt that it goes.
const linger = time.Second

// sandbox is a pod that has been started: its network and its containers.
type sandbox struct {
	manager    *Manager
	pod        *corev1.Pod
	attachment *podnet.Attachment
	containers []*container.Container
	logs       map[string]*container.Log
	// relay leads to istiod; nil where no container is a gateway.
	relay *xds.Relay

	stop, kill context.CancelFunc
	// deadline is when kill follows stop.
	deadline time.Time
	// ended is closed when every container has ended for good.
	ended chan struct{}
}

// startSandbox connects the pod and starts its containers; changed is called
// whenever one of their statuses changes.
func (m *Manager) startSandbox(pod *corev1.Pod, address netip.Addr, changed func()) (*sandbox, error) {
	attachment, err := m.Network.Attach(string(pod.UID), address)
	if err != nil {
		return nil, err
	}
	s := &sandbox{
		manager:    m,
		pod:        pod,
		attachment: attachment,
		logs:       make(map[string]*container.Log),
		ended:      make(chan struct{}),
	}
	kill, cancelKill := context.WithCancel(context.Background())
	stop, cancelStop := context.WithCancel(kill)
	s.kill, s.stop = cancelKill, cancelStop
	for i := range pod.Spec.Containers {
		s.containers = append(s.containers, s.newContainer(&pod.Spec.Containers[i], changed))
	}
	go s.run(stop, kill, changed)
	return s, nil
}

func (s *sandbox) newContainer(spec *corev1.Container, changed func()) *container.Container {
	log := container.NewLog()
	s.logs[spec.Name] = log
	var previous *corev1.ContainerStatus
	for i := range s.pod.Status.ContainerStatuses {
		if status := &s.pod.Status.ContainerStatuses[i]; status.Name == spec.Name {
			previous = status
		}
	}
	return container.New(container.Options{
		Spec:          *spec,
		RestartPolicy: s.pod.Spec.RestartPolicy,
		Settings:      settings(s.pod),
		Previous:      previous,
		Changed:       changed,
		Program: func(behaviour container.Behaviour, c *container.Container) container.Program {
			program, err := s.program(behaviour, spec, c, log)
			if err != nil {
				return container.Broken{Problem: err.Error(), Log: log}
			}
			return program
		},
	})
}

func (s *sandbox) program(behaviour container.Behaviour, spec *corev1.Container, c *container.Container, log *container.Log) (container.Program, error) {
	switch behaviour {
	case container.NodeJS:
		words := append(append([]string(nil), spec.Command...), spec.Args...)
		program, err := kubia.ParseProgram(words)
		if err != nil {
			return nil, err
		}
		return &kubia.App{
			Program:  program,
			PodName:  s.pod.Name,
			Log:      log,
			Listen:   s.attachment.Namespace.Listen,
			Settings: c.Settings,
		}, nil
	case container.IstioProxy:
		return s.proxy(log)
	default:
		return nil, fmt.Errorf("no program for image %s", spec.Image)
	}
}

func (s *sandbox) proxy(log *container.Log) (container.Program, error) {
	if s.relay != nil {
		return nil, errors.New("the sandbox runs one proxy per pod")
	}
	relay, err := s.manager.Relays.Open(nameOf(s.pod))
	if err != nil {
		return nil, err
	}
	s.relay = relay
	bootstrap, err := envoy.Bootstrap(s.pod, s.attachment.Address, relay.Address())
	if err != nil {
		return nil, err
	}
	return &envoy.Proxy{
		Binary:     s.manager.EnvoyBinary,
		Namespace:  s.attachment.Namespace,
		ConfigFile: filepath.Join(s.manager.Directory, string(s.pod.UID), "envoy.yaml"),
		Bootstrap:  bootstrap,
		Log:        log,
	}, nil
}

func (s *sandbox) run(stop, kill context.Context, changed func()) {
	var containers sync.WaitGroup
	for _, c := range s.containers {
		containers.Go(func() { c.Run(stop, kill) })
	}
	containers.Wait()
	close(s.ended)
	changed()
}

// terminate stops the containers after lingering, and kills them when the grace
// period is over. Calling it again can only shorten the period; true the first
// time. One goroutine may call it.
func (s *sandbox) terminate(grace time.Duration) bool {
	first := s.deadline.IsZero()
	if first {
		time.AfterFunc(linger, s.stop)
	}
	if deadline := time.Now().Add(grace); first || deadline.Before(s.deadline) {
		s.deadline = deadline
		time.AfterFunc(grace, s.kill)
	}
	return first
}

func (s *sandbox) hasEnded() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

func (s *sandbox) configure(settings container.Settings) {
	for _, c := range s.containers {
		c.Configure(settings)
	}
}

func (s *sandbox) statuses() []corev1.ContainerStatus {
	statuses := make([]corev1.ContainerStatus, 0, len(s.containers))
	for _, c := range s.containers {
		statuses = append(statuses, c.Status())
	}
	return statuses
}

// close frees what the pod held, once its containers have ended.
func (s *sandbox) close() error {
	if s.relay != nil {
		s.manager.Relays.Close(nameOf(s.pod), s.relay)
	}
	return s.attachment.Detach()
}

func nameOf(pod *corev1.Pod) types.NamespacedName {
	return types.NamespacedName{Namespace: pod.Namespace, Name: pod.Name}
}
