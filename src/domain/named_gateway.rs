//! A Gateway of either kind, as far as an address needs it.

use std::fmt;

use serde_json::Value;

use super::{
    address::{Host, is_dns_name},
    object::{Kind, ObjectRef},
    snapshot::{labels, list, selector_text, text},
};

/// How to speak to a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Plain HTTP.
    Http,
    /// HTTP over TLS.
    Https,
}

impl fmt::Display for Scheme {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Http => "http",
            Self::Https => "https",
        })
    }
}

/// Whose Gateway kind it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GatewayApi {
    /// `networking.istio.io`.
    Istio,
    /// `gateway.networking.k8s.io`.
    Kubernetes,
}

/// A Gateway of either kind that was named.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedGateway {
    /// Whose kind.
    pub api: GatewayApi,
    /// `apiVersion`.
    pub api_version: String,
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
    /// Its selector, as kubectl writes it (Istio only).
    pub selector: String,
    /// Its servers or listeners that HTTP can be spoken to, in order.
    pub servers: Vec<Server>,
    /// `status.addresses[].value` that are hosts (Gateway API only).
    pub addresses: Vec<Host>,
}

/// One server of an Istio Gateway, or one listener of a Gateway of the Gateway API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its name, possibly empty.
    pub name: String,
    /// Its port number.
    pub port: u16,
    /// How to speak to it.
    pub scheme: Scheme,
    /// The hosts it serves, without a namespace.
    pub hosts: Vec<String>,
    /// Whether it only redirects to HTTPS.
    pub redirects: bool,
}

impl fmt::Display for NamedGateway {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.object_ref().fmt(formatter)
    }
}

impl NamedGateway {
    /// Returns its address.
    #[must_use]
    pub fn object_ref(&self) -> ObjectRef {
        let kind = match self.api {
            GatewayApi::Istio => Kind::Gateway,
            GatewayApi::Kubernetes => Kind::KubernetesGateway,
        };
        ObjectRef::new(kind, &self.namespace, &self.name)
    }

    /// Reads a Gateway of either kind.
    #[must_use]
    pub fn read(api: GatewayApi, object: &Value) -> Self {
        let servers = match api {
            GatewayApi::Istio => list(object, "/spec/servers"),
            GatewayApi::Kubernetes => list(object, "/spec/listeners"),
        };
        let addresses = list(object, "/status/addresses").iter();
        Self {
            api,
            api_version: text(object, "/apiVersion"),
            namespace: text(object, "/metadata/namespace"),
            name: text(object, "/metadata/name"),
            selector: selector_text(&labels(object, "/spec/selector")),
            servers: servers.iter().filter_map(|server| Server::read(api, server)).collect(),
            addresses: addresses.filter_map(|each| text(each, "/value").parse().ok()).collect(),
        }
    }
}

impl Server {
    /// Returns nothing for a server that HTTP cannot be spoken to.
    fn read(api: GatewayApi, server: &Value) -> Option<Self> {
        let (number, protocol, name) = match api {
            GatewayApi::Istio => ("/port/number", "/port/protocol", "/port/name"),
            GatewayApi::Kubernetes => ("/port", "/protocol", "/name"),
        };
        let port = server.pointer(number)?.as_u64().and_then(|port| u16::try_from(port).ok())?;
        let hosts: Vec<_> = match api {
            GatewayApi::Istio => list(server, "/hosts").iter().filter_map(Value::as_str).collect(),
            GatewayApi::Kubernetes => {
                server.pointer("/hostname").and_then(Value::as_str).into_iter().collect()
            }
        };
        let without_namespace = |host: &str| host.rsplit('/').next().unwrap_or(host).to_owned();
        Some(Self {
            name: text(server, name),
            port,
            scheme: scheme(&text(server, protocol), server)?,
            hosts: hosts.into_iter().map(without_namespace).collect(),
            redirects: server.pointer("/tls/httpsRedirect") == Some(&Value::Bool(true)),
        })
    }

    /// Returns the first host that is a name, and no wildcard.
    #[must_use]
    pub fn virtual_host(&self) -> Option<&String> {
        self.hosts.iter().find(|host| is_dns_name(host))
    }
}

fn scheme(protocol: &str, server: &Value) -> Option<Scheme> {
    let mode = text(server, "/tls/mode");
    match protocol.to_ascii_uppercase().as_str() {
        "HTTP" | "HTTP2" | "GRPC" | "GRPC-WEB" if ["", "OPTIONAL"].contains(&mode.as_str()) => {
            Some(Scheme::Http)
        }
        "HTTP" | "HTTP2" | "GRPC" | "GRPC-WEB" | "HTTPS" | "TLS" => Some(Scheme::Https),
        _ => None,
    }
}
