package controlplane

import (
	"context"
	"net"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/apiserver/pkg/server"
	"k8s.io/client-go/rest"
	"k8s.io/component-base/compatibility"
	logs "k8s.io/component-base/logs/api/v1"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	"k8s.io/kubernetes/cmd/kube-apiserver/app/options"

	"kubia.test/sandbox/config"
	"kubia.test/sandbox/hostnet"
)

// RunAPIServer runs kube-apiserver. It does not return.
//
// Its own command has no flag for a listener that exists already. This one has the same flags,
// and takes the same steps with them.
func RunAPIServer(_ context.Context, c *config.Config) error {
	serverOptions := options.NewServerRunOptions()
	command := &cobra.Command{
		Use:          "kube-apiserver",
		SilenceUsage: true,
		RunE:         func(*cobra.Command, []string) error { return serve(c, serverOptions) },
	}
	for _, flags := range serverOptions.Flags().FlagSets {
		command.Flags().AddFlagSet(flags)
	}
	return run(command,
		"--etcd-servers=http://"+config.EtcdAddress,
		// Nothing inside the sandbox uses the Service `kubernetes`; without the
		// reconciler its address need not be reachable either.
		"--endpoint-reconciler-type=none",
		"--advertise-address="+config.BridgeAddress,
		"--service-cluster-ip-range="+config.ServiceCIDR,
		"--authorization-mode=RBAC",
		"--client-ca-file="+c.CAFile(),
		"--token-auth-file="+c.RunFile(tokenFile),
		"--tls-cert-file="+c.CertFile("apiserver"),
		"--tls-private-key-file="+c.KeyFile("apiserver"),
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file="+c.RunFile("pki", "service-account.pub"),
		"--service-account-signing-key-file="+c.KeyFile("service-account"),
		"--kubelet-certificate-authority="+c.CAFile(),
		"--kubelet-client-certificate="+c.CertFile("apiserver-kubelet-client"),
		"--kubelet-client-key="+c.KeyFile("apiserver-kubelet-client"),
		"--kubelet-preferred-address-types=InternalIP",
		"--audit-policy-file="+c.RunFile(auditPolicyFile),
		"--audit-log-path="+c.StateFile("audit.log"),
		"--audit-log-format=json",
		// Tests count requests in one file: it must not be rotated away under them.
		"--audit-log-maxsize=4096",
	)
}

func serve(c *config.Config, serverOptions *options.ServerRunOptions) error {
	registry := serverOptions.GenericServerRunOptions.ComponentGlobalsRegistry
	if err := registry.Set(); err != nil {
		return err
	}
	// The server's own requests to itself need no warnings in its log.
	rest.SetDefaultWarningHandler(rest.NoWarnings{})
	if err := logs.ValidateAndApply(serverOptions.Logs, registry.FeatureGateFor(compatibility.DefaultKubeComponent)); err != nil {
		return err
	}
	listener, err := listen(c)
	if err != nil {
		return err
	}
	serverOptions.SecureServing.Listener = listener
	ctx := server.SetupSignalContext()
	completed, err := serverOptions.Complete(ctx)
	if err != nil {
		return err
	}
	if failures := completed.Validate(); len(failures) > 0 {
		return errors.NewAggregate(failures)
	}
	return apiserver.Run(ctx, completed)
}

// listen opens the API server's port in the sandbox's network and on the host. Clients of both talk
// to the server itself: a relay in between would show in every measurement.
func listen(c *config.Config) (net.Listener, error) {
	// All addresses of the sandbox's own network: commands that run far away come by another one.
	inside, err := net.Listen("tcp4", ":6443")
	if err != nil {
		return nil, err
	}
	outside, err := hostnet.Listen(c.PublicAPIServer())
	if err != nil {
		return nil, err
	}
	return hostnet.Merge(inside, outside), nil
}
