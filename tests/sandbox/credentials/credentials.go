// Package credentials makes what the sandbox's parts and users identify themselves with:
// certificates and kubeconfigs.
package credentials

import (
	"fmt"
	"net"
	"os"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"kubia.test/sandbox/config"
	"kubia.test/sandbox/pki"
)

const contextName = "kubia-sandbox"

// Parts that talk to the API server with a client certificate of their own.
var clients = map[string]string{
	"supervisor":              "sandbox:supervisor",
	"kube-controller-manager": "system:kube-controller-manager",
	"kube-scheduler":          "system:kube-scheduler",
	"istiod":                  "sandbox:istiod",
	"node-agent":              "sandbox:node-agent",
	"node-proxy":              "sandbox:node-proxy",
}

// Create writes all certificates, the parts' kubeconfigs and the users' kubeconfigs.
func Create(c *config.Config) error {
	for _, dir := range []string{c.RunFile("pki"), c.RunFile("kubeconfig")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("create %s: %w", dir, err)
		}
	}
	authority, err := pki.NewAuthority("kubia-sandbox-" + c.Name)
	if err != nil {
		return err
	}
	if err := os.WriteFile(c.CAFile(), authority.CertPEM, 0o644); err != nil {
		return fmt.Errorf("write the authority's certificate: %w", err)
	}
	if err := createServers(c, authority); err != nil {
		return err
	}
	if err := createSigningKey(c); err != nil {
		return err
	}
	if err := createPartClients(c, authority); err != nil {
		return err
	}
	return createUsers(c, authority)
}

func createServers(c *config.Config, authority *pki.Authority) error {
	nodes := []string{}
	for i := 1; i <= config.NodeCount; i++ {
		nodes = append(nodes, c.NodeAddress(i), config.NodeName(i))
	}
	servers := map[string][]string{
		"apiserver": {"kubernetes.default.svc", "kubernetes.default", "kubernetes", "localhost", "127.0.0.1", c.HostAddress(), "10.96.0.1", config.WANAddress},
		"istiod":    {"istiod.istio-system.svc", "istiod.istio-system", "127.0.0.1"},
		"kubelet":   nodes,
	}
	for name, names := range servers {
		pair, err := authority.Server(names...)
		if err != nil {
			return err
		}
		if err := pair.Write(c.RunFile("pki"), name); err != nil {
			return err
		}
	}
	return nil
}

// createSigningKey makes the key pair of service account tokens.
func createSigningKey(c *config.Config) error {
	private, public, err := pki.SigningKey()
	if err != nil {
		return err
	}
	if err := os.WriteFile(c.KeyFile("service-account"), private, 0o600); err != nil {
		return fmt.Errorf("write the service account key: %w", err)
	}
	if err := os.WriteFile(c.RunFile("pki", "service-account.pub"), public, 0o644); err != nil {
		return fmt.Errorf("write the service account key: %w", err)
	}
	return nil
}

func createPartClients(c *config.Config, authority *pki.Authority) error {
	pair, err := authority.Client("kube-apiserver-kubelet-client")
	if err != nil {
		return err
	}
	if err := pair.Write(c.RunFile("pki"), "apiserver-kubelet-client"); err != nil {
		return err
	}
	for part, user := range clients {
		pair, err := authority.Client(user, "system:masters")
		if err != nil {
			return err
		}
		server := "https://" + config.APIServerAddress
		err = writeKubeconfig(c.Kubeconfig(part), server, authority.CertPEM, user, certificateUser(pair))
		if err != nil {
			return err
		}
	}
	return nil
}

// createUsers writes the kubeconfigs for the terminal: the administrator, and the user kubia
// on the direct way, on the way through the fault proxy, and on the long way.
func createUsers(c *config.Config, authority *pki.Authority) error {
	pair, err := authority.Client("admin", "system:masters")
	if err != nil {
		return err
	}
	direct, proxied := "https://"+c.PublicAPIServer(), "https://"+c.PublicProxied()
	kubia := &clientcmdapi.AuthInfo{Token: c.KubiaToken}
	users := []struct {
		file, server, name string
		user               *clientcmdapi.AuthInfo
	}{
		{"admin.kubeconfig", direct, "admin", certificateUser(pair)},
		{"kubia.kubeconfig", direct, "kubia", kubia},
		{"proxied.kubeconfig", proxied, "kubia", kubia},
		{"wan.kubeconfig", "https://" + net.JoinHostPort(config.WANAddress, "6443"), "kubia", kubia},
	}
	for _, u := range users {
		if err := writeKubeconfig(c.StateFile(u.file), u.server, authority.CertPEM, u.name, u.user); err != nil {
			return err
		}
	}
	return nil
}

func certificateUser(pair *pki.Pair) *clientcmdapi.AuthInfo {
	return &clientcmdapi.AuthInfo{ClientCertificateData: pair.CertPEM, ClientKeyData: pair.KeyPEM}
}

func writeKubeconfig(path, server string, ca []byte, name string, user *clientcmdapi.AuthInfo) error {
	file := clientcmdapi.NewConfig()
	file.Clusters[contextName] = &clientcmdapi.Cluster{Server: server, CertificateAuthorityData: ca}
	file.AuthInfos[name] = user
	file.Contexts[contextName] = &clientcmdapi.Context{Cluster: contextName, AuthInfo: name}
	file.CurrentContext = contextName
	// WriteToFile makes the file readable by its owner alone.
	if err := clientcmd.WriteToFile(*file, path); err != nil {
		return fmt.Errorf("write the kubeconfig %s: %w", path, err)
	}
	return nil
}
