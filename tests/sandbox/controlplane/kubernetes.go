package controlplane

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"

	"kubia.test/sandbox/config"
)

// Health ports on 127.0.0.1.
const (
	ControllerManagerPort = 10257
	SchedulerPort         = 10259
)

// RunAPIServer runs kube-apiserver. It does not return.
func RunAPIServer(_ context.Context, c *config.Config) error {
	return run(apiserver.NewAPIServerCommand(),
		"--etcd-servers=http://"+config.EtcdAddress,
		// All addresses of the sandbox's own network: commands that run far away come by another one.
		"--bind-address=0.0.0.0",
		"--secure-port=6443",
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

// RunControllerManager runs kube-controller-manager. It does not return.
func RunControllerManager(_ context.Context, c *config.Config) error {
	return run(controllers.NewControllerManagerCommand(), append(clientFlags(c, "kube-controller-manager"),
		fmt.Sprintf("--secure-port=%d", ControllerManagerPort),
		"--service-account-private-key-file="+c.KeyFile("service-account"),
		"--root-ca-file="+c.CAFile(),
		"--kube-api-qps=200",
		"--kube-api-burst=400",
	)...)
}

// RunScheduler runs kube-scheduler. It does not return.
func RunScheduler(_ context.Context, c *config.Config) error {
	return run(scheduler.NewSchedulerCommand(), append(clientFlags(c, "kube-scheduler"),
		fmt.Sprintf("--secure-port=%d", SchedulerPort),
	)...)
}

// clientFlags are common to the controller manager and the scheduler: there is only ever
// one of each, and a certificate given is one less to make at start.
func clientFlags(c *config.Config, part string) []string {
	return []string{
		"--kubeconfig=" + c.Kubeconfig(part),
		"--bind-address=127.0.0.1",
		"--leader-elect=false",
		"--tls-cert-file=" + c.CertFile("apiserver"),
		"--tls-private-key-file=" + c.KeyFile("apiserver"),
	}
}

func run(command *cobra.Command, flags ...string) error {
	command.SetArgs(flags)
	os.Exit(cli.Run(command))
	return nil
}
