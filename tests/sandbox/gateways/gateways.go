// Package gateways installs Istio's two usual ingress gateways, as people have
// them, beside the first one two pods of it that serve nothing, and for the
// second one a Gateway of the Gateway API.
package gateways

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
)

const fieldManager = "kubia-sandbox"

//go:embed manifests/*.yaml
var manifests embed.FS

// Install applies the gateways and their odd pods. The nodes must be running:
// it returns after the pod that is to be seen terminating has run.
func Install(ctx context.Context, config *rest.Config) error {
	objects, err := readManifests()
	if err != nil {
		return err
	}
	applier, err := newApplier(config)
	if err != nil {
		return err
	}
	for _, object := range objects {
		if err := applier.apply(ctx, object); err != nil {
			return err
		}
	}
	return installOddPods(ctx, applier.client, objects)
}

// readManifests returns the objects of all files in order.
func readManifests() ([]*unstructured.Unstructured, error) {
	files, err := fs.Glob(manifests, "manifests/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("list the gateways' manifests: %w", err)
	}
	var objects []*unstructured.Unstructured
	for _, file := range files {
		text, err := manifests.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read the gateways' manifests: %w", err)
		}
		decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
		for {
			object := &unstructured.Unstructured{}
			err := decoder.Decode(&object.Object)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return nil, fmt.Errorf("parse %s: %w", file, err)
			}
			objects = append(objects, object)
		}
	}
	return objects, nil
}

// applier applies objects of any kind on the server's side.
type applier struct {
	client dynamic.Interface
	mapper meta.RESTMapper
}

func newApplier(config *rest.Config) (*applier, error) {
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a client for the gateways: %w", err)
	}
	discoverer, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a client for the gateways: %w", err)
	}
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(discoverer))
	return &applier{client: client, mapper: mapper}, nil
}

func (a *applier) apply(ctx context.Context, object *unstructured.Unstructured) error {
	kind := object.GroupVersionKind()
	mapping, err := a.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		return fmt.Errorf("find the resource of %s: %w", kind, err)
	}
	var resource dynamic.ResourceInterface = a.client.Resource(mapping.Resource)
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		resource = a.client.Resource(mapping.Resource).Namespace(object.GetNamespace())
	}
	options := metav1.ApplyOptions{FieldManager: fieldManager, Force: true}
	if _, err := resource.Apply(ctx, object.GetName(), object, options); err != nil {
		return fmt.Errorf("apply %s %s/%s: %w", kind.Kind, object.GetNamespace(), object.GetName(), err)
	}
	return nil
}
