//! The address of a gateway.

use std::io::{self, Write};

use serde::Serialize;

use super::View;
use crate::domain::gateway_url::{IngressGateway, NodePortAddress};

/// `kind: GatewayURL`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayUrl {
    /// The kubeconfig context asked.
    pub context: String,
    /// IP address, IPv6 without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// `http://host:port`.
    pub url: String,
    /// Where the address comes from: `NodePort`.
    pub source: &'static str,
    /// The gateway's Service.
    pub service: ServicePortView,
    /// The pod whose `status.hostIP` is the host.
    pub pod: PodName,
    #[serde(skip)]
    address: String,
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
    /// Returns the view of an address.
    #[must_use]
    pub fn new(context: &str, gateway: &IngressGateway, address: &NodePortAddress) -> Self {
        Self {
            context: context.to_owned(),
            host: address.host.to_string(),
            port: address.port,
            url: format!("http://{address}"),
            source: "NodePort",
            service: ServicePortView {
                namespace: gateway.service.namespace.clone(),
                name: gateway.service.name.clone(),
                port_name: address.service_port.name.clone(),
                port: address.service_port.port,
            },
            pod: PodName { name: address.pod.clone() },
            address: address.to_string(),
        }
    }
}

impl View for GatewayUrl {
    const KIND: &'static str = "GatewayURL";

    fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", self.address)
    }
}
