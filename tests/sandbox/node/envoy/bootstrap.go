package envoy

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/netip"
	"text/template"

	corev1 "k8s.io/api/core/v1"
)

const (
	// istioVersion is what the proxy says it is; istiod's own line.
	istioVersion = "1.31.0"
	clusterID    = "Kubernetes"
	meshID       = "cluster.local"
	// canonicalName labels a workload with the name it has in the mesh.
	canonicalName = "service.istio.io/canonical-name"
)

//go:embed bootstrap.yaml.tmpl
var bootstrapText string

var bootstrapTemplate = template.Must(template.New("bootstrap").Funcs(template.FuncMap{"json": toJSON}).Parse(bootstrapText))

// Bootstrap returns the configuration that the Envoy of a gateway pod starts
// with.
func Bootstrap(pod *corev1.Pod, address netip.Addr, xds netip.AddrPort) ([]byte, error) {
	values := struct {
		NodeID, Cluster, XDSAddress string
		XDSPort                     uint16
		Metadata                    map[string]any
	}{
		NodeID:     fmt.Sprintf("router~%s~%s.%s~%s.svc.cluster.local", address, pod.Name, pod.Namespace, pod.Namespace),
		Cluster:    pod.Labels[canonicalName] + "." + pod.Namespace,
		XDSAddress: xds.Addr().String(),
		XDSPort:    xds.Port(),
		Metadata: map[string]any{
			"CLUSTER_ID":      clusterID,
			"INSTANCE_IPS":    address.String(),
			"ISTIO_VERSION":   istioVersion,
			"LABELS":          pod.Labels,
			"MESH_ID":         meshID,
			"NAME":            pod.Name,
			"NAMESPACE":       pod.Namespace,
			"NODE_NAME":       pod.Spec.NodeName,
			"SERVICE_ACCOUNT": pod.Spec.ServiceAccountName,
		},
	}
	var text bytes.Buffer
	if err := bootstrapTemplate.Execute(&text, values); err != nil {
		return nil, fmt.Errorf("write Envoy's bootstrap: %w", err)
	}
	return text.Bytes(), nil
}

// toJSON writes a value as JSON, which is YAML too.
func toJSON(value any) (string, error) {
	text, err := json.Marshal(value)
	return string(text), err
}
