//! Where addresses come from: the sources, what each gives, and what each lacks.

use super::{
    address::Host, gateway::IngressGateway, named_gateway::NamedGateway, opening::Opening,
    snapshot::Pod,
};

/// Where an address comes from, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// `status.loadBalancer.ingress[]` of the Service.
    LoadBalancer,
    /// `spec.externalIPs[]` of the Service.
    ExternalIp,
    /// `status.addresses[]` of a Gateway of the Gateway API, where they are not cluster-internal.
    GatewayAddress,
    /// A node port of the Service, on `status.hostIP` of a ready gateway pod.
    NodePort,
    /// A port of the node that a ready gateway pod holds itself: `hostPort`, or `hostNetwork`.
    HostPort,
}

/// All sources, best first.
pub const SOURCES: [Source; 5] = [
    Source::LoadBalancer,
    Source::ExternalIp,
    Source::GatewayAddress,
    Source::NodePort,
    Source::HostPort,
];

/// A host and port that a source gives.
pub(super) struct Place<'a> {
    pub(super) source: Source,
    pub(super) host: Host,
    pub(super) port: u16,
    pub(super) pod: Option<&'a Pod>,
}

/// The hosts of one source that are open at this port.
pub(super) fn places<'a>(
    source: Source,
    gateway: &'a IngressGateway,
    named: Option<&NamedGateway>,
    opening: Opening<'_>,
) -> Vec<Place<'a>> {
    let service = &gateway.service;
    let hosts: Vec<(Host, Option<&Pod>)> = match source {
        Source::LoadBalancer => {
            service.load_balancer.iter().map(|host| (host.clone(), None)).collect()
        }
        Source::ExternalIp => {
            service.external_ips.iter().map(|host| (host.clone(), None)).collect()
        }
        Source::GatewayAddress => {
            // Of a NodePort Service istiod reports the nodes, where the listener's port is closed.
            let named = named.filter(|_| !service.is_node_port);
            let addresses = named.into_iter().flat_map(|named| &named.addresses);
            // The load balancer's address is listed there too, and a ClusterIP is for pods only.
            let external = addresses.filter(|host| {
                !host.is_cluster_name()
                    && !service.cluster_ips.contains(host)
                    && !service.load_balancer.contains(host)
            });
            external.map(|host| (host.clone(), None)).collect()
        }
        Source::NodePort | Source::HostPort => {
            let pods = gateway.serving();
            pods.filter_map(|pod| Some((Host::Ip(pod.host_ip?), Some(pod)))).collect()
        }
    };
    let mut places: Vec<Place<'_>> = Vec::new();
    for (host, pod) in hosts {
        let Some(port) = port_at(source, gateway, pod, opening) else { continue };
        if places.iter().all(|place| place.host != host) {
            places.push(Place { source, host, port, pod });
        }
    }
    places
}

/// The port at which a source opens this opening.
pub(super) fn port_at(
    source: Source,
    gateway: &IngressGateway,
    pod: Option<&Pod>,
    opening: Opening<'_>,
) -> Option<u16> {
    match source {
        Source::LoadBalancer | Source::ExternalIp => opening.service_port.map(|port| port.port),
        Source::GatewayAddress => {
            Some(opening.server.map_or(opening.listener, |server| server.port))
        }
        Source::NodePort => opening.service_port?.node_port,
        Source::HostPort => {
            let pod = pod.or_else(|| gateway.serving().next())?;
            let declared = pod.ports.iter().find(|port| port.number == opening.listener);
            let held = declared.and_then(|port| port.host_port);
            held.or_else(|| pod.host_network.then_some(opening.listener))
        }
    }
}

/// What each source lacks, in words.
pub(super) fn reasons(
    gateway: &IngressGateway,
    opening: Opening<'_>,
    only: Option<Source>,
) -> Vec<String> {
    let sources = SOURCES.into_iter().filter(|source| only.is_none_or(|only| only == *source));
    sources.filter_map(|source| reason(source, gateway, opening)).collect()
}

fn reason(source: Source, gateway: &IngressGateway, opening: Opening<'_>) -> Option<String> {
    let service = &gateway.service;
    let terminating = gateway.pods.iter().filter(|pod| pod.terminating).count();
    let found = gateway.pods.len();
    let port = opening.service_port.map_or("", |port| port.name.as_str());
    match source {
        Source::LoadBalancer if opening.service_port.is_none() => {
            Some(format!("no port of it leads to {}", opening.listener))
        }
        Source::LoadBalancer if service.is_pending => {
            Some("its load balancer is pending".to_owned())
        }
        Source::LoadBalancer => Some("no load balancer".to_owned()),
        Source::ExternalIp => Some("no externalIPs".to_owned()),
        Source::NodePort if opening.service_port.is_some_and(|port| port.node_port.is_none()) => {
            Some(format!("port {port} has no node port"))
        }
        Source::NodePort if gateway.serving().next().is_none() => {
            Some(format!("no ready gateway pod ({found} found, {terminating} of them terminating)"))
        }
        Source::GatewayAddress | Source::NodePort => None,
        Source::HostPort => Some("no pod with a host port".to_owned()),
    }
}
