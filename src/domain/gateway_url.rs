//! Where an ingress gateway can be reached, and which of its ports leads where.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
};

use super::{
    object::{Kind, ObjectRef},
    snapshot::{Labels, Pod, Service, ServicePort},
};

/// Where people install an ingress gateway: the Service and the label of its pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Installation {
    /// Namespace of the Service and its pods.
    pub namespace: &'static str,
    /// Name of the Service.
    pub service: &'static str,
    /// Value of the pods' label `istio`.
    pub istio_label: &'static str,
}

impl Installation {
    /// Returns the address of its Service.
    #[must_use]
    pub fn service_ref(&self) -> ObjectRef {
        ObjectRef::new(Kind::Service, self.namespace, self.service)
    }
}

/// The installations that are looked for, in this order: that of istioctl and the tutorial, and
/// that of the `gateway` chart as Istio's documentation installs it.
pub const INSTALLATIONS: [Installation; 2] = [
    Installation {
        namespace: "istio-system",
        service: "istio-ingressgateway",
        istio_label: "ingressgateway",
    },
    Installation { namespace: "istio-ingress", service: "istio-ingress", istio_label: "ingress" },
];

/// An ingress gateway as it was found: its Service and its pods.
#[derive(Clone, Debug, PartialEq)]
pub struct IngressGateway {
    /// The Service.
    pub service: Service,
    /// The pods it selects, ready or not, sorted by name.
    pub pods: Vec<Pod>,
}

impl IngressGateway {
    /// Returns the address of the Service.
    #[must_use]
    pub fn service_ref(&self) -> ObjectRef {
        ObjectRef::new(Kind::Service, &self.service.namespace, &self.service.name)
    }

    /// Returns what a Gateway has to select: the label `istio` of the Service's selector, else all of it.
    #[must_use]
    pub fn gateway_selector(&self) -> Labels {
        match self.service.selector.get_key_value("istio") {
            Some((key, value)) => Labels::from([(key.clone(), value.clone())]),
            None => self.service.selector.clone(),
        }
    }

    /// Returns whether a Gateway with `selector` configures these pods.
    #[must_use]
    pub fn is_selected_by(&self, selector: &Labels) -> bool {
        let labels = self.pods.first().map_or(&self.service.selector, |pod| &pod.labels);
        // Unlike a Service, a Gateway without a selector applies to every gateway pod.
        selector.iter().all(|(key, value)| labels.get(key) == Some(value))
    }
}

/// An address outside the cluster, and how it leads to the gateway.
#[derive(Clone, Debug, PartialEq)]
pub struct NodePortAddress {
    /// `status.hostIP` of a ready gateway pod.
    pub host: IpAddr,
    /// `spec.ports[].nodePort` of the gateway's Service.
    pub port: u16,
    /// The pod the host IP was taken from.
    pub pod: String,
    /// The Service's port.
    pub service_port: ServicePort,
}

impl fmt::Display for NodePortAddress {
    /// Writes `host:port`, with an IPv6 host in brackets.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        SocketAddr::new(self.host, self.port).fmt(formatter)
    }
}

/// Why there is no address.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum GatewayUrlError {
    /// None of the usual installations is there.
    #[error("no ingress gateway found: there is no {}", usual_services())]
    NoGateway,
    /// The Service has no port called `http2` or `http`.
    #[error("{service} has no port named http2 or http; it has {}", display_list(.ports))]
    NoHttpPort {
        /// The gateway's Service.
        service: ObjectRef,
        /// The ports it has.
        ports: Vec<String>,
    },
    /// The port is not open on the nodes.
    #[error("port {port} of {service} has no node port")]
    NoNodePort {
        /// The gateway's Service.
        service: ObjectRef,
        /// The port's name.
        port: String,
    },
    /// No pod takes traffic, so no node's port answers.
    #[error(
        "no ready gateway pod behind {service}: {found} found, {terminating} of them terminating"
    )]
    NoReadyPod {
        /// The gateway's Service.
        service: ObjectRef,
        /// How many pods the Service selects.
        found: usize,
        /// How many of them are being deleted.
        terminating: usize,
    },
}

fn usual_services() -> String {
    INSTALLATIONS.map(|each| each.service_ref().to_string()).join(" and no ")
}

fn display_list(ports: &[String]) -> String {
    if ports.is_empty() { "none".to_owned() } else { ports.join(", ") }
}

/// Returns the tutorial's answer: the node port of `http2` on the host IP of a ready gateway pod.
///
/// Only a pod that serves counts: with `externalTrafficPolicy: Local` a node without one refuses.
/// Of several pods the first by name is taken, so that the answer does not change from run to run.
///
/// # Errors
/// [`GatewayUrlError`] when a part of the address is missing.
pub fn node_port_address(gateway: &IngressGateway) -> Result<NodePortAddress, GatewayUrlError> {
    let service_ref = gateway.service_ref();
    let port = http_port(gateway)?;
    let node_port = port.node_port.ok_or_else(|| GatewayUrlError::NoNodePort {
        service: service_ref.clone(),
        port: port.name.clone(),
    })?;
    let serving = gateway.pods.iter().filter(|pod| pod.serves());
    let (pod, host) = serving
        .filter_map(|pod| Some((pod, pod.host_ip?)))
        .min_by(|(one, _), (other, _)| one.name.cmp(&other.name))
        .ok_or_else(|| GatewayUrlError::NoReadyPod {
            service: service_ref.clone(),
            found: gateway.pods.len(),
            terminating: gateway.pods.iter().filter(|pod| pod.terminating).count(),
        })?;
    Ok(NodePortAddress { host, port: node_port, pod: pod.name.clone(), service_port: port.clone() })
}

/// Returns the Service port for plain HTTP: `http2` as Istio's charts name it, else `http`.
///
/// # Errors
/// [`GatewayUrlError::NoHttpPort`] when there is neither.
pub fn http_port(gateway: &IngressGateway) -> Result<&ServicePort, GatewayUrlError> {
    let service = &gateway.service;
    service.port("http2").or_else(|| service.port("http")).ok_or_else(|| {
        GatewayUrlError::NoHttpPort {
            service: gateway.service_ref(),
            ports: service.ports.iter().map(|port| port.name.clone()).collect(),
        }
    })
}

/// Returns the port a gateway pod listens on for a server with this port number, and the Service
/// port that leads there.
///
/// istiod matches the number against the Service's `port` first and then binds its `targetPort`;
/// otherwise it binds the number itself, which only answers where some `targetPort` equals it
/// (istio/istio, pilot/pkg/model/gateway.go, resolvePorts).
#[must_use]
pub fn listener_port(service: &Service, number: u16) -> (u16, Option<&ServicePort>) {
    if let Some(port) = service.ports.iter().find(|port| port.port == number) {
        return (port.target_port.unwrap_or(number), Some(port));
    }
    (number, service.ports.iter().find(|port| port.target_port == Some(number)))
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn port(name: &str, port: u16, target: u16, node: Option<u16>) -> ServicePort {
        ServicePort { name: name.to_owned(), port, target_port: Some(target), node_port: node }
    }

    fn pod(name: &str, host: Option<[u8; 4]>, ready: bool, terminating: bool) -> Pod {
        Pod {
            name: name.to_owned(),
            labels: [("istio".to_owned(), "ingressgateway".to_owned())].into(),
            created: None,
            terminating,
            ready,
            host_ip: host.map(IpAddr::from),
            images: vec![],
            waiting: None,
        }
    }

    #[track_caller]
    fn check(ports: Vec<ServicePort>, pods: Vec<Pod>, expected: &str) {
        let service = Service {
            namespace: "istio-system".to_owned(),
            name: "istio-ingressgateway".to_owned(),
            ports,
            ..Service::default()
        };
        let shown = match node_port_address(&IngressGateway { service, pods }) {
            Ok(address) => address.to_string(),
            Err(error) => error.to_string(),
        };
        assert_eq!(shown, expected);
    }

    #[test]
    fn only_a_ready_pod_that_stays_gives_the_host() {
        let pods = vec![
            pod("a", Some([127, 1, 0, 4]), false, false),
            pod("b", Some([127, 1, 0, 4]), true, true),
            pod("d", Some([127, 1, 0, 3]), true, false),
            pod("c", Some([127, 1, 0, 2]), true, false),
        ];
        check(vec![port("http2", 80, 8080, Some(32440))], pods, "127.1.0.2:32440");
    }

    #[test]
    fn an_ipv6_host_stands_in_brackets() {
        let mut ready = pod("a", None, true, false);
        ready.host_ip = Some("fd00::2".parse().unwrap());
        check(vec![port("http2", 80, 8080, Some(32440))], vec![ready], "[fd00::2]:32440");
    }

    #[test]
    fn what_is_missing_is_named() {
        let service = "service/istio-ingressgateway in namespace istio-system";
        check(
            vec![port("https", 443, 8443, None)],
            vec![],
            &format!("{service} has no port named http2 or http; it has https"),
        );
        check(
            vec![port("http2", 80, 8080, None)],
            vec![],
            &format!("port http2 of {service} has no node port"),
        );
        check(
            vec![port("http2", 80, 8080, Some(1))],
            vec![pod("a", None, false, true)],
            &format!("no ready gateway pod behind {service}: 1 found, 1 of them terminating"),
        );
    }

    #[test]
    fn a_server_port_leads_where_istiod_binds_it() {
        let service = Service {
            ports: vec![port("http2", 80, 8080, None), port("https", 443, 8443, None)],
            ..Service::default()
        };
        let listener = |number| {
            let (listener, port) = listener_port(&service, number);
            (listener, port.map(|port| port.port))
        };
        assert_eq!(listener(80), (8080, Some(80)));
        assert_eq!(listener(8080), (8080, Some(80)));
        assert_eq!(listener(9000), (9000, None));
    }
}
