// Package node is the node half of the sandbox: the agent, which is the kubelet
// of all nodes, and the proxy, which is their kube-proxy.
package node

import (
	"fmt"
	"net"
	"net/http"
	"sync/atomic"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	componentversion "k8s.io/component-base/version"

	"kubia.test/sandbox/config"
	"kubia.test/sandbox/node/registration"
)

// A client of the agent or the proxy starts many pods at once: client-go's
// default of 5 requests a second would be what a test measures.
const (
	clientQPS   = 500
	clientBurst = 1000
)

func newClient(c *config.Config, part string) (kubernetes.Interface, error) {
	restConfig, err := clientcmd.BuildConfigFromFlags("", c.Kubeconfig(part))
	if err != nil {
		return nil, fmt.Errorf("read the kubeconfig of %s: %w", part, err)
	}
	restConfig.UserAgent = "kubia-sandbox/" + part
	restConfig.QPS, restConfig.Burst = clientQPS, clientBurst
	client, err := kubernetes.NewForConfig(restConfig)
	if err != nil {
		return nil, fmt.Errorf("make a client for %s: %w", part, err)
	}
	return client, nil
}

func nodes(c *config.Config) []registration.Node {
	var all []registration.Node
	for i := 1; i <= config.NodeCount; i++ {
		all = append(all, registration.Node{
			Name:        config.NodeName(i),
			Address:     c.NodeAddress(i),
			KubeletPort: config.KubeletPort,
			Version:     componentversion.Get().GitVersion,
		})
	}
	return all
}

// addresses maps the names of nodes to their addresses.
func addresses(nodes []registration.Node) map[string]string {
	byName := make(map[string]string)
	for _, node := range nodes {
		byName[node.Name] = node.Address
	}
	return byName
}

// control is what the supervisor asks a part: GET /readyz, and whatever else
// the part serves.
type control struct {
	mux   *http.ServeMux
	ready atomic.Bool
}

func newControl() *control {
	c := &control{mux: http.NewServeMux()}
	c.mux.HandleFunc("GET /readyz", func(response http.ResponseWriter, _ *http.Request) {
		if !c.ready.Load() {
			http.Error(response, "starting", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(response, "ok")
	})
	return c
}

// listen serves until the process ends.
func (c *control) listen(address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("listen for the supervisor: %w", err)
	}
	go http.Serve(listener, c.mux)
	return nil
}
