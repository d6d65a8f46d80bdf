package controlplane

import (
	"fmt"
	"os"

	"kubia.test/sandbox/config"
)

const (
	auditPolicyFile = "audit-policy.yaml"
	meshConfigFile  = "mesh.yaml"
	tokenFile       = "tokens.csv"
)

// One event per request, at its end; an event names the user agent at every level.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted, Panic]
rules:
- level: Metadata
`

// There is no agent beside the apps that could answer mutual TLS.
const meshConfig = `enableAutoMtls: false
`

// WriteFiles stores what the control plane reads besides its flags and certificates.
func WriteFiles(c *config.Config) error {
	files := map[string]string{
		auditPolicyFile: auditPolicy,
		meshConfigFile:  meshConfig,
		tokenFile:       c.KubiaToken + ",kubia,kubia\n",
	}
	for name, text := range files {
		if err := os.WriteFile(c.RunFile(name), []byte(text), 0o600); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	return nil
}
