// The program kubia-sandbox runs a real Kubernetes control plane, istiod and Envoy gateways
// without any container engine. One binary is the command line and every part.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"kubia.test/sandbox/apiproxy"
	"kubia.test/sandbox/command"
	"kubia.test/sandbox/config"
	"kubia.test/sandbox/controlplane"
	"kubia.test/sandbox/hostnet"
	"kubia.test/sandbox/launch"
	"kubia.test/sandbox/node"
	"kubia.test/sandbox/supervisor"
	"kubia.test/sandbox/wan"
)

// parts are the processes of a sandbox besides the supervisor and its host helper.
var parts = map[string]func(context.Context, *config.Config) error{
	"etcd":                    controlplane.RunEtcd,
	"kube-apiserver":          controlplane.RunAPIServer,
	"kube-controller-manager": controlplane.RunControllerManager,
	"kube-scheduler":          controlplane.RunScheduler,
	"istiod":                  controlplane.RunIstiod,
	"api-proxy":               apiproxy.Run,
	"node-agent":              node.RunAgent,
	"node-proxy":              node.RunProxy,
}

func main() {
	internal := map[string]func([]string) error{
		launch.EnterCommand:      enter,
		launch.HostCommand:       host,
		launch.SupervisorCommand: supervise,
		supervisor.PartCommand:   part,
		wan.EnterCommand:         wan.Enter,
	}
	if len(os.Args) > 1 {
		if run, found := internal[os.Args[1]]; found {
			nameProcess()
			// Istio's packages take the standard logger over as they are initialized.
			slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, nil)))
			exit(run(os.Args[2:]))
		}
	}
	os.Exit(command.Main(os.Args[1:]))
}

func enter(arguments []string) error {
	options, err := internalOptions(arguments)
	if err != nil {
		return err
	}
	return launch.Enter(options)
}

func host(arguments []string) error {
	if len(arguments) != 2 {
		return fmt.Errorf("host wants a name and a directory")
	}
	return hostnet.Serve(arguments[0], arguments[1], os.Stdout)
}

func supervise(arguments []string) error {
	options, err := internalOptions(arguments)
	if err != nil {
		return err
	}
	return supervisor.Run(options)
}

func part(arguments []string) error {
	if len(arguments) != 1 || parts[arguments[0]] == nil {
		return fmt.Errorf("part wants the name of a part")
	}
	c, err := config.Load()
	if err != nil {
		return err
	}
	return parts[arguments[0]](context.Background(), c)
}

// nameProcess gives ps a better name than that of /proc/self/exe, through which the
// processes are started so that all run the same file also after a new build.
func nameProcess() {
	_ = os.WriteFile("/proc/self/comm", []byte("kubia-sandbox"), 0)
}

func internalOptions(arguments []string) (*launch.Options, error) {
	if len(arguments) != 1 {
		return nil, fmt.Errorf("wanted one argument with options")
	}
	return launch.ParseOptions(arguments[0])
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
	os.Exit(0)
}
