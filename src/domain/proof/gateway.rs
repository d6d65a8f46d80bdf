//! The Gateways that decide where a VirtualService's routes are served.

use serde_json::Value;

use super::merged;
use crate::domain::{
    object::{Kind, ObjectRef},
    snapshot::{Labels, Pod, full_host, labels, list, port_number, text},
    virtual_service::VirtualService,
};

/// An Istio Gateway, as far as it decides where routes are served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gateway {
    /// Its address.
    pub object: ObjectRef,
    /// `spec.selector`: the pods that run it.
    pub selector: Labels,
    pub(super) servers: Vec<Server>,
}

/// One of `spec.servers` that HTTP routes are served at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Server {
    pub(super) port: u16,
    /// The route configuration of a server with TLS; for others the pod's Services decide its port.
    pub(super) https_config: Option<String>,
    hosts: Vec<ServerHost>,
}

/// One of `hosts` of a server: `host`, or `namespace/host`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ServerHost {
    host: String,
    /// The namespace whose VirtualServices alone may serve it.
    namespace: Option<String>,
}

impl Gateway {
    /// Reads a Gateway from its JSON.
    #[must_use]
    pub fn read(json: &Value) -> Self {
        let (namespace, name) = (text(json, "/metadata/namespace"), text(json, "/metadata/name"));
        let object = ObjectRef::new(Kind::Gateway, &namespace, &name);
        let servers = list(json, "/spec/servers").iter();
        Self {
            servers: servers.filter_map(|server| Server::read(&object, server)).collect(),
            selector: labels(json, "/spec/selector"),
            object,
        }
    }

    /// The servers a VirtualService is served at, but for its matches.
    pub(super) fn servers_of(
        &self,
        root: &VirtualService,
    ) -> impl Iterator<Item = merged::GatewayPort<'_>> {
        let servers = self.servers.iter().filter(|server| server.serves(root));
        servers.map(|server| (&self.object, server.port))
    }

    /// Returns whether a pod runs it. Unlike a Service, a Gateway without a selector is run by all.
    #[must_use]
    pub fn is_run_by(&self, pod: &Pod) -> bool {
        self.selector.iter().all(|(key, value)| pod.labels.get(key) == Some(value))
    }
}

impl Server {
    fn read(gateway: &ObjectRef, json: &Value) -> Option<Self> {
        let protocol = text(json, "/port/protocol").to_ascii_uppercase();
        let is_terminating = !["PASSTHROUGH", "AUTO_PASSTHROUGH"]
            .contains(&text(json, "/tls/mode").to_ascii_uppercase().as_str());
        let is_https = protocol == "HTTPS" && is_terminating;
        let is_http = ["HTTP", "HTTP2", "GRPC", "GRPC-WEB"].contains(&protocol.as_str());
        let port = port_number(json, "/port/number")?;
        // istiod, pilot/pkg/model/gateway.go: gatewayRDSRouteName.
        let https_config = || {
            let bind = text(json, "/bind");
            let (ObjectRef { namespace, name, .. }, server) = (gateway, text(json, "/port/name"));
            let config = format!("https.{port}.{server}.{name}.{namespace}");
            if bind.is_empty() { config } else { format!("{config}.{bind}") }
        };
        let hosts = list(json, "/hosts").iter().filter_map(Value::as_str);
        (is_http || is_https).then(|| Self {
            port,
            https_config: is_https.then(https_config),
            hosts: hosts.map(|host| ServerHost::read(host, gateway)).collect(),
        })
    }

    /// Whether a VirtualService has routes at it, unless their matches say otherwise.
    pub(super) fn serves(&self, root: &VirtualService) -> bool {
        let namespace = &root.object.namespace;
        let hosts: Vec<_> = root.hosts().iter().map(|host| full_host(host, namespace)).collect();
        self.hosts.iter().any(|own| {
            own.namespace.as_ref().is_none_or(|only| only == namespace)
                && hosts.iter().any(|host| overlap(&own.host, host))
        })
    }

    /// Whether its routes can stand in the route configuration of this name.
    pub(super) fn can_be_in(&self, config: &str) -> bool {
        match &self.https_config {
            Some(own) => own == config,
            None => !config.starts_with("https."),
        }
    }
}

impl ServerHost {
    fn read(text: &str, gateway: &ObjectRef) -> Self {
        let (namespace, host) = text.split_once('/').unwrap_or(("*", text));
        let namespace = match namespace {
            "*" => None,
            "." => Some(gateway.namespace.clone()),
            other => Some(other.to_owned()),
        };
        Self { host: host.to_owned(), namespace }
    }
}

/// Whether two host patterns have a host in common.
fn overlap(one: &str, other: &str) -> bool {
    let (one, other) = (one.to_ascii_lowercase(), other.to_ascii_lowercase());
    match (one.strip_prefix('*'), other.strip_prefix('*')) {
        (None, None) => one == other,
        (Some(suffix), None) => other.ends_with(suffix),
        (None, Some(suffix)) => one.ends_with(suffix),
        (Some(one), Some(other)) => one.ends_with(other) || other.ends_with(one),
    }
}

#[cfg(test)]
mod tests {
    use super::overlap;

    #[test]
    fn host_patterns_overlap_where_they_have_a_host_in_common() {
        for (one, other, expected) in [
            ("*", "a.example", true),
            ("*.example", "a.example", true),
            ("a.example", "*.EXAMPLE", true),
            ("*.example", "*.b.example", true),
            ("*.example", "example", false),
            ("a.example", "b.example", false),
        ] {
            assert_eq!(overlap(one, other), expected, "{one} {other}");
        }
    }
}
