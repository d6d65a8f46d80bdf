package gateways

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// TestManifestsHaveOnlyKnownFields finds typing errors that an API server
// would drop without a word.
func TestManifestsHaveOnlyKnownFields(t *testing.T) {
	kinds := map[string]func() any{
		"Namespace":      func() any { return &corev1.Namespace{} },
		"ServiceAccount": func() any { return &corev1.ServiceAccount{} },
		"Service":        func() any { return &corev1.Service{} },
		"Deployment":     func() any { return &appsv1.Deployment{} },
		"Role":           func() any { return &rbacv1.Role{} },
		"RoleBinding":    func() any { return &rbacv1.RoleBinding{} },
		"Gateway":        func() any { return &gatewayv1.Gateway{} },
	}
	objects, err := readManifests()
	if err != nil {
		t.Fatal(err)
	}
	for _, object := range objects {
		name := object.GetKind() + " " + object.GetName()
		kind, known := kinds[object.GetKind()]
		if !known {
			t.Errorf("%s: unexpected kind", name)
			continue
		}
		err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object.Object, kind(), true)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOddPodsCarryTheGatewaysLabelsAndSortFirst(t *testing.T) {
	objects, err := readManifests()
	if err != nil {
		t.Fatal(err)
	}
	deployment, err := findDeployment(objects, oddGateway)
	if err != nil {
		t.Fatal(err)
	}
	// A Deployment's pods are named after it, with letters and digits from 2 on.
	const firstPossible = oddGateway + "-2"
	for _, name := range []string{neverReadyPod, terminatingPod} {
		pod, err := podFrom(deployment, name)
		if err != nil {
			t.Fatal(err)
		}
		if pod.GetLabels()["istio"] != "ingressgateway" || pod.GetName() >= firstPossible {
			t.Errorf("pod %s has the labels %v", pod.GetName(), pod.GetLabels())
		}
	}
}
