// Package pods is the kubelet's main part: it runs the pods bound to the
// sandbox's nodes and reports on them.
package pods

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"

	"kubia.test/sandbox/node/container"
	"kubia.test/sandbox/node/podnet"
	"kubia.test/sandbox/node/xds"
)

// Manager keeps one worker per pod of the nodes.
type Manager struct {
	Client  kubernetes.Interface
	Network *podnet.Network
	Relays  *xds.Relays
	// NodeAddresses are the host IPs of the nodes this manager runs pods for.
	NodeAddresses map[string]string
	EnvoyBinary   string
	// Directory is for files of pods.
	Directory string

	recorder record.EventRecorder

	mu      sync.Mutex
	workers map[types.UID]*worker
}

// Run runs the pods of a synced informer until ctx is done.
func (m *Manager) Run(ctx context.Context, informer cache.SharedIndexInformer) error {
	m.recorder = newRecorder(ctx, m.Client)
	m.mu.Lock()
	m.workers = make(map[types.UID]*worker)
	m.mu.Unlock()
	// Pods that have addresses keep them: all of those are reserved before
	// the first pod without one starts.
	var found []*worker
	for _, object := range informer.GetStore().List() {
		if pod := object.(*corev1.Pod); m.isOurs(pod) {
			found = append(found, m.adopt(pod))
		}
	}
	for _, worker := range found {
		go worker.run(ctx)
	}
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { m.apply(ctx, object.(*corev1.Pod)) },
		UpdateFunc: func(_, object any) { m.apply(ctx, object.(*corev1.Pod)) },
		DeleteFunc: func(object any) { m.remove(object) },
	})
	if err != nil {
		return fmt.Errorf("follow the pods: %w", err)
	}
	<-ctx.Done()
	return nil
}

func (m *Manager) isOurs(pod *corev1.Pod) bool {
	_, ours := m.NodeAddresses[pod.Spec.NodeName]
	return ours
}

func (m *Manager) apply(ctx context.Context, pod *corev1.Pod) {
	if !m.isOurs(pod) {
		return
	}
	m.mu.Lock()
	known := m.workers[pod.UID]
	m.mu.Unlock()
	if known != nil {
		known.update(pod)
		return
	}
	go m.adopt(pod).run(ctx)
}

// adopt makes the worker of a pod.
func (m *Manager) adopt(pod *corev1.Pod) *worker {
	worker := newWorker(m, pod)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.workers[pod.UID] = worker
	return worker
}

func (m *Manager) remove(object any) {
	if unknown, missed := object.(cache.DeletedFinalStateUnknown); missed {
		object = unknown.Obj
	}
	pod, ok := object.(*corev1.Pod)
	if !ok {
		return
	}
	m.mu.Lock()
	worker := m.workers[pod.UID]
	m.mu.Unlock()
	if worker != nil {
		worker.remove()
	}
}

func (m *Manager) forget(uid types.UID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.workers, uid)
}

// find returns what runs for a pod.
func (m *Manager) find(pod types.NamespacedName) (*sandbox, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, worker := range m.workers {
		if worker.name != pod {
			continue
		}
		if sandbox := worker.running(); sandbox != nil {
			return sandbox, nil
		}
	}
	return nil, fmt.Errorf("pod %s is not running", pod)
}

// Dial connects to a port on the loopback interface of a pod.
func (m *Manager) Dial(ctx context.Context, pod types.NamespacedName, port int32) (net.Conn, error) {
	sandbox, err := m.find(pod)
	if err != nil {
		return nil, err
	}
	var failures []error
	for _, host := range []string{"127.0.0.1", "::1"} {
		address := net.JoinHostPort(host, strconv.Itoa(int(port)))
		connection, err := sandbox.attachment.Namespace.DialContext(ctx, "tcp", address)
		if err == nil {
			return connection, nil
		}
		failures = append(failures, err)
	}
	return nil, errors.Join(failures...)
}

// Log returns the output of a pod's container.
func (m *Manager) Log(pod types.NamespacedName, containerName string) (*container.Log, error) {
	sandbox, err := m.find(pod)
	if err != nil {
		return nil, err
	}
	log := sandbox.logs[containerName]
	if log == nil {
		return nil, fmt.Errorf("pod %s has no container %s", pod, containerName)
	}
	return log, nil
}

// settings reads a pod's annotations, and says aloud what it cannot read.
func settings(pod *corev1.Pod) container.Settings {
	settings, err := container.ParseSettings(pod.Annotations)
	if err != nil {
		slog.Warn("annotations ignored", "pod", pod.Namespace+"/"+pod.Name, "error", err)
	}
	return settings
}
