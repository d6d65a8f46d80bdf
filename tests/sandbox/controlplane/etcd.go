// Package controlplane runs Kubernetes' and Istio's own programs inside this binary,
// each in a process of its own, with the settings a sandbox needs.
package controlplane

import (
	"context"

	"go.etcd.io/etcd/server/v3/etcdmain"

	"kubia.test/sandbox/config"
)

// RunEtcd serves the cluster's store from the run directory. It does not return.
func RunEtcd(_ context.Context, c *config.Config) error {
	url := "http://" + config.EtcdAddress
	peer := "http://127.0.0.1:2380"
	etcdmain.Main([]string{
		"etcd",
		"--name=sandbox",
		"--data-dir=" + c.RunFile("etcd"),
		"--listen-client-urls=" + url,
		"--advertise-client-urls=" + url,
		"--listen-peer-urls=" + peer,
		"--initial-advertise-peer-urls=" + peer,
		"--initial-cluster=sandbox=" + peer,
		// The data lives in memory and dies with the sandbox: syncing it protects nothing.
		"--unsafe-no-fsync",
		"--log-level=warn",
	})
	return nil
}
