// Package registration makes the sandbox's nodes known to the API server and
// keeps them looking alive.
package registration

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/component-helpers/apimachinery/lease"
	"k8s.io/utils/clock"
)

// A kubelet's own periods.
const (
	leaseSeconds = 40
	leaseRenewal = 10 * time.Second
	statusPeriod = 10 * time.Second
)

// registerBackoff paces the attempts of the first registration.
var registerBackoff = wait.Backoff{Duration: 100 * time.Millisecond, Factor: 2, Cap: 2 * time.Second, Steps: 1 << 30}

// Register creates the node, or brings what is there up to date. It tries
// until it succeeds or ctx is done.
func Register(ctx context.Context, client kubernetes.Interface, node Node) error {
	return wait.ExponentialBackoffWithContext(ctx, registerBackoff, func(ctx context.Context) (bool, error) {
		if err := report(ctx, client, node); err != nil {
			slog.Warn("node is not registered yet", "node", node.Name, "error", err)
			return false, nil
		}
		return true, nil
	})
}

// Keep renews the node's lease and its conditions until ctx is done.
func Keep(ctx context.Context, client kubernetes.Interface, node Node) {
	owned := func(lease *coordinationv1.Lease) error { return own(ctx, client, node, lease) }
	leases := lease.NewController(clock.RealClock{}, client, node.Name, leaseSeconds, nil,
		leaseRenewal, node.Name, corev1.NamespaceNodeLease, owned)
	go leases.Run(ctx)
	wait.UntilWithContext(ctx, func(ctx context.Context) {
		if err := report(ctx, client, node); err != nil {
			slog.Warn("node status not reported", "node", node.Name, "error", err)
		}
	}, statusPeriod)
}

// report writes the node's status, and creates the node where there is none.
func report(ctx context.Context, client kubernetes.Interface, node Node) error {
	nodes := client.CoreV1().Nodes()
	present, err := nodes.Get(ctx, node.Name, metav1.GetOptions{ResourceVersion: "0"})
	if apierrors.IsNotFound(err) {
		present, err = nodes.Create(ctx, node.object(), metav1.CreateOptions{})
	}
	if err != nil {
		return fmt.Errorf("register node %s: %w", node.Name, err)
	}
	patch, err := json.Marshal(map[string]any{
		"status": node.status(present.Status.Conditions, metav1.Now()),
	})
	if err != nil {
		return fmt.Errorf("encode the status of node %s: %w", node.Name, err)
	}
	_, err = nodes.Patch(ctx, node.Name, types.MergePatchType, patch, metav1.PatchOptions{}, "status")
	if err != nil {
		return fmt.Errorf("report the status of node %s: %w", node.Name, err)
	}
	return nil
}

// own makes a lease vanish with its node.
func own(ctx context.Context, client kubernetes.Interface, node Node, lease *coordinationv1.Lease) error {
	if len(lease.OwnerReferences) > 0 {
		return nil
	}
	present, err := client.CoreV1().Nodes().Get(ctx, node.Name, metav1.GetOptions{ResourceVersion: "0"})
	if err != nil {
		return fmt.Errorf("find the owner of the lease of %s: %w", node.Name, err)
	}
	lease.OwnerReferences = []metav1.OwnerReference{{
		APIVersion: corev1.SchemeGroupVersion.String(),
		Kind:       "Node",
		Name:       present.Name,
		UID:        present.UID,
	}}
	return nil
}
