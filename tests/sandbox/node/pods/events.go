package pods

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/record"
)

// newRecorder returns what writes the Events that `kubectl describe` shows.
func newRecorder(ctx context.Context, client kubernetes.Interface) record.EventRecorder {
	broadcaster := record.NewBroadcaster(record.WithContext(ctx))
	broadcaster.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: client.CoreV1().Events("")})
	return broadcaster.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "kubelet"})
}

// recordChanges writes the Events for what has happened to the containers
// since an earlier report, in a kubelet's words.
func recordChanges(recorder record.EventRecorder, pod *corev1.Pod, earlier []corev1.ContainerStatus) {
	before := make(map[string]corev1.ContainerStatus)
	for _, status := range earlier {
		before[status.Name] = status
	}
	for _, status := range pod.Status.ContainerStatuses {
		recordChange(recorder, pod, before[status.Name], status)
	}
}

func recordChange(recorder record.EventRecorder, pod *corev1.Pod, before, now corev1.ContainerStatus) {
	switch {
	case now.State.Running != nil && before.ContainerID != now.ContainerID:
		recorder.Eventf(pod, corev1.EventTypeNormal, "Started", "Container started: %s", now.Name)
	case now.State.Running != nil && before.Ready && !now.Ready:
		recorder.Eventf(pod, corev1.EventTypeWarning, "Unhealthy", "Readiness probe failed: %s", now.Name)
	case now.State.Waiting != nil && reason(before) != reason(now):
		recordWaiting(recorder, pod, now.State.Waiting)
	}
}

func recordWaiting(recorder record.EventRecorder, pod *corev1.Pod, state *corev1.ContainerStateWaiting) {
	switch state.Reason {
	case "ErrImagePull", "InvalidImageName":
		recorder.Event(pod, corev1.EventTypeWarning, "Failed", state.Message)
	case "ImagePullBackOff":
		recorder.Event(pod, corev1.EventTypeNormal, "BackOff", state.Message)
	case "CrashLoopBackOff":
		recorder.Event(pod, corev1.EventTypeWarning, "BackOff", state.Message)
	}
}

// reason is why a container waits; empty when it does not.
func reason(status corev1.ContainerStatus) string {
	if status.State.Waiting == nil {
		return ""
	}
	return status.State.Waiting.Reason
}
