// Package container runs a pod's containers: it starts their programs, restarts
// those that end, applies the faults a pod's annotations ask for, and keeps each
// container's status as a kubelet reports it.
package container

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"math"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// errCrash is why a program's context ends when an annotation makes it crash.
var errCrash = errors.New("crash asked for by annotation " + CrashAfterAnnotation)

// Container is one container of a pod on a node.
type Container struct {
	spec    corev1.Container
	policy  corev1.RestartPolicy
	image   Image
	program Program
	changed func()

	mu       sync.Mutex
	settings Settings
	status   corev1.ContainerStatus
	ranOnce  bool
	current  *execution
}

// execution is one run of the program.
type execution struct {
	started      time.Time
	programReady bool
	crash        context.CancelCauseFunc
	// recheck fires when time alone changes something: readiness, or a crash.
	recheck *time.Timer
}

// Options describe a container to New.
type Options struct {
	Spec          corev1.Container
	RestartPolicy corev1.RestartPolicy
	Settings      Settings
	// Previous is the status the API server has: not nil when the node comes
	// back to a pod it ran before.
	Previous *corev1.ContainerStatus
	// Program is called for images that are known.
	Program func(Behaviour, *Container) Program
	// Changed is called, without locks held, after each change of the status.
	Changed func()
}

// New returns a container that waits for Run.
func New(options Options) *Container {
	c := &Container{
		spec:     options.Spec,
		policy:   options.RestartPolicy,
		settings: options.Settings,
		changed:  options.Changed,
		status: corev1.ContainerStatus{
			Name:  options.Spec.Name,
			Image: options.Spec.Image,
			State: waiting("ContainerCreating", ""),
		},
	}
	started := false
	c.status.Started = &started
	if options.Previous != nil {
		c.comeBack(*options.Previous)
	}
	image, err := ParseImage(options.Spec.Image)
	c.image = image
	if err != nil {
		c.status.State = waiting("InvalidImageName", err.Error())
	} else if image.Behaviour != Unknown {
		c.program = options.Program(image.Behaviour, c)
	}
	return c
}

// comeBack takes over from the container that ended with an earlier agent.
func (c *Container) comeBack(previous corev1.ContainerStatus) {
	c.status.RestartCount = previous.RestartCount
	c.status.LastTerminationState = previous.LastTerminationState
	lost := previous.State.Terminated
	if running := previous.State.Running; running != nil {
		lost = &corev1.ContainerStateTerminated{
			ExitCode:    Killed.Code,
			Reason:      "ContainerStatusUnknown",
			Message:     "The container could not be located when the node came back",
			StartedAt:   running.StartedAt,
			FinishedAt:  metav1.Now(),
			ContainerID: previous.ContainerID,
		}
	}
	if lost != nil {
		c.ranOnce = true
		c.status.LastTerminationState = corev1.ContainerState{Terminated: lost}
	}
}

// Name returns the container's name.
func (c *Container) Name() string { return c.spec.Name }

// Status returns the status as it is now.
func (c *Container) Status() corev1.ContainerStatus {
	c.mu.Lock()
	defer c.mu.Unlock()
	return *c.status.DeepCopy()
}

// Settings returns the faults asked for at the moment.
func (c *Container) Settings() Settings {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.settings
}

// Configure applies other faults, also to the running program.
func (c *Container) Configure(settings Settings) {
	c.mu.Lock()
	c.settings = settings
	c.mu.Unlock()
	c.reconsider()
}

// Run keeps the container going until stop is done and the program has ended,
// at the latest when kill is done, or until its restart policy lets it end.
func (c *Container) Run(stop, kill context.Context) {
	if c.program == nil {
		c.failToPull(stop)
		return
	}
	delay := newBackoff()
	for {
		exit, lasted := c.runOnce(stop, kill)
		if stop.Err() != nil || !c.restarts(exit) {
			return
		}
		wait := delay.next(lasted)
		c.backOff(wait)
		if !sleep(stop, wait) {
			return
		}
	}
}

func (c *Container) restarts(exit Exit) bool {
	switch c.policy {
	case corev1.RestartPolicyNever:
		return false
	case corev1.RestartPolicyOnFailure:
		return exit.Code != 0
	default:
		return true
	}
}

func (c *Container) runOnce(stop, kill context.Context) (Exit, time.Duration) {
	kill, crash := context.WithCancelCause(kill)
	defer crash(nil)
	run := c.begin(crash)
	exit := c.program.Run(stop, kill, func(ready bool) {
		c.mu.Lock()
		run.programReady = ready
		c.mu.Unlock()
		c.reconsider()
	})
	if errors.Is(context.Cause(kill), errCrash) {
		exit = Failed
	}
	c.end(run, exit)
	return exit, time.Since(run.started)
}

func (c *Container) begin(crash context.CancelCauseFunc) *execution {
	run := &execution{started: time.Now(), crash: crash, recheck: time.AfterFunc(math.MaxInt64, c.reconsider)}
	c.update(func(status *corev1.ContainerStatus) {
		c.current = run
		if c.ranOnce {
			status.RestartCount++
		}
		c.ranOnce = true
		started := true
		status.Started = &started
		status.ContainerID = newContainerID()
		status.Image, status.ImageID = c.image.Name, c.image.ID
		status.State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(run.started)}}
	})
	c.reconsider()
	return run
}

func (c *Container) end(run *execution, exit Exit) {
	run.recheck.Stop()
	c.update(func(status *corev1.ContainerStatus) {
		c.current = nil
		started := false
		status.Started = &started
		status.Ready = false
		status.State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
			ExitCode:    exit.Code,
			Reason:      exit.Reason,
			StartedAt:   metav1.NewTime(run.started),
			FinishedAt:  metav1.Now(),
			ContainerID: status.ContainerID,
		}}
	})
}

// reconsider decides about readiness and crashes, and when to do so again.
func (c *Container) reconsider() {
	c.mu.Lock()
	run := c.current
	if run == nil {
		c.mu.Unlock()
		return
	}
	age := time.Since(run.started)
	if c.settings.Crashes && age >= c.settings.CrashAfter {
		run.crash(errCrash)
	}
	ready := run.programReady && !c.settings.NeverReady && age >= c.settings.ReadyAfter
	differs := ready != c.status.Ready
	c.status.Ready = ready
	if next, needed := c.settings.nextChange(age); needed {
		run.recheck.Reset(next)
	}
	c.mu.Unlock()
	if differs {
		c.changed()
	}
}

// nextChange tells when, after this age of a run, time alone changes something.
func (s Settings) nextChange(age time.Duration) (time.Duration, bool) {
	next, needed := time.Duration(0), false
	if s.Crashes && s.CrashAfter > age {
		next, needed = s.CrashAfter-age, true
	}
	if ready := s.ReadyAfter - age; ready > 0 && (!needed || ready < next) {
		next, needed = ready, true
	}
	return next, needed
}

// update changes the status and says so.
func (c *Container) update(change func(*corev1.ContainerStatus)) {
	c.mu.Lock()
	change(&c.status)
	c.mu.Unlock()
	c.changed()
}

func waiting(reason, message string) corev1.ContainerState {
	return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
}

func newContainerID() string {
	id := make([]byte, 32)
	rand.Read(id)
	return "containerd://" + hex.EncodeToString(id)
}
