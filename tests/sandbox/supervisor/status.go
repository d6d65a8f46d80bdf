package supervisor

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubia.test/sandbox/config"
	"kubia.test/sandbox/status"
)

const questionPatience = 2 * time.Second

type gatewayGroup struct{ namespace, deployment, selector string }

// The ingress gateways: a label chooses the pods of one, whoever made them.
var gatewayGroups = []gatewayGroup{
	{"istio-system", "istio-ingressgateway", "istio=ingressgateway"},
	{"istio-ingress", "istio-ingress", "istio=ingress"},
}

// inspection gathers a status; its methods ask at the same time.
type inspection struct {
	mutex  sync.Mutex
	status status.Status
}

func (i *inspection) problem(format string, arguments ...any) {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	i.status.Problems = append(i.status.Problems, fmt.Sprintf(format, arguments...))
}

// Status asks every process and the API server how they are now.
func (s *Supervisor) Status(ctx context.Context) *status.Status {
	ctx, cancel := context.WithTimeout(ctx, questionPatience)
	defer cancel()
	i := &inspection{status: status.Status{
		Problems: []string{}, Parts: []status.Part{}, Nodes: []status.Node{}, Gateways: []status.Gateway{},
		UptimeSeconds: int64(time.Since(s.began).Seconds()),
		StartSeconds:  time.Duration(s.start.Load()).Seconds(),
	}}
	s.inspectProcesses(i)
	var questions sync.WaitGroup
	for _, p := range s.parts {
		questions.Go(func() { s.inspectPart(ctx, i, p) })
	}
	questions.Go(func() { s.inspectNodes(ctx, i) })
	for _, g := range gatewayGroups {
		questions.Go(func() { s.inspectGateway(ctx, i, g) })
	}
	questions.Wait()
	slices.Sort(i.status.Problems)
	slices.SortFunc(i.status.Gateways, func(a, b status.Gateway) int {
		return strings.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name)
	})
	i.status.Ready = len(i.status.Problems) == 0
	return &i.status
}

func (s *Supervisor) inspectProcesses(i *inspection) {
	processes, err := readProcesses()
	if err != nil {
		i.problem("processes cannot be read: %v", err)
		return
	}
	for _, process := range processes {
		i.status.ResidentBytes += process.residentBytes
	}
	for _, p := range s.parts {
		pid, restarts := p.counters()
		found := status.Part{Name: p.name, PID: pid, State: status.Dead, Restarts: restarts}
		if process, exists := processes[pid]; exists && p.alive() {
			found.State = stateOf(process)
		}
		if found.State != status.Running {
			i.problem("%s is %s", p.name, found.State)
		}
		i.status.Parts = append(i.status.Parts, found)
	}
}

// inspectPart asks a part that runs; that it does not run is a problem noted already.
func (s *Supervisor) inspectPart(ctx context.Context, i *inspection, p *part) {
	if !slices.ContainsFunc(i.status.Parts, func(found status.Part) bool {
		return found.Name == p.name && found.State == status.Running
	}) {
		return
	}
	if err := s.probe.ready(ctx, p.readyURL); err != nil {
		i.problem("%s does not answer as ready: %v", p.name, err)
	}
}

func stateOf(p process) status.PartState {
	switch p.state {
	case 'T', 't':
		return status.Stopped
	case 'Z', 'X':
		return status.Dead
	default:
		return status.Running
	}
}

func (s *Supervisor) inspectNodes(ctx context.Context, i *inspection) {
	list, err := s.client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		i.problem("nodes cannot be listed: %v", err)
		return
	}
	if len(list.Items) != config.NodeCount {
		i.problem("%d of %d nodes are registered", len(list.Items), config.NodeCount)
	}
	for n := range list.Items {
		node := nodeStatus(&list.Items[n])
		if !node.Ready {
			i.problem("%s is not Ready", node.Name)
		}
		i.status.Nodes = append(i.status.Nodes, node)
	}
}

func nodeStatus(node *corev1.Node) status.Node {
	result := status.Node{Name: node.Name}
	for _, address := range node.Status.Addresses {
		if address.Type == corev1.NodeInternalIP {
			result.Address = address.Address
		}
	}
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			result.Ready = condition.Status == corev1.ConditionTrue
		}
	}
	return result
}

func (s *Supervisor) inspectGateway(ctx context.Context, i *inspection, g gatewayGroup) {
	deployment, err := s.client.AppsV1().Deployments(g.namespace).Get(ctx, g.deployment, metav1.GetOptions{})
	if err != nil {
		i.problem("gateway %s/%s cannot be read: %v", g.namespace, g.deployment, err)
		return
	}
	if !available(deployment) {
		i.problem("gateway %s/%s has %d of %d pods ready", g.namespace, g.deployment,
			deployment.Status.ReadyReplicas, replicas(deployment))
	}
	pods, err := s.client.CoreV1().Pods(g.namespace).List(ctx, metav1.ListOptions{LabelSelector: g.selector})
	if err != nil {
		i.problem("pods of gateway %s/%s cannot be listed: %v", g.namespace, g.deployment, err)
		return
	}
	i.mutex.Lock()
	defer i.mutex.Unlock()
	for n := range pods.Items {
		i.status.Gateways = append(i.status.Gateways, gatewayStatus(&pods.Items[n]))
	}
}

func gatewayStatus(pod *corev1.Pod) status.Gateway {
	result := status.Gateway{Namespace: pod.Namespace, Name: pod.Name, Node: pod.Spec.NodeName, PodIP: pod.Status.PodIP}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			result.Ready = condition.Status == corev1.ConditionTrue && pod.DeletionTimestamp == nil
		}
	}
	return result
}

func available(deployment *appsv1.Deployment) bool {
	return deployment.Status.ObservedGeneration >= deployment.Generation &&
		deployment.Status.ReadyReplicas == replicas(deployment)
}

func replicas(deployment *appsv1.Deployment) int32 {
	if deployment.Spec.Replicas == nil {
		return 1
	}
	return *deployment.Spec.Replicas
}

// awaitGateways returns when all pods of the gateways' Deployments are ready.
func (s *Supervisor) awaitGateways(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	for {
		i := &inspection{}
		for _, g := range gatewayGroups {
			s.inspectGateway(ctx, i, g)
		}
		if len(i.status.Problems) == 0 {
			return nil
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("gateways were not ready in time: %s", i.status.Problems[0])
		}
	}
}
