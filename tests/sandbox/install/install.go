// Package install puts into the fresh cluster what a cluster with Istio has before any gateway:
// the resource definitions of Istio and the Gateway API, Istio's validation webhook, the
// namespaces, and the user's role.
package install

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"kubia.test/sandbox/config"
)

const fieldManager = "kubia-sandbox"

// Namespaced kinds do not occur here.
var resources = map[string]schema.GroupVersionResource{
	"Namespace":                      {Version: "v1", Resource: "namespaces"},
	"ClusterRole":                    {Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "clusterroles"},
	"ClusterRoleBinding":             {Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "clusterrolebindings"},
	"CustomResourceDefinition":       definitions,
	"ValidatingWebhookConfiguration": {Group: "admissionregistration.k8s.io", Version: "v1", Resource: "validatingwebhookconfigurations"},
}

var definitions = schema.GroupVersionResource{
	Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions",
}

// Apply applies everything at once and waits until the API server serves the new kinds.
func Apply(ctx context.Context, restConfig *rest.Config, c *config.Config) error {
	client, err := dynamic.NewForConfig(restConfig)
	if err != nil {
		return fmt.Errorf("make a client: %w", err)
	}
	objects, err := objects(c)
	if err != nil {
		return err
	}
	group, groupContext := errgroup.WithContext(ctx)
	for _, object := range objects {
		group.Go(func() error { return apply(groupContext, client, object) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return waitEstablished(ctx, client)
}

func objects(c *config.Config) ([]*unstructured.Unstructured, error) {
	result, err := readFile(c.CRDFile)
	if err != nil {
		return nil, err
	}
	authority, err := os.ReadFile(c.CAFile())
	if err != nil {
		return nil, fmt.Errorf("read the authority's certificate: %w", err)
	}
	result = append(result, namespace("istio-system"), namespace("istio-ingress"), webhook(authority))
	if c.RBACFile == "" {
		return result, nil
	}
	role, err := readFile(c.RBACFile)
	if err != nil {
		return nil, err
	}
	return append(append(result, role...), roleBinding()), nil
}

func apply(ctx context.Context, client dynamic.Interface, object *unstructured.Unstructured) error {
	resource, known := resources[object.GetKind()]
	if !known {
		return fmt.Errorf("%s %s: the sandbox does not install this kind", object.GetKind(), object.GetName())
	}
	options := metav1.ApplyOptions{FieldManager: fieldManager, Force: true}
	if _, err := client.Resource(resource).Apply(ctx, object.GetName(), object, options); err != nil {
		return fmt.Errorf("apply %s/%s: %w", resource.Resource, object.GetName(), err)
	}
	return nil
}

// waitEstablished returns when every resource definition is served.
func waitEstablished(ctx context.Context, client dynamic.Interface) error {
	err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		list, err := client.Resource(definitions).List(ctx, metav1.ListOptions{})
		if err != nil {
			return false, ignoreTransient(err)
		}
		for i := range list.Items {
			if !established(&list.Items[i]) {
				return false, nil
			}
		}
		return true, nil
	})
	if err != nil {
		return fmt.Errorf("wait for the resource definitions: %w", err)
	}
	return nil
}

func ignoreTransient(err error) error {
	if apierrors.IsServerTimeout(err) || apierrors.IsTooManyRequests(err) || apierrors.IsServiceUnavailable(err) {
		return nil
	}
	return err
}

func established(definition *unstructured.Unstructured) bool {
	conditions, _, _ := unstructured.NestedSlice(definition.Object, "status", "conditions")
	for _, entry := range conditions {
		condition, _ := entry.(map[string]any)
		if condition["type"] == "Established" && condition["status"] == "True" {
			return true
		}
	}
	return false
}

// readFile reads the objects of a YAML file.
func readFile(path string) ([]*unstructured.Unstructured, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open objects to install: %w", err)
	}
	defer file.Close()
	decoder := yaml.NewYAMLOrJSONDecoder(file, 4096)
	var result []*unstructured.Unstructured
	for {
		content := map[string]any{}
		err := decoder.Decode(&content)
		if errors.Is(err, io.EOF) {
			return result, nil
		}
		if err != nil {
			return nil, fmt.Errorf("parse %s: %w", path, err)
		}
		if len(content) > 0 {
			result = append(result, &unstructured.Unstructured{Object: content})
		}
	}
}
