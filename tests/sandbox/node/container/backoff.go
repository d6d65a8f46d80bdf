package container

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// The kubelet waits from 10 s to 5 min between restarts; a sandbox is in more
// of a hurry.
const (
	firstRestart = time.Second
	maxRestart   = 30 * time.Second
	// pullAttempt is how long an image pull takes to fail.
	pullAttempt = time.Second
)

// backoff doubles the wait before each restart and forgets about earlier
// failures once a run has lasted.
type backoff struct{ wait time.Duration }

func newBackoff() *backoff { return &backoff{wait: firstRestart} }

func (b *backoff) next(lasted time.Duration) time.Duration {
	if lasted > maxRestart {
		b.wait = firstRestart
	}
	wait := b.wait
	b.wait = min(2*b.wait, maxRestart)
	return wait
}

// backOff shows the program's end as the last one and the container as waiting.
func (c *Container) backOff(wait time.Duration) {
	c.update(func(status *corev1.ContainerStatus) {
		status.LastTerminationState = status.State
		status.State = waiting("CrashLoopBackOff", fmt.Sprintf("back-off %s restarting failed container=%s", wait, c.spec.Name))
	})
}

// failToPull goes on trying for an image that nobody has.
func (c *Container) failToPull(stop context.Context) {
	if c.image.ID == "" {
		<-stop.Done()
		return
	}
	delay := newBackoff()
	for {
		c.update(func(status *corev1.ContainerStatus) {
			status.State = waiting("ErrImagePull", fmt.Sprintf(
				"failed to pull image %q: the sandbox runs only the node image and images named proxyv2", c.image.Name))
		})
		if !sleep(stop, pullAttempt) {
			return
		}
		c.update(func(status *corev1.ContainerStatus) {
			status.State = waiting("ImagePullBackOff", fmt.Sprintf("Back-off pulling image %q", c.spec.Image))
		})
		if !sleep(stop, delay.next(0)) {
			return
		}
	}
}

// sleep waits; false if the context ended first.
func sleep(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
