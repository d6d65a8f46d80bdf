package node

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"

	"kubia.test/sandbox/config"
	"kubia.test/sandbox/node/kubelet"
	"kubia.test/sandbox/node/podnet"
	"kubia.test/sandbox/node/pods"
	"kubia.test/sandbox/node/registration"
	"kubia.test/sandbox/node/xds"
)

// RunAgent registers the nodes and runs their pods until ctx is done.
func RunAgent(ctx context.Context, c *config.Config) error {
	client, err := newClient(c, "node-agent")
	if err != nil {
		return err
	}
	bridge := netip.MustParseAddr(config.BridgeAddress)
	network, err := podnet.Open(netip.PrefixFrom(bridge, netip.MustParsePrefix(config.PodCIDR).Bits()))
	if err != nil {
		return err
	}
	relays := xds.NewRelays(bridge, config.IstiodXDSAddress)
	control := newControl()
	control.mux.Handle("/xds/", relays)
	if err := control.listen(config.NodeAgentControl); err != nil {
		return err
	}
	agent := &agent{client: client, nodes: nodes(c), pods: &pods.Manager{
		Client:        client,
		Network:       network,
		Relays:        relays,
		NodeAddresses: addresses(nodes(c)),
		EnvoyBinary:   c.EnvoyPath(),
		Directory:     c.RunFile("pods"),
	}}
	return agent.run(ctx, c, control)
}

// agent is the kubelet of all nodes.
type agent struct {
	client kubernetes.Interface
	nodes  []registration.Node
	pods   *pods.Manager
}

func (a *agent) run(ctx context.Context, c *config.Config, control *control) error {
	requests, err := kubelet.NewRequestLog(c.StateFile("admin.log"))
	if err != nil {
		return err
	}
	server, err := kubelet.NewServer(a.pods, requests, kubelet.Files{
		Certificate: c.CertFile("kubelet"),
		Key:         c.KeyFile("kubelet"),
		Client:      c.CertFile("apiserver-kubelet-client"),
	})
	if err != nil {
		return err
	}
	if err := a.register(ctx); err != nil {
		return err
	}
	informer, err := a.followPods(ctx)
	if err != nil {
		return err
	}
	control.ready.Store(true)

	parts, ctx := errgroup.WithContext(ctx)
	for _, node := range a.nodes {
		address := net.JoinHostPort(node.Address, strconv.Itoa(int(node.KubeletPort)))
		parts.Go(func() error { return server.Run(ctx, address) })
		parts.Go(func() error {
			registration.Keep(ctx, a.client, node)
			return nil
		})
	}
	parts.Go(func() error { return a.pods.Run(ctx, informer) })
	return parts.Wait()
}

func (a *agent) register(ctx context.Context) error {
	var all errgroup.Group
	for _, node := range a.nodes {
		all.Go(func() error { return registration.Register(ctx, a.client, node) })
	}
	return all.Wait()
}

// followPods returns an informer of the pods that are bound to nodes, once it
// has all that are there.
func (a *agent) followPods(ctx context.Context) (cache.SharedIndexInformer, error) {
	bound := fields.OneTermNotEqualSelector("spec.nodeName", "").String()
	factory := informers.NewSharedInformerFactoryWithOptions(a.client, 0,
		informers.WithTweakListOptions(func(options *metav1.ListOptions) { options.FieldSelector = bound }))
	informer := factory.Core().V1().Pods().Informer()
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
		return nil, fmt.Errorf("list the pods: %w", context.Cause(ctx))
	}
	return informer, nil
}
