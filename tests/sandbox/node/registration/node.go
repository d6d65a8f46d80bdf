package registration

import (
	"runtime"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Node is one of the sandbox's nodes.
type Node struct {
	Name string
	// Address is its InternalIP.
	Address     string
	KubeletPort int32
	// Version is the Kubernetes version it reports.
	Version string
}

func (n Node) object() *corev1.Node {
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: n.Name, Labels: n.labels()},
		Status:     n.status(nil, metav1.Now()),
	}
}

func (n Node) labels() map[string]string {
	return map[string]string{
		corev1.LabelHostname:   n.Name,
		corev1.LabelOSStable:   runtime.GOOS,
		corev1.LabelArchStable: runtime.GOARCH,
	}
}

// status returns the node's status; conditions that have not changed keep
// their transition times.
func (n Node) status(reported []corev1.NodeCondition, now metav1.Time) corev1.NodeStatus {
	resources := corev1.ResourceList{
		corev1.ResourceCPU:              resource.MustParse("8"),
		corev1.ResourceMemory:           resource.MustParse("32Gi"),
		corev1.ResourceEphemeralStorage: resource.MustParse("100Gi"),
		corev1.ResourcePods:             resource.MustParse("250"),
	}
	return corev1.NodeStatus{
		Capacity:    resources,
		Allocatable: resources,
		Addresses: []corev1.NodeAddress{
			{Type: corev1.NodeInternalIP, Address: n.Address},
			{Type: corev1.NodeHostName, Address: n.Name},
		},
		DaemonEndpoints: corev1.NodeDaemonEndpoints{KubeletEndpoint: corev1.DaemonEndpoint{Port: n.KubeletPort}},
		NodeInfo: corev1.NodeSystemInfo{
			MachineID:               n.Name,
			SystemUUID:              n.Name,
			BootID:                  n.Name,
			KernelVersion:           "sandbox",
			OSImage:                 "kubia sandbox",
			ContainerRuntimeVersion: "sandbox://1.0.0",
			KubeletVersion:          n.Version,
			OperatingSystem:         runtime.GOOS,
			Architecture:            runtime.GOARCH,
		},
		Conditions: conditions(reported, now),
	}
}

func conditions(reported []corev1.NodeCondition, now metav1.Time) []corev1.NodeCondition {
	present := []corev1.NodeCondition{
		{Type: corev1.NodeMemoryPressure, Status: corev1.ConditionFalse, Reason: "KubeletHasSufficientMemory", Message: "kubelet has sufficient memory available"},
		{Type: corev1.NodeDiskPressure, Status: corev1.ConditionFalse, Reason: "KubeletHasNoDiskPressure", Message: "kubelet has no disk pressure"},
		{Type: corev1.NodePIDPressure, Status: corev1.ConditionFalse, Reason: "KubeletHasSufficientPID", Message: "kubelet has sufficient PID available"},
		{Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady", Message: "kubelet is posting ready status"},
	}
	since := make(map[corev1.NodeConditionType]metav1.Time)
	for _, condition := range reported {
		for _, same := range present {
			if condition.Type == same.Type && condition.Status == same.Status {
				since[condition.Type] = condition.LastTransitionTime
			}
		}
	}
	for i := range present {
		condition := &present[i]
		condition.LastHeartbeatTime = now
		condition.LastTransitionTime = now
		if time, unchanged := since[condition.Type]; unchanged {
			condition.LastTransitionTime = time
		}
	}
	return present
}
