// Package nodeport does kube-proxy's work for node ports: it publishes each one
// on the nodes that serve it, and spreads connections over the pods.
package nodeport

import (
	"net"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"
)

// table maps each address to publish, host:port, to the pods behind it, ip:port
// in sorted order.
type table map[string][]string

// newTable decides what to publish; nodes maps names of nodes to addresses.
func newTable(services []*corev1.Service, endpoints []*discoveryv1.EndpointSlice, nodes map[string]string) table {
	byService := make(map[types.NamespacedName][]*discoveryv1.EndpointSlice)
	for _, slice := range endpoints {
		name := types.NamespacedName{Namespace: slice.Namespace, Name: slice.Labels[discoveryv1.LabelServiceName]}
		byService[name] = append(byService[name], slice)
	}
	published := make(table)
	for _, service := range services {
		name := types.NamespacedName{Namespace: service.Namespace, Name: service.Name}
		for _, port := range service.Spec.Ports {
			if port.NodePort == 0 || port.Protocol != corev1.ProtocolTCP {
				continue
			}
			published.add(service, port, backends(byService[name], port.Name), nodes)
		}
	}
	return published
}

// backend is one pod's port.
type backend struct{ node, address string }

// backends returns where the ready pods of a Service serve one of its ports.
func backends(endpoints []*discoveryv1.EndpointSlice, portName string) []backend {
	var found []backend
	for _, slice := range endpoints {
		number := portNumber(slice.Ports, portName)
		if slice.AddressType != discoveryv1.AddressTypeIPv4 || number == 0 {
			continue
		}
		for _, endpoint := range slice.Endpoints {
			if !serves(endpoint) {
				continue
			}
			address := net.JoinHostPort(endpoint.Addresses[0], strconv.Itoa(int(number)))
			found = append(found, backend{node: valueOr(endpoint.NodeName, ""), address: address})
		}
	}
	return found
}

func portNumber(ports []discoveryv1.EndpointPort, name string) int32 {
	for _, port := range ports {
		if valueOr(port.Name, "") == name && valueOr(port.Protocol, corev1.ProtocolTCP) == corev1.ProtocolTCP {
			return valueOr(port.Port, 0)
		}
	}
	return 0
}

func serves(endpoint discoveryv1.Endpoint) bool {
	return valueOr(endpoint.Conditions.Ready, true) && !valueOr(endpoint.Conditions.Terminating, false)
}

// add publishes a port on every node that has something to lead to: with
// externalTrafficPolicy Local its own pods, otherwise all.
func (t table) add(service *corev1.Service, port corev1.ServicePort, pods []backend, nodes map[string]string) {
	local := service.Spec.ExternalTrafficPolicy == corev1.ServiceExternalTrafficPolicyLocal
	for node, address := range nodes {
		var targets []string
		for _, pod := range pods {
			if !local || pod.node == node {
				targets = append(targets, pod.address)
			}
		}
		if len(targets) == 0 {
			continue
		}
		slices.Sort(targets)
		t[net.JoinHostPort(address, strconv.Itoa(int(port.NodePort)))] = slices.Compact(targets)
	}
}

func valueOr[T any](pointer *T, absent T) T {
	if pointer == nil {
		return absent
	}
	return *pointer
}
