package pods

import (
	"encoding/json"
	"fmt"
	"strings"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// observation is what a node sees of a pod.
type observation struct {
	hostIP string
	// podIP is empty before and after the pod's network exists.
	podIP      string
	started    metav1.Time
	containers []corev1.ContainerStatus
}

// newStatus returns the status as a kubelet reports it. What others wrote
// (conditions, the QoS class) stays.
func newStatus(pod *corev1.Pod, seen observation, now metav1.Time) corev1.PodStatus {
	status := *pod.Status.DeepCopy()
	status.ObservedGeneration = pod.Generation
	status.HostIP = seen.hostIP
	status.HostIPs = []corev1.HostIP{{IP: seen.hostIP}}
	if seen.podIP != "" {
		status.PodIP = seen.podIP
		status.PodIPs = []corev1.PodIP{{IP: seen.podIP}}
	}
	if status.StartTime == nil && !seen.started.IsZero() {
		status.StartTime = seen.started.DeepCopy()
	}
	status.ContainerStatuses = seen.containers
	status.Phase = phase(pod, seen.containers)
	status.Conditions = conditions(pod, seen, now)
	return status
}

// phase follows the kubelet's rules.
func phase(pod *corev1.Pod, containers []corev1.ContainerStatus) corev1.PodPhase {
	var running, waiting, ended, failed int
	for _, status := range containers {
		state := status.State
		switch {
		case state.Running != nil:
			running++
		case state.Terminated != nil:
			ended++
			if state.Terminated.ExitCode != 0 {
				failed++
			}
		case status.LastTerminationState.Terminated != nil:
			running++ // between two runs
		default:
			waiting++
		}
	}
	restarts := pod.Spec.RestartPolicy == corev1.RestartPolicyAlways ||
		pod.Spec.RestartPolicy == corev1.RestartPolicyOnFailure && failed > 0
	switch {
	case waiting > 0 || len(containers) < len(pod.Spec.Containers):
		return corev1.PodPending
	case running > 0 || restarts:
		return corev1.PodRunning
	case failed > 0:
		return corev1.PodFailed
	default:
		return corev1.PodSucceeded
	}
}

// conditions returns the pod's conditions: the kubelet's in its order, then
// those of others as they are.
func conditions(pod *corev1.Pod, seen observation, now metav1.Time) []corev1.PodCondition {
	var unready []string
	for _, status := range seen.containers {
		if !status.Ready {
			unready = append(unready, status.Name)
		}
	}
	ready := corev1.PodCondition{Status: corev1.ConditionTrue}
	if len(unready) > 0 || len(seen.containers) == 0 {
		ready = corev1.PodCondition{
			Status:  corev1.ConditionFalse,
			Reason:  "ContainersNotReady",
			Message: fmt.Sprintf("containers with unready status: [%s]", strings.Join(unready, " ")),
		}
	}
	yes := corev1.PodCondition{Status: corev1.ConditionTrue}
	network := yes
	if seen.podIP == "" {
		network.Status = corev1.ConditionFalse
	}
	own := []corev1.PodCondition{
		withType(corev1.PodReadyToStartContainers, network),
		withType(corev1.PodInitialized, yes),
		withType(corev1.PodReady, ready),
		withType(corev1.ContainersReady, ready),
		withType(corev1.PodScheduled, yes),
	}
	return mergeConditions(pod, own, now)
}

func withType(kind corev1.PodConditionType, condition corev1.PodCondition) corev1.PodCondition {
	condition.Type = kind
	return condition
}

// mergeConditions keeps the transition times of conditions that have not
// changed, and the conditions that are not the kubelet's.
func mergeConditions(pod *corev1.Pod, own []corev1.PodCondition, now metav1.Time) []corev1.PodCondition {
	reported := make(map[corev1.PodConditionType]corev1.PodCondition)
	for _, condition := range pod.Status.Conditions {
		reported[condition.Type] = condition
	}
	var merged []corev1.PodCondition
	for _, condition := range own {
		before, found := reported[condition.Type]
		delete(reported, condition.Type)
		condition.LastTransitionTime = now
		if found && before.Status == condition.Status {
			condition.LastTransitionTime = before.LastTransitionTime
		}
		condition.ObservedGeneration = pod.Generation
		merged = append(merged, condition)
	}
	for _, condition := range pod.Status.Conditions {
		if _, others := reported[condition.Type]; others {
			merged = append(merged, condition)
		}
	}
	return merged
}

// statusPatch returns a JSON merge patch from the pod's reported status to the
// new one, nil if they are the same. (A strategic merge patch would add to
// lists such as podIPs.) The resource version guards conditions of others
// against being taken back.
func statusPatch(pod *corev1.Pod, status corev1.PodStatus) ([]byte, error) {
	before, err := json.Marshal(map[string]any{"status": pod.Status})
	if err != nil {
		return nil, fmt.Errorf("encode the pod's reported status: %w", err)
	}
	after, err := json.Marshal(map[string]any{"status": status})
	if err != nil {
		return nil, fmt.Errorf("encode the pod's status: %w", err)
	}
	difference, err := jsonpatch.CreateMergePatch(before, after)
	if err != nil {
		return nil, fmt.Errorf("compare the pod's statuses: %w", err)
	}
	patch := map[string]any{}
	if err := json.Unmarshal(difference, &patch); err != nil {
		return nil, fmt.Errorf("compare the pod's statuses: %w", err)
	}
	if len(patch) == 0 {
		return nil, nil
	}
	patch["metadata"] = map[string]any{"uid": pod.UID, "resourceVersion": pod.ResourceVersion}
	return json.Marshal(patch)
}
