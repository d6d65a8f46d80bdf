package install

import (
	"encoding/base64"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kubia.test/sandbox/config"
)

// The ClusterRole that the project's README asks cluster administrators for.
const userRole = "kubectl-kubia"

func namespace(name string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1",
		"kind":       "Namespace",
		"metadata":   map[string]any{"name": name},
	}}
}

// webhook refuses invalid Istio objects as in a real installation, but is
// called by address: there is no Service inside the sandbox to call it by.
func webhook(authority []byte) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "admissionregistration.k8s.io/v1",
		"kind":       "ValidatingWebhookConfiguration",
		"metadata":   map[string]any{"name": "istio-validator-istio-system"},
		"webhooks": []any{map[string]any{
			"name": "rev.validation.istio.io",
			"clientConfig": map[string]any{
				"url":      "https://" + config.WebhookAddress + "/validate",
				"caBundle": base64.StdEncoding.EncodeToString(authority),
			},
			"rules": []any{map[string]any{
				"operations": []any{"CREATE", "UPDATE"},
				"apiGroups": []any{
					"security.istio.io", "networking.istio.io", "telemetry.istio.io", "extensions.istio.io",
				},
				"apiVersions": []any{"*"},
				"resources":   []any{"*"},
			}},
			"failurePolicy":           "Fail",
			"sideEffects":             "None",
			"admissionReviewVersions": []any{"v1"},
		}},
	}}
}

func roleBinding() *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "rbac.authorization.k8s.io/v1",
		"kind":       "ClusterRoleBinding",
		"metadata":   map[string]any{"name": userRole},
		"roleRef": map[string]any{
			"apiGroup": "rbac.authorization.k8s.io",
			"kind":     "ClusterRole",
			"name":     userRole,
		},
		"subjects": []any{map[string]any{
			"apiGroup": "rbac.authorization.k8s.io",
			"kind":     "User",
			"name":     "kubia",
		}},
	}}
}
