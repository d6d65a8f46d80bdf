//! Clusters on the reader's own machine, recognised by their nodes, and how their gateways are reached.
//!
//! There a node's address, or a load balancer's, is often that of a container or a virtual machine
//! which the reader's programs cannot connect to.

use serde_json::Value;

use super::snapshot::{labels, text};

/// What a local cluster is made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    /// kind: nodes are containers.
    Kind,
    /// k3d: k3s nodes as containers.
    K3d,
    /// minikube: nodes are containers or virtual machines.
    Minikube,
    /// Docker Desktop's own cluster.
    DockerDesktop,
}

impl Platform {
    /// Recognises a platform by the nodes' provider IDs, labels and names.
    #[must_use]
    pub fn of(nodes: &[Value]) -> Option<Self> {
        nodes.iter().find_map(|node| {
            let (name, provider) = (text(node, "/metadata/name"), text(node, "/spec/providerID"));
            let labels = labels(node, "/metadata/labels");
            if provider.starts_with("kind://") {
                Some(Self::Kind)
            } else if name.starts_with("k3d-") {
                Some(Self::K3d)
            } else if labels.contains_key("minikube.k8s.io/name") {
                Some(Self::Minikube)
            } else if name == "docker-desktop" {
                Some(Self::DockerDesktop)
            } else {
                None
            }
        })
    }

    /// Returns what leads to a gateway on such a cluster, or else a port-forward does.
    #[must_use]
    pub fn advice(self, port_forward: Option<&str>) -> String {
        let forward = port_forward.map(|command| format!(", or run `{command}`"));
        let forward = forward.unwrap_or_default();
        match self {
            Self::Kind => format!(
                "this is kind: its nodes are containers; run cloud-provider-kind, map the node port with extraPortMappings{forward}"
            ),
            Self::K3d => format!(
                "this is k3d: map the port with `k3d cluster edit NAME --port-add 8080:80@loadbalancer`{forward}"
            ),
            Self::Minikube => {
                format!("this is minikube: run `minikube tunnel` in another terminal{forward}")
            }
            Self::DockerDesktop => {
                format!("this is Docker Desktop: a load balancer answers on localhost{forward}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn local_clusters_are_recognised_by_their_nodes() {
        let of = |node| Platform::of(&[json!({"metadata": {"name": "other"}}), node]);
        let named = |name: &str| json!({"metadata": {"name": name}});
        let kind = json!({"spec": {"providerID": "kind://docker/kind/kind-control-plane"}});
        let minikube = json!({"metadata": {"name": "m", "labels": {"minikube.k8s.io/name": "m"}}});
        assert_eq!(of(kind), Some(Platform::Kind));
        assert_eq!(of(minikube), Some(Platform::Minikube));
        assert_eq!(of(named("k3d-dev-server-0")), Some(Platform::K3d));
        assert_eq!(of(named("docker-desktop")), Some(Platform::DockerDesktop));
        assert_eq!(of(named("ip-10-0-0-1.ec2.internal")), None);
    }
}
