package pods

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
)

// Waits between attempts after an error.
const (
	firstRetry = 200 * time.Millisecond
	maxRetry   = 5 * time.Second
)

// worker runs one pod from the moment it is bound to a node until its object
// is gone.
type worker struct {
	manager *Manager
	name    types.NamespacedName
	// wake has room for one signal: something is to be looked at.
	wake chan struct{}

	mu      sync.Mutex
	pod     *corev1.Pod
	removed bool
	sandbox *sandbox

	// Of the worker's own goroutine alone:

	// address stays the pod's until its object is gone.
	address netip.Addr
	started metav1.Time
	// annotations are those that the running containers obey.
	annotations map[string]string
	// finished: everything has ended, only finalizers keep the object.
	finished bool
}

func newWorker(manager *Manager, pod *corev1.Pod) *worker {
	w := &worker{manager: manager, name: nameOf(pod), pod: pod, wake: make(chan struct{}, 1)}
	if address, err := netip.ParseAddr(pod.Status.PodIP); err == nil && manager.Network.Reserve(address) {
		w.address = address
	}
	w.signal()
	return w
}

// signal makes the worker look again.
func (w *worker) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// update takes over a state of the pod, unless it is older than the known one.
func (w *worker) update(pod *corev1.Pod) {
	w.mu.Lock()
	order, err := resourceversion.CompareResourceVersion(pod.ResourceVersion, w.pod.ResourceVersion)
	if err != nil || order >= 0 {
		w.pod = pod
	}
	w.mu.Unlock()
	w.signal()
}

// remove says that the pod's object is gone.
func (w *worker) remove() {
	w.mu.Lock()
	w.removed = true
	w.mu.Unlock()
	w.signal()
}

// running returns what runs for the pod; nil when nothing does.
func (w *worker) running() *sandbox {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sandbox
}

func (w *worker) setRunning(sandbox *sandbox) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sandbox = sandbox
}

func (w *worker) current() (pod *corev1.Pod, removed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.pod, w.removed
}

func (w *worker) run(ctx context.Context) {
	var retry <-chan time.Time
	wait := firstRetry
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.wake:
		case <-retry:
		}
		pod, removed := w.current()
		if removed && w.destroy() {
			w.manager.forget(pod.UID)
			return
		}
		if removed {
			continue
		}
		retry = nil
		if err := w.sync(ctx, pod); err != nil && ctx.Err() == nil {
			slog.Log(ctx, severity(err), "pod is not as it should be yet", "pod", w.name, "error", err)
			retry = time.After(wait)
			wait = min(2*wait, maxRetry)
		} else {
			wait = firstRetry
		}
	}
}

// severity is low where the pod has changed meanwhile: its newer state is on
// its way.
func severity(err error) slog.Level {
	if apierrors.IsConflict(err) {
		return slog.LevelDebug
	}
	return slog.LevelWarn
}

// sync brings what runs in line with the pod's object, and its status in line
// with what runs.
func (w *worker) sync(ctx context.Context, pod *corev1.Pod) error {
	switch {
	case w.finished:
		return nil
	case pod.DeletionTimestamp != nil:
		return w.terminate(ctx, pod)
	case pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed:
		return nil
	}
	startError := w.start(pod)
	return errors.Join(startError, w.publish(ctx, pod))
}

// start starts the pod, or applies its present annotations to what runs.
func (w *worker) start(pod *corev1.Pod) error {
	if running := w.running(); running != nil {
		if !maps.Equal(pod.Annotations, w.annotations) {
			running.configure(settings(pod))
			w.annotations = pod.Annotations
		}
		return nil
	}
	if w.started.IsZero() {
		w.started = metav1.Now()
	}
	if !w.address.IsValid() {
		address, err := w.manager.Network.Allocate()
		if err != nil {
			return err
		}
		w.address = address
	}
	sandbox, err := w.manager.startSandbox(pod, w.address, w.signal)
	if err != nil {
		return fmt.Errorf("start the pod: %w", err)
	}
	w.setRunning(sandbox)
	w.annotations = pod.Annotations
	return nil
}

// terminate stops a pod that is being deleted; when everything has ended, it
// lets the API server remove the object.
func (w *worker) terminate(ctx context.Context, pod *corev1.Pod) error {
	if running := w.running(); running != nil {
		if running.terminate(gracePeriod(pod)) {
			w.manager.recorder.Event(pod, corev1.EventTypeNormal, "Killing", "Stopping the pod's containers")
		}
		if err := w.publish(ctx, pod); err != nil || !running.hasEnded() {
			return err
		}
		w.free(running)
	} else if err := w.publish(ctx, pod); err != nil {
		return err
	}
	now := int64(0)
	err := w.manager.Client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{
		GracePeriodSeconds: &now,
		Preconditions:      &metav1.Preconditions{UID: &pod.UID},
	})
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return fmt.Errorf("remove the pod's object: %w", err)
	}
	w.finished = true
	return nil
}

// destroy ends a pod whose object is gone; true when nothing is left of it.
func (w *worker) destroy() bool {
	if running := w.running(); running != nil {
		running.terminate(0)
		if !running.hasEnded() {
			return false
		}
		w.free(running)
	}
	if w.address.IsValid() {
		w.manager.Network.Release(w.address)
	}
	return true
}

// free gives up what a pod whose containers have ended still holds.
func (w *worker) free(ended *sandbox) {
	w.setRunning(nil)
	directory := filepath.Join(w.manager.Directory, string(ended.pod.UID))
	if err := errors.Join(ended.close(), os.RemoveAll(directory)); err != nil {
		slog.Warn("pod left something behind", "pod", w.name, "error", err)
	}
}

func gracePeriod(pod *corev1.Pod) time.Duration {
	if pod.DeletionGracePeriodSeconds == nil {
		return 0
	}
	return time.Duration(*pod.DeletionGracePeriodSeconds) * time.Second
}

// publish reports the pod's status, if it differs from the one reported.
func (w *worker) publish(ctx context.Context, pod *corev1.Pod) error {
	seen := observation{
		hostIP:     w.manager.NodeAddresses[pod.Spec.NodeName],
		started:    w.started,
		containers: pod.Status.ContainerStatuses,
	}
	if running := w.running(); running != nil {
		seen.podIP = w.address.String()
		seen.containers = running.statuses()
	}
	patch, err := statusPatch(pod, newStatus(pod, seen, metav1.Now()))
	if patch == nil || err != nil {
		return err
	}
	updated, err := w.manager.Client.CoreV1().Pods(pod.Namespace).
		Patch(ctx, pod.Name, types.MergePatchType, patch, metav1.PatchOptions{}, "status")
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("report the pod's status: %w", err)
	}
	w.update(updated)
	recordChanges(w.manager.recorder, updated, pod.Status.ContainerStatuses)
	return nil
}
