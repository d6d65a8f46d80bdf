package nodeport

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	corelisters "k8s.io/client-go/listers/core/v1"
	discoverylisters "k8s.io/client-go/listers/discovery/v1"
	"k8s.io/client-go/tools/cache"
)

// retryAfter is when an address that could not be published is tried again.
const retryAfter = time.Second

// Proxy publishes node ports.
type Proxy struct {
	nodes     map[string]string
	listen    func(address string) (net.Listener, error)
	services  corelisters.ServiceLister
	endpoints discoverylisters.EndpointSliceLister
	synced    []cache.InformerSynced
	// changed has room for one signal.
	changed   chan struct{}
	published func()
	frontends map[string]*frontend
}

// New returns a proxy for nodes, name to address, that publishes with listen
// and calls published after each time everything is. The informers are to be
// started by the caller.
func New(factory informers.SharedInformerFactory, nodes map[string]string, listen func(string) (net.Listener, error), published func()) (*Proxy, error) {
	services, endpoints := factory.Core().V1().Services(), factory.Discovery().V1().EndpointSlices()
	p := &Proxy{
		nodes:     nodes,
		listen:    listen,
		services:  services.Lister(),
		endpoints: endpoints.Lister(),
		changed:   make(chan struct{}, 1),
		published: published,
		frontends: make(map[string]*frontend),
	}
	handler := cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { p.signal() },
		UpdateFunc: func(any, any) { p.signal() },
		DeleteFunc: func(any) { p.signal() },
	}
	for _, informer := range []cache.SharedIndexInformer{services.Informer(), endpoints.Informer()} {
		registration, err := informer.AddEventHandler(handler)
		if err != nil {
			return nil, fmt.Errorf("follow Services and EndpointSlices: %w", err)
		}
		p.synced = append(p.synced, registration.HasSynced)
	}
	return p, nil
}

// Run follows the cluster until ctx is done.
func (p *Proxy) Run(ctx context.Context) error {
	if !cache.WaitForCacheSync(ctx.Done(), p.synced...) {
		return ctx.Err()
	}
	p.signal()
	var retry <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-p.changed:
		case <-retry:
		}
		retry = nil
		if err := p.sync(); err != nil {
			slog.Warn("not every node port is published", "error", err)
			retry = time.After(retryAfter)
			continue
		}
		p.published()
	}
}

func (p *Proxy) signal() {
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

func (p *Proxy) sync() error {
	services, err := p.services.List(labels.Everything())
	if err != nil {
		return fmt.Errorf("list Services: %w", err)
	}
	endpoints, err := p.endpoints.List(labels.Everything())
	if err != nil {
		return fmt.Errorf("list EndpointSlices: %w", err)
	}
	return p.publish(newTable(services, endpoints, p.nodes))
}

// publish makes exactly the addresses of the table answer.
func (p *Proxy) publish(wanted table) error {
	for address, frontend := range p.frontends {
		if _, stays := wanted[address]; !stays {
			frontend.close()
			delete(p.frontends, address)
		}
	}
	var problems []error
	for address, pods := range wanted {
		if present, found := p.frontends[address]; found {
			present.setPods(pods)
			continue
		}
		listener, err := p.listen(address)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		p.frontends[address] = newFrontend(listener, pods)
	}
	return errors.Join(problems...)
}
