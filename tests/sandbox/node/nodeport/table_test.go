package nodeport

import (
	"maps"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var testNodes = map[string]string{"node-1": "127.2.0.2", "node-2": "127.2.0.3", "node-3": "127.2.0.4"}

func gatewayService(policy corev1.ServiceExternalTrafficPolicy) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "istio-system", Name: "gateway"},
		Spec: corev1.ServiceSpec{
			ExternalTrafficPolicy: policy,
			Ports: []corev1.ServicePort{
				{Name: "http2", Port: 80, NodePort: 32440, Protocol: corev1.ProtocolTCP},
				{Name: "none", Port: 81, Protocol: corev1.ProtocolTCP},
				{Name: "quic", Port: 443, NodePort: 30443, Protocol: corev1.ProtocolUDP},
			},
		},
	}
}

func endpoint(address, node string, ready, terminating bool) discoveryv1.Endpoint {
	return discoveryv1.Endpoint{
		Addresses:  []string{address},
		NodeName:   &node,
		Conditions: discoveryv1.EndpointConditions{Ready: &ready, Terminating: &terminating},
	}
}

func gatewaySlice(endpoints ...discoveryv1.Endpoint) *discoveryv1.EndpointSlice {
	name, port, protocol := "http2", int32(8080), corev1.ProtocolTCP
	return &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Namespace: "istio-system", Labels: map[string]string{discoveryv1.LabelServiceName: "gateway"}},
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports:       []discoveryv1.EndpointPort{{Name: &name, Port: &port, Protocol: &protocol}},
		Endpoints:   endpoints,
	}
}

func TestTable(t *testing.T) {
	first := endpoint("10.244.0.2", "node-1", true, false)
	second := endpoint("10.244.0.3", "node-2", true, false)
	both := []string{"10.244.0.2:8080", "10.244.0.3:8080"}
	tests := map[string]struct {
		policy    corev1.ServiceExternalTrafficPolicy
		endpoints []discoveryv1.Endpoint
		want      table
	}{
		"Local: nodes with a pod of their own": {corev1.ServiceExternalTrafficPolicyLocal, []discoveryv1.Endpoint{first, second},
			table{"127.2.0.2:32440": both[:1], "127.2.0.3:32440": both[1:]}},
		"Cluster: every node, all pods": {corev1.ServiceExternalTrafficPolicyCluster, []discoveryv1.Endpoint{second, first},
			table{"127.2.0.2:32440": both, "127.2.0.3:32440": both, "127.2.0.4:32440": both}},
		"neither unready nor terminating pods": {corev1.ServiceExternalTrafficPolicyLocal, []discoveryv1.Endpoint{
			endpoint("10.244.0.4", "node-3", false, false), endpoint("10.244.0.5", "node-3", true, true)}, table{}},
	}
	for name, test := range tests {
		got := newTable([]*corev1.Service{gatewayService(test.policy)}, []*discoveryv1.EndpointSlice{gatewaySlice(test.endpoints...)}, testNodes)
		if !maps.EqualFunc(got, test.want, slices.Equal[[]string]) {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
}
