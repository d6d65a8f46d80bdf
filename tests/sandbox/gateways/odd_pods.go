package gateways

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"

	"kubia.test/sandbox/config"
	"kubia.test/sandbox/node/container"
)

// The odd pods carry the gateway's labels and stand on a node that serves no
// gateway. A ReplicaSet's suffix never has a 0: these names are listed first,
// so whoever takes the first pod without looking takes a wrong one.
const (
	oddGateway      = "istio-ingressgateway"
	neverReadyPod   = oddGateway + "-0-never-ready"
	terminatingPod  = oddGateway + "-0-terminating"
	terminatingHold = "kubia.test/keep-terminating"
)

var pods = corev1.SchemeGroupVersion.WithResource("pods")

func installOddPods(ctx context.Context, client dynamic.Interface, objects []*unstructured.Unstructured) error {
	deployment, err := findDeployment(objects, oddGateway)
	if err != nil {
		return err
	}
	namespaced := client.Resource(pods).Namespace(deployment.GetNamespace())
	neverReady, err := podFrom(deployment, neverReadyPod)
	if err != nil {
		return err
	}
	neverReady.SetAnnotations(with(neverReady.GetAnnotations(), container.ReadyAfterAnnotation, container.NeverReady))
	terminating, err := podFrom(deployment, terminatingPod)
	if err != nil {
		return err
	}
	terminating.SetFinalizers([]string{terminatingHold})
	for _, pod := range []*unstructured.Unstructured{neverReady, terminating} {
		options := metav1.ApplyOptions{FieldManager: fieldManager, Force: true}
		if _, err := namespaced.Apply(ctx, pod.GetName(), pod, options); err != nil {
			return fmt.Errorf("apply Pod %s: %w", pod.GetName(), err)
		}
	}
	if err := waitUntilRunning(ctx, namespaced, terminatingPod); err != nil {
		return err
	}
	if err := namespaced.Delete(ctx, terminatingPod, metav1.DeleteOptions{}); err != nil {
		return fmt.Errorf("delete Pod %s: %w", terminatingPod, err)
	}
	return nil
}

func findDeployment(objects []*unstructured.Unstructured, name string) (*unstructured.Unstructured, error) {
	for _, object := range objects {
		if object.GetKind() == "Deployment" && object.GetName() == name {
			return object, nil
		}
	}
	return nil, fmt.Errorf("the manifests have no Deployment %s", name)
}

// podFrom makes a pod of a Deployment's template, bound to the last node.
func podFrom(deployment *unstructured.Unstructured, name string) (*unstructured.Unstructured, error) {
	template, found, err := unstructured.NestedMap(deployment.Object, "spec", "template")
	if err != nil || !found {
		return nil, errors.Join(fmt.Errorf("Deployment %s has no template", deployment.GetName()), err)
	}
	pod := &unstructured.Unstructured{Object: runtime.DeepCopyJSON(template)}
	pod.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Pod"))
	pod.SetNamespace(deployment.GetNamespace())
	pod.SetName(name)
	if err := unstructured.SetNestedField(pod.Object, config.NodeName(config.NodeCount), "spec", "nodeName"); err != nil {
		return nil, fmt.Errorf("bind Pod %s: %w", name, err)
	}
	return pod, nil
}

func with(annotations map[string]string, key, value string) map[string]string {
	if annotations == nil {
		annotations = make(map[string]string)
	}
	annotations[key] = value
	return annotations
}

// waitUntilRunning waits until the pod's node has started it.
func waitUntilRunning(ctx context.Context, client dynamic.ResourceInterface, name string) error {
	selector := fields.OneTermEqualSelector("metadata.name", name).String()
	source := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			options.FieldSelector = selector
			return client.List(ctx, options)
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			options.FieldSelector = selector
			return client.Watch(ctx, options)
		},
	}
	_, err := watchtools.UntilWithSync(ctx, source, &unstructured.Unstructured{}, nil, func(event watch.Event) (bool, error) {
		pod, ok := event.Object.(*unstructured.Unstructured)
		if !ok {
			return false, nil
		}
		phase, _, err := unstructured.NestedString(pod.Object, "status", "phase")
		return phase == string(corev1.PodRunning), err
	})
	if err != nil {
		return fmt.Errorf("wait for Pod %s to run: %w", name, err)
	}
	return nil
}
