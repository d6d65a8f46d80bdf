package controlplane

import (
	"context"

	"istio.io/istio/pilot/cmd/pilot-discovery/app"

	"kubia.test/sandbox/config"
)

// IstiodEnvironment is read by istiod's packages as they are initialized,
// so it must be set before the process starts.
func IstiodEnvironment() []string {
	return []string{
		"POD_NAMESPACE=istio-system",
		"POD_NAME=istiod-sandbox",
		"CLUSTER_ID=Kubernetes",
		// There is one istiod: one that was killed must not hold up the next.
		"ENABLE_LEADER_ELECTION=false",
		// Upstream Envoy lacks Istio's own filters.
		"PILOT_ENABLE_ALPN_FILTER=false",
		"PILOT_ENABLE_METADATA_EXCHANGE=false",
	}
}

// RunIstiod runs istiod: plaintext xDS and the validation webhook. It returns when istiod ends.
func RunIstiod(_ context.Context, c *config.Config) error {
	command := app.NewRootCommand()
	command.SetArgs([]string{
		"discovery",
		"--kubeconfig=" + c.Kubeconfig("istiod"),
		"--meshConfig=" + c.RunFile(meshConfigFile),
		"--httpAddr=" + config.IstiodHTTPAddress,
		"--httpsAddr=" + config.WebhookAddress,
		"--grpcAddr=" + config.IstiodXDSAddress,
		"--secureGRPCAddr=",
		"--monitoringAddr=127.0.0.1:15014",
		"--ctrlz_address=127.0.0.1",
		// istiod's own certificate would not name the address at which the API server calls the webhook.
		"--caCertFile=" + c.CAFile(),
		"--tlsCertFile=" + c.CertFile("istiod"),
		"--tlsKeyFile=" + c.KeyFile("istiod"),
	})
	return command.Execute()
}
