package pods

import (
	"encoding/json"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var (
	earlier = metav1.NewTime(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	later   = metav1.NewTime(earlier.Add(time.Minute))
)

func testPod(policy corev1.RestartPolicy) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "pod", UID: "uid", ResourceVersion: "7", Generation: 1},
		Spec:       corev1.PodSpec{RestartPolicy: policy, Containers: []corev1.Container{{Name: "app"}}},
	}
}

func containerIn(state corev1.ContainerState, ready bool) []corev1.ContainerStatus {
	return []corev1.ContainerStatus{{Name: "app", State: state, Ready: ready}}
}

func TestPhase(t *testing.T) {
	running := corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
	ended := func(code int32) corev1.ContainerState {
		return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code}}
	}
	waiting := corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{}}
	crashed := containerIn(waiting, false)
	crashed[0].LastTerminationState = ended(1)
	tests := map[string]struct {
		policy     corev1.RestartPolicy
		containers []corev1.ContainerStatus
		want       corev1.PodPhase
	}{
		"nothing seen":      {corev1.RestartPolicyAlways, nil, corev1.PodPending},
		"waiting":           {corev1.RestartPolicyAlways, containerIn(waiting, false), corev1.PodPending},
		"between two runs":  {corev1.RestartPolicyAlways, crashed, corev1.PodRunning},
		"running":           {corev1.RestartPolicyAlways, containerIn(running, true), corev1.PodRunning},
		"ended, restarts":   {corev1.RestartPolicyAlways, containerIn(ended(0), false), corev1.PodRunning},
		"succeeded":         {corev1.RestartPolicyOnFailure, containerIn(ended(0), false), corev1.PodSucceeded},
		"failed, for good":  {corev1.RestartPolicyNever, containerIn(ended(1), false), corev1.PodFailed},
		"failed, once more": {corev1.RestartPolicyOnFailure, containerIn(ended(1), false), corev1.PodRunning},
	}
	for name, test := range tests {
		if got := phase(testPod(test.policy), test.containers); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

func TestConditionsKeepTheirTimesAndThoseOfOthers(t *testing.T) {
	pod := testPod(corev1.RestartPolicyAlways)
	pod.Status.Conditions = []corev1.PodCondition{
		{Type: "example.com/Gate", Status: corev1.ConditionTrue, LastTransitionTime: earlier},
		{Type: corev1.PodInitialized, Status: corev1.ConditionTrue, LastTransitionTime: earlier},
		{Type: corev1.PodReady, Status: corev1.ConditionFalse, LastTransitionTime: earlier},
	}
	running := corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
	status := newStatus(pod, observation{podIP: "10.244.0.2", containers: containerIn(running, true)}, later)

	want := map[corev1.PodConditionType]metav1.Time{
		"example.com/Gate":    earlier,
		corev1.PodInitialized: earlier,
		corev1.PodReady:       later,
	}
	for _, condition := range status.Conditions {
		if time, listed := want[condition.Type]; listed && !condition.LastTransitionTime.Equal(&time) {
			t.Errorf("%s changed at %s, want %s", condition.Type, condition.LastTransitionTime, time)
		}
		if condition.Status != corev1.ConditionTrue {
			t.Errorf("%s is %s", condition.Type, condition.Status)
		}
		delete(want, condition.Type)
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", want)
	}
}

func TestStatusPatchIsGuardedAndEmptyWhenNothingChanged(t *testing.T) {
	pod := testPod(corev1.RestartPolicyAlways)
	// The API server keeps whole seconds: less is no difference.
	now := metav1.NewTime(later.Add(time.Millisecond))
	pod.Status = newStatus(pod, observation{hostIP: "127.2.0.2", started: now}, later)
	if patch, err := statusPatch(pod, newStatus(pod, observation{hostIP: "127.2.0.2", started: later}, now)); patch != nil || err != nil {
		t.Errorf("nothing changed: %s, %v", patch, err)
	}

	text, err := statusPatch(pod, newStatus(pod, observation{hostIP: "127.2.0.2", podIP: "10.244.0.2"}, now))
	if err != nil {
		t.Fatal(err)
	}
	var patch struct {
		Metadata metav1.ObjectMeta
		Status   corev1.PodStatus
	}
	if err := json.Unmarshal(text, &patch); err != nil {
		t.Fatal(err)
	}
	if patch.Metadata.UID != "uid" || patch.Metadata.ResourceVersion != "7" || patch.Status.PodIP != "10.244.0.2" || patch.Status.HostIP != "" {
		t.Errorf("got %s", text)
	}
}
