package node

import (
	"context"

	"k8s.io/client-go/informers"

	"kubia.test/sandbox/config"
	"kubia.test/sandbox/hostnet"
	"kubia.test/sandbox/node/nodeport"
)

// RunProxy publishes the node ports of Services until ctx is done.
func RunProxy(ctx context.Context, c *config.Config) error {
	client, err := newClient(c, "node-proxy")
	if err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	control := newControl()
	proxy, err := nodeport.New(factory, addresses(nodes(c)), hostnet.Listen, func() { control.ready.Store(true) })
	if err != nil {
		return err
	}
	if err := control.listen(config.NodeProxyControl); err != nil {
		return err
	}
	factory.Start(ctx.Done())
	return proxy.Run(ctx)
}
