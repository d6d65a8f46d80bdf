// Package config is what every part of a running sandbox knows about it: names,
// addresses and file paths, written once by the supervisor before the first part starts.
package config

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// RunDirVariable names the environment variable that tells a part where the run directory is.
const RunDirVariable = "KUBIA_SANDBOX_RUN"

// NodeCount is the number of nodes, node-1 to node-3.
const NodeCount = 3

// Addresses inside the sandbox's own network namespace.
const (
	EtcdAddress       = "127.0.0.1:2379"
	APIServerAddress  = "127.0.0.1:6443"
	IstiodXDSAddress  = "127.0.0.1:15010"
	IstiodHTTPAddress = "127.0.0.1:8080"
	WebhookAddress    = "127.0.0.1:15017"

	// NodeAgentControl serves /xds/NAMESPACE/POD, and answers 200 to GET /readyz once the nodes are registered.
	NodeAgentControl = "127.0.0.1:6446"
	// APIProxyControl serves /requests, and answers 200 to GET /readyz once its port is published.
	APIProxyControl = "127.0.0.1:6447"
	// NodeProxyControl answers 200 to GET /readyz once the node ports of the first full listing are published.
	NodeProxyControl = "127.0.0.1:6448"

	// BridgeAddress is the pods' gateway, an address of the bridge cni0 in the supervisor's namespace.
	BridgeAddress = "10.244.0.1"
	PodCIDR       = "10.244.0.0/16"
	ServiceCIDR   = "10.96.0.0/16"
	KubeletPort   = 10250

	// WANAddress is the API server's for commands that run far away, whose own addresses follow it.
	WANAddress = "10.254.0.1"
	WANBits    = 24
)

// Config describes one sandbox. Paths are absolute.
type Config struct {
	Name string `json:"name"`
	// X is the second byte of the sandbox's own addresses 127.x.0.0/16 on the host.
	X int `json:"x"`
	// StateDir is visible to the user; RunDir is a tmpfs that only the sandbox's processes see.
	StateDir string `json:"stateDir"`
	RunDir   string `json:"runDir"`
	// ToolsDir is where pip installed Envoy and kubectl.
	ToolsDir string `json:"toolsDir"`
	// CRDFile holds the CustomResourceDefinitions of Istio and the Gateway API.
	CRDFile string `json:"crdFile"`
	// RBACFile holds the ClusterRole of the user kubia; empty when there is none.
	RBACFile string `json:"rbacFile,omitempty"`
	// PathDirs are put in front of PATH by the file `env`, besides kubectl's own directory.
	PathDirs []string `json:"pathDirs,omitempty"`
	// KubiaToken is the bearer token of the user kubia.
	KubiaToken string `json:"kubiaToken"`
}

// Load reads the configuration of the sandbox this process is a part of.
func Load() (*Config, error) {
	dir := os.Getenv(RunDirVariable)
	if dir == "" {
		return nil, fmt.Errorf("%s is not set: this process is not a part of a sandbox", RunDirVariable)
	}
	data, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		return nil, fmt.Errorf("read the sandbox's configuration: %w", err)
	}
	c := &Config{}
	if err := json.Unmarshal(data, c); err != nil {
		return nil, fmt.Errorf("parse the sandbox's configuration: %w", err)
	}
	return c, nil
}

// Save writes the configuration where Load finds it.
func (c *Config) Save() error {
	data, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the sandbox's configuration: %w", err)
	}
	if err := os.WriteFile(c.RunFile("config.json"), data, 0o600); err != nil {
		return fmt.Errorf("write the sandbox's configuration: %w", err)
	}
	return nil
}

// RunFile returns the path of a file in the private run directory.
func (c *Config) RunFile(elements ...string) string {
	return filepath.Join(append([]string{c.RunDir}, elements...)...)
}

// StateFile returns the path of a file in the state directory.
func (c *Config) StateFile(elements ...string) string {
	return filepath.Join(append([]string{c.StateDir}, elements...)...)
}

// Kubeconfig returns the path of the kubeconfig of a part (a client certificate of the group
// system:masters, straight to the API server).
func (c *Config) Kubeconfig(part string) string {
	return c.RunFile("kubeconfig", part+".kubeconfig")
}

// CAFile is the certificate of the authority that signs every certificate of the sandbox.
func (c *Config) CAFile() string { return c.RunFile("pki", "ca.crt") }

// CertFile returns the certificate of a server or client: "apiserver", "kubelet" (names: every node's
// address), "istiod", "apiserver-kubelet-client" (what the API server shows to the kubelet port), …
func (c *Config) CertFile(name string) string { return c.RunFile("pki", name+".crt") }

// KeyFile returns the private key of CertFile(name).
func (c *Config) KeyFile(name string) string { return c.RunFile("pki", name+".key") }

// EnvoyPath is the Envoy binary that pip installed.
func (c *Config) EnvoyPath() string { return filepath.Join(c.ToolsDir, "envoy", "_bin", "envoy") }

// HostAddress is the sandbox's main address on the host, where the API server and the control API answer.
func (c *Config) HostAddress() string { return fmt.Sprintf("127.%d.0.1", c.X) }

// Addresses published on the host, host:port.
func (c *Config) PublicAPIServer() string { return c.HostAddress() + ":6443" }
func (c *Config) PublicProxied() string   { return c.HostAddress() + ":6444" }
func (c *Config) PublicControl() string   { return c.HostAddress() + ":6445" }

// NodeName returns the name of node i, counted from 1.
func NodeName(i int) string { return fmt.Sprintf("node-%d", i) }

// NodeAddress returns the address of node i, counted from 1: its InternalIP, the host IP of its pods,
// and where its node ports answer on the host.
func (c *Config) NodeAddress(i int) string { return fmt.Sprintf("127.%d.0.%d", c.X, i+1) }
