package controlplane

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"

	"kubia.test/sandbox/config"
)

// Health ports on 127.0.0.1.
const (
	ControllerManagerPort = 10257
	SchedulerPort         = 10259
)

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
