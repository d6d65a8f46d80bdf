//! The address of a gateway, for people, scripts and shells.

use std::io::{self, Write};

use serde::Serialize;

use super::{OutputFormat, View, table};
use crate::domain::{
    gateway_url::{Answer, Candidate},
    named_gateway::{GatewayApi, NamedGateway, Scheme},
    source::Source,
    text::quoted,
};

/// The shell variables of `-o env`, which are the tutorial's.
const VARIABLES: [&str; 4] = ["INGRESS_HOST", "INGRESS_PORT", "SECURE_INGRESS_PORT", "GATEWAY_URL"];

/// What a column shows that has nothing to show.
const NONE: &str = "<none>";

/// `kind: GatewayURL`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayUrl {
    /// The kubeconfig context asked.
    pub context: String,
    /// The Gateway that was named, null when none was.
    pub gateway: Option<GatewayName>,
    /// IP address, IPv6 without brackets, or DNS name.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// `http` or `https`.
    pub scheme: &'static str,
    /// `scheme://host:port`.
    pub url: String,
    /// Where the address comes from.
    pub source: SourceView,
    /// The gateway's Service, null when only a Gateway's status is known.
    pub service: Option<ServicePortView>,
    /// The pod whose node it is, null for the other sources.
    pub pod: Option<PodName>,
    /// Whether a gateway pod takes traffic.
    pub ready: bool,
    /// Server name for TLS, null for plain HTTP or when any host is served.
    pub sni: Option<String>,
    /// Value of the header `Host`, null when any host is served.
    pub host_header: Option<String>,
    #[serde(skip)]
    candidate: Candidate,
}

/// Where an address comes from, in machine output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum SourceView {
    /// Address of a load balancer.
    LoadBalancer,
    /// One of the Service's external IPs.
    ExternalIP,
    /// Address in the status of a Gateway of the Gateway API.
    GatewayAddress,
    /// Node port on the node of a ready gateway pod.
    NodePort,
    /// Port that a ready gateway pod holds on its node.
    HostPort,
}

impl From<Source> for SourceView {
    fn from(source: Source) -> Self {
        match source {
            Source::LoadBalancer => Self::LoadBalancer,
            Source::ExternalIp => Self::ExternalIP,
            Source::GatewayAddress => Self::GatewayAddress,
            Source::NodePort => Self::NodePort,
            Source::HostPort => Self::HostPort,
        }
    }
}

/// A Gateway of either kind.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayName {
    /// Its group and version.
    pub api_version: String,
    /// `Gateway`.
    pub kind: &'static str,
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
    #[serde(skip)]
    resource: &'static str,
}

impl From<&NamedGateway> for GatewayName {
    fn from(named: &NamedGateway) -> Self {
        Self {
            api_version: named.api_version.clone(),
            kind: "Gateway",
            namespace: named.namespace.clone(),
            name: named.name.clone(),
            resource: match named.api {
                GatewayApi::Istio => "gateway.networking.istio.io",
                GatewayApi::Kubernetes => "gateway.gateway.networking.k8s.io",
            },
        }
    }
}

/// One port of a Service.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServicePortView {
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
    /// `spec.ports[].name`.
    pub port_name: String,
    /// `spec.ports[].port`.
    pub port: u16,
}

/// A pod.
#[derive(Serialize)]
pub struct PodName {
    /// `metadata.name`.
    pub name: String,
}

impl GatewayUrl {
    /// Returns the view of one address.
    #[must_use]
    pub fn new(context: &str, named: Option<&NamedGateway>, candidate: &Candidate) -> Self {
        let virtual_host = candidate.virtual_host.clone();
        Self {
            context: context.to_owned(),
            gateway: named.map(GatewayName::from),
            host: candidate.host.to_string(),
            port: candidate.port,
            scheme: match candidate.scheme {
                Scheme::Http => "http",
                Scheme::Https => "https",
            },
            url: candidate.url(),
            source: candidate.source.into(),
            service: candidate.service.as_ref().map(|service| ServicePortView {
                namespace: service.namespace.clone(),
                name: service.name.clone(),
                port_name: service.port_name.clone(),
                port: service.port,
            }),
            pod: candidate.pod.clone().map(|name| PodName { name }),
            ready: candidate.ready,
            sni: virtual_host.clone().filter(|_| candidate.scheme == Scheme::Https),
            host_header: virtual_host,
            candidate: candidate.clone(),
        }
    }

    fn write_env(&self, out: &mut dyn Write) -> io::Result<()> {
        let port = |port: Option<u16>| port.map(|port| port.to_string()).unwrap_or_default();
        let values = [
            self.host.clone(),
            port(self.candidate.http_port),
            port(self.candidate.https_port),
            match self.candidate.scheme {
                Scheme::Http => self.candidate.address(),
                Scheme::Https => self.url.clone(),
            },
        ];
        let mut lines = VARIABLES.iter().zip(values);
        lines.try_for_each(|(name, value)| writeln!(out, "export {name}={}", quoted(&value)))
    }

    /// A curl line that reaches the gateway as a client of the served host would.
    fn write_curl(&self, out: &mut dyn Write) -> io::Result<()> {
        let Some(virtual_host) = &self.host_header else {
            return writeln!(out, "curl {}", quoted(&self.url));
        };
        match self.candidate.scheme {
            // Envoy compares the host without its port.
            Scheme::Http => {
                let header = format!("Host: {virtual_host}");
                writeln!(out, "curl -H {} {}", quoted(&header), quoted(&self.url))
            }
            // The name in the URL becomes SNI; the address it leads to is the gateway's.
            Scheme::Https => {
                let to = format!("{virtual_host}:{}:{}", self.port, self.candidate.address());
                let url = format!("https://{virtual_host}:{}", self.port);
                writeln!(out, "curl --connect-to {} {}", quoted(&to), quoted(&url))
            }
        }
    }

    fn write_name(&self, out: &mut dyn Write) -> io::Result<()> {
        match (&self.gateway, &self.service) {
            (Some(gateway), _) => writeln!(out, "{}/{}", gateway.resource, gateway.name),
            (None, Some(service)) => writeln!(out, "service/{}", service.name),
            (None, None) => Ok(()),
        }
    }
}

impl View for GatewayUrl {
    const KIND: &'static str = "GatewayURL";

    fn write(&self, format: OutputFormat, out: &mut dyn Write) -> io::Result<()> {
        match format {
            OutputFormat::Url => writeln!(out, "{}", self.url),
            OutputFormat::Env => self.write_env(out),
            OutputFormat::Curl => self.write_curl(out),
            OutputFormat::Name => self.write_name(out),
            _ => writeln!(out, "{}", self.candidate.address()),
        }
    }
}

/// Writes what `-o env` prints when there is no address, so that `eval` does not succeed with
/// yesterday's.
///
/// # Errors
/// Those of `out`.
pub fn write_no_env(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "unset {}; false", VARIABLES.join(" "))
}

/// `kind: GatewayURLList`: every address, best first.
#[derive(Serialize)]
pub struct GatewayUrlList {
    /// The addresses.
    pub items: Vec<GatewayUrl>,
}

impl GatewayUrlList {
    /// Returns the view of all addresses.
    #[must_use]
    pub fn new(context: &str, answer: &Answer) -> Self {
        let view = |candidate| GatewayUrl::new(context, answer.named.as_ref(), candidate);
        Self { items: answer.candidates.iter().map(view).collect() }
    }
}

impl View for GatewayUrlList {
    const KIND: &'static str = "GatewayURLList";

    fn write(&self, format: OutputFormat, out: &mut dyn Write) -> io::Result<()> {
        let mut headers = vec!["NAMESPACE", "NAME", "KIND", "SOURCE", "URL", "READY"];
        let mut rows: Vec<_> = self.items.iter().map(row).collect();
        match format {
            OutputFormat::Text => {}
            OutputFormat::Wide => {
                headers.extend(["SERVICE", "PORT", "POD", "HOST"]);
                for (row, item) in rows.iter_mut().zip(&self.items) {
                    row.extend(more(item));
                }
            }
            _ => return self.items.iter().try_for_each(|item| item.write(format, out)),
        }
        table(&headers, &rows, out)
    }
}

fn row(url: &GatewayUrl) -> Vec<String> {
    let (kind, namespace, name) = match (&url.gateway, &url.service) {
        (Some(gateway), _) => ("Gateway", gateway.namespace.clone(), gateway.name.clone()),
        (None, Some(service)) => ("Service", service.namespace.clone(), service.name.clone()),
        (None, None) => (NONE, NONE.to_owned(), NONE.to_owned()),
    };
    let ready = if url.ready { "True" } else { "False" };
    vec![
        namespace,
        name,
        kind.to_owned(),
        format!("{:?}", url.source),
        url.url.clone(),
        ready.to_owned(),
    ]
}

/// The columns that only the wide table has.
fn more(url: &GatewayUrl) -> [String; 4] {
    let service = url.service.as_ref();
    let columns = [
        service.map(|service| format!("{}/{}", service.namespace, service.name)),
        service.map(|service| service.port.to_string()),
        url.pod.as_ref().map(|pod| pod.name.clone()),
        url.host_header.clone(),
    ];
    columns.map(|column| column.unwrap_or_else(|| NONE.to_owned()))
}
