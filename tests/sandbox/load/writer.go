// Package load keeps the cluster's store busy on request with writes to an object that nobody
// else reads: how fast others are read depends on how often anything at all is written.
package load

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
)

const (
	namespace = "kube-system"
	name      = "kubia-sandbox-load"

	// MaxRate is more than two processors sustain.
	MaxRate = 1000
	// A write that takes long must not hold up the next one, but a server that is
	// stopped must not collect writes without end either.
	maxInFlight = 16
)

// Status is what the writer does, and what it has done since it was last told a rate.
type Status struct {
	WritesPerSecond int   `json:"writesPerSecond"`
	Writes          int64 `json:"writes"`
	Failures        int64 `json:"failures"`
}

// Writer writes at the rate it was last told; it does nothing until it is told one.
type Writer struct {
	client kubernetes.Interface

	// mutex makes changes of the rate follow each other.
	mutex            sync.Mutex
	rate             int
	stop             func()
	writes, failures atomic.Int64
}

// NewWriter returns a writer that is at rest. The client must not limit its own rate.
func NewWriter(client kubernetes.Interface) *Writer {
	return &Writer{client: client, stop: func() {}}
}

// Status returns the rate and the counts.
func (w *Writer) Status() Status {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.status()
}

func (w *Writer) status() Status {
	return Status{WritesPerSecond: w.rate, Writes: w.writes.Load(), Failures: w.failures.Load()}
}

// Set changes the rate, in writes per second; at 0 the object is removed. When it returns, no
// write at the earlier rate is under way any more. The context is only for the change itself.
func (w *Writer) Set(ctx context.Context, rate int) (Status, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.stop()
	w.stop, w.rate = func() {}, 0
	w.writes.Store(0)
	w.failures.Store(0)
	if rate == 0 {
		return w.status(), w.remove(ctx)
	}
	if err := w.create(ctx); err != nil {
		return w.status(), err
	}
	running, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.run(running, time.Second/time.Duration(rate))
	}()
	w.rate = rate
	w.stop = func() {
		cancel()
		<-done
	}
	return w.status(), nil
}

func (w *Writer) run(ctx context.Context, interval time.Duration) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	slots := make(chan struct{}, maxInFlight)
	var writes sync.WaitGroup
	defer writes.Wait()
	for number := 1; ; number++ {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		writes.Go(func() {
			defer func() { <-slots }()
			w.write(ctx, number)
		})
	}
}

func (w *Writer) write(ctx context.Context, number int) {
	patch := fmt.Appendf(nil, `{"data":{"write":"%d"}}`, number)
	_, err := w.client.CoreV1().ConfigMaps(namespace).Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{})
	switch {
	case err == nil:
		w.writes.Add(1)
	case ctx.Err() == nil:
		w.failures.Add(1)
	}
}

func (w *Writer) create(ctx context.Context) error {
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}}
	_, err := w.client.CoreV1().ConfigMaps(namespace).Create(ctx, object, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("create the ConfigMap to write to: %w", err)
	}
	return nil
}

func (w *Writer) remove(ctx context.Context) error {
	err := w.client.CoreV1().ConfigMaps(namespace).Delete(ctx, name, metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("remove the ConfigMap written to: %w", err)
	}
	return nil
}
