package envoy

import (
	"net/netip"
	"reflect"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

func TestBootstrapTellsIstiodWhoItIs(t *testing.T) {
	labels := map[string]string{"istio": "ingressgateway", canonicalName: "istio-ingressgateway"}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "istio-system", Name: "gateway", Labels: labels},
		Spec:       corev1.PodSpec{ServiceAccountName: "gateway-sa", NodeName: "node-1"},
	}
	text, err := Bootstrap(pod, netip.MustParseAddr("10.244.0.2"), netip.MustParseAddrPort("10.244.0.1:40000"))
	if err != nil {
		t.Fatal(err)
	}
	var bootstrap struct {
		Node struct {
			ID, Cluster string
			Metadata    struct {
				Labels         map[string]string `json:"LABELS"`
				Namespace      string            `json:"NAMESPACE"`
				ClusterID      string            `json:"CLUSTER_ID"`
				InstanceIPs    string            `json:"INSTANCE_IPS"`
				ServiceAccount string            `json:"SERVICE_ACCOUNT"`
			}
		}
	}
	if err := yaml.Unmarshal(text, &bootstrap); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	node := bootstrap.Node
	if node.ID != "router~10.244.0.2~gateway.istio-system~istio-system.svc.cluster.local" || node.Cluster != "istio-ingressgateway.istio-system" {
		t.Errorf("got node %q of cluster %q", node.ID, node.Cluster)
	}
	if !reflect.DeepEqual(node.Metadata.Labels, labels) || node.Metadata.Namespace != "istio-system" ||
		node.Metadata.ClusterID != "Kubernetes" || node.Metadata.InstanceIPs != "10.244.0.2" || node.Metadata.ServiceAccount != "gateway-sa" {
		t.Errorf("got metadata %+v", node.Metadata)
	}
}
