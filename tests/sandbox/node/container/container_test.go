package container

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// server is a program that is ready at once and runs until it is stopped.
type server struct{ runs atomic.Int32 }

func (s *server) Run(stop, kill context.Context, ready func(bool)) Exit {
	s.runs.Add(1)
	ready(true)
	select {
	case <-kill.Done():
		return Killed
	case <-stop.Done():
		return Completed
	}
}

// running is a container under test and the changes it reports.
type running struct {
	*Container
	changes chan struct{}
	stop    context.CancelFunc
	ended   chan struct{}
}

func run(t *testing.T, options Options, program Program) *running {
	t.Helper()
	r := &running{changes: make(chan struct{}, 1), ended: make(chan struct{})}
	options.Spec.Name = "app"
	if options.Spec.Image == "" {
		options.Spec.Image = "node:22"
	}
	options.Program = func(Behaviour, *Container) Program { return program }
	options.Changed = func() {
		select {
		case r.changes <- struct{}{}:
		default:
		}
	}
	r.Container = New(options)
	stop, cancel := context.WithCancel(context.Background())
	r.stop = cancel
	go func() {
		defer close(r.ended)
		r.Run(stop, context.Background())
	}()
	t.Cleanup(func() {
		cancel()
		<-r.ended
	})
	return r
}

// wait waits for a status, as a watch would.
func (r *running) wait(t *testing.T, what string, is func(corev1.ContainerStatus) bool) corev1.ContainerStatus {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for {
		status := r.Status()
		if is(status) {
			return status
		}
		select {
		case <-r.changes:
		case <-deadline:
			t.Fatalf("not %s: %+v", what, status)
		}
	}
}

func isReady(status corev1.ContainerStatus) bool { return status.Ready }

func waits(reason string) func(corev1.ContainerStatus) bool {
	return func(status corev1.ContainerStatus) bool {
		return status.State.Waiting != nil && status.State.Waiting.Reason == reason
	}
}

func TestContainerRunsUntilItIsStopped(t *testing.T) {
	c := run(t, Options{}, &server{})
	status := c.wait(t, "ready", isReady)
	if status.Image != "docker.io/library/node:22" || status.ContainerID == "" || status.RestartCount != 0 {
		t.Errorf("got %+v", status)
	}
	c.stop()
	<-c.ended
	if ended := c.Status().State.Terminated; ended == nil || ended.Reason != "Completed" || c.Status().Ready {
		t.Errorf("after the stop: %+v", c.Status())
	}
}

func TestCrashAnnotationEndsAndRestartsTheProgram(t *testing.T) {
	program := &server{}
	c := run(t, Options{}, program)
	c.wait(t, "ready", isReady)
	c.Configure(Settings{Crashes: true})
	status := c.wait(t, "backing off", waits("CrashLoopBackOff"))
	if last := status.LastTerminationState.Terminated; last == nil || last.ExitCode != 1 || status.RestartCount != 0 {
		t.Errorf("after the crash: %+v", status)
	}
	c.Configure(Settings{})
	if status := c.wait(t, "ready again", isReady); status.RestartCount != 1 || program.runs.Load() != 2 {
		t.Errorf("after the restart: %+v, %d runs", status, program.runs.Load())
	}
}

func TestReadinessFollowsTheAnnotation(t *testing.T) {
	c := run(t, Options{Settings: Settings{ReadyAfter: time.Hour}}, &server{})
	started := c.wait(t, "running", func(status corev1.ContainerStatus) bool { return status.State.Running != nil })
	if started.Ready {
		t.Error("ready at once")
	}
	c.Configure(Settings{ReadyAfter: 50 * time.Millisecond})
	c.wait(t, "ready", isReady)
	c.Configure(Settings{NeverReady: true})
	c.wait(t, "unready", func(status corev1.ContainerStatus) bool { return !status.Ready })
}

func TestUnknownImageIsNotPulled(t *testing.T) {
	program := &server{}
	c := run(t, Options{Spec: corev1.Container{Image: "registry.example/kubia-v1:latest"}}, program)
	c.wait(t, "failing to pull", waits("ErrImagePull"))
	c.wait(t, "backing off", waits("ImagePullBackOff"))
	if program.runs.Load() != 0 {
		t.Error("the program ran")
	}
}

func TestRestartPolicyNeverLeavesTheContainerEnded(t *testing.T) {
	c := run(t, Options{RestartPolicy: corev1.RestartPolicyNever, Settings: Settings{Crashes: true}}, &server{})
	<-c.ended
	if ended := c.Status().State.Terminated; ended == nil || ended.ExitCode != 1 {
		t.Errorf("got %+v", c.Status())
	}
}

func TestContainerOfAnAgentThatWasKilledCountsAsRestarted(t *testing.T) {
	c := run(t, Options{Previous: &corev1.ContainerStatus{
		RestartCount: 2,
		State:        corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}},
	}}, &server{})
	status := c.wait(t, "ready", isReady)
	if last := status.LastTerminationState.Terminated; status.RestartCount != 3 || last == nil || last.ExitCode != 137 {
		t.Errorf("got %+v", status)
	}
}

func TestParseImage(t *testing.T) {
	tests := map[string]Behaviour{
		"node:22":                        NodeJS,
		"docker.io/library/node:22-slim": NodeJS,
		"node@sha256:0123456789012345678901234567890123456789012345678901234567890123": NodeJS,
		"docker.io/istio/proxyv2:1.31.0":                                               IstioProxy,
		"registry.example/mesh/proxyv2:1":                                              IstioProxy,
		"registry.example/node:22":                                                     Unknown,
		"nginx":                                                                        Unknown,
	}
	for text, want := range tests {
		if image, err := ParseImage(text); err != nil || image.Behaviour != want || image.ID == "" {
			t.Errorf("%s: got %+v, %v", text, image, err)
		}
	}
	if _, err := ParseImage("UPPER/!!"); err == nil {
		t.Error("an impossible name is accepted")
	}
}

func TestParseSettingsSaysWhatItCannotRead(t *testing.T) {
	settings, err := ParseSettings(map[string]string{
		ErrorRateAnnotation:  "1.5",
		LatencyAnnotation:    "250",
		ReadyAfterAnnotation: "never",
		CrashAfterAnnotation: "soon",
	})
	if want := (Settings{Latency: 250 * time.Millisecond, NeverReady: true}); settings != want || err == nil {
		t.Errorf("got %+v, %v", settings, err)
	}
}
