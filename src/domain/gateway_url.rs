//! Where an ingress gateway can be reached from outside the cluster.

use super::{
    address::Host,
    gateway::{INSTALLATIONS, IngressGateway},
    named_gateway::{GatewayApi, NamedGateway, Scheme, Server},
    object::ObjectRef,
    opening::{Opening, PortChoice, choose, opening_of_server, openings, usual},
    snapshot::ServicePort,
    source::{SOURCES, Source, places, port_at, reasons},
    text::Printable,
};

/// What was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The only source to use.
    pub source: Option<Source>,
    /// Which port.
    pub port: PortChoice,
}

/// What was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// The Gateway, if one was named.
    pub named: Option<NamedGateway>,
    /// The ingress gateways it runs on, or those that were found, best first.
    pub gateways: Vec<IngressGateway>,
}

/// One address that leads to a gateway.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The host.
    pub host: Host,
    /// The port.
    pub port: u16,
    /// How to speak to it.
    pub scheme: Scheme,
    /// Where the address comes from.
    pub source: Source,
    /// The gateway's Service, absent when only a Gateway's status is known.
    pub service: Option<ServiceName>,
    /// The pod whose node it is.
    pub pod: Option<String>,
    /// Whether a gateway pod takes traffic.
    pub ready: bool,
    /// The port for plain HTTP at the same host, if there is one.
    pub http_port: Option<u16>,
    /// The port for HTTPS at the same host, if there is one.
    pub https_port: Option<u16>,
    /// The first host of the server that is no wildcard, for the header `Host` and for SNI.
    pub virtual_host: Option<String>,
    /// The command that reaches the same port through the API server, if anything can be named to it.
    pub port_forward: Option<String>,
}

/// A Service and one of its ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceName {
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
    /// `spec.ports[].name`.
    pub port_name: String,
    /// `spec.ports[].port`.
    pub port: u16,
}

/// All addresses, best first, and what is worth saying about them.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The Gateway, if one was named.
    pub named: Option<NamedGateway>,
    /// The addresses, best first; never empty.
    pub candidates: Vec<Candidate>,
}

/// Why there is no address.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum GatewayUrlError {
    /// None of the usual installations is there.
    #[error("no ingress gateway found: there is no {}{}", usual_services(), .also)]
    NoGateway {
        /// Where else was looked, in words that continue the sentence.
        also: String,
    },
    /// No Service leads to pods with the labels that were given.
    #[error("no ingress gateway found: no Service leads to pods with the labels {labels}{also}")]
    NoneSelected {
        /// The labels.
        labels: String,
        /// Where else was looked, in words that continue the sentence.
        also: String,
    },
    /// The Gateway that was named runs on no pod and no Service.
    #[error("nothing runs {gateway}: {why}")]
    NothingRuns {
        /// The Gateway.
        gateway: ObjectRef,
        /// What is missing.
        why: String,
    },
    /// The Service has no such port, or none that the Gateway's servers need.
    #[error("{target} has no {wanted} port; {service} has {}", display_list(.ports))]
    NoPort {
        /// The Gateway that was named, else the Service.
        target: String,
        /// The gateway's Service.
        service: ObjectRef,
        /// The port asked for.
        wanted: String,
        /// The ports it has.
        ports: Vec<String>,
    },
    /// No source gives an address.
    #[error("nothing outside the cluster leads to {target}: {}", .why.join(", "))]
    NoAddress {
        /// The Gateway that was named and its Service, else the Service alone.
        target: String,
        /// The command that reaches it through the API server, if anything can be named to it.
        port_forward: Option<String>,
        /// Each source, and what it lacks.
        why: Vec<String>,
    },
}

fn usual_services() -> String {
    INSTALLATIONS.map(|each| each.service_ref().to_string()).join(" and no ")
}

fn display_list(ports: &[String]) -> String {
    if ports.is_empty() { "none".to_owned() } else { ports.join(", ") }
}

impl Candidate {
    /// Returns `host:port`, with an IPv6 host in brackets.
    #[must_use]
    pub fn address(&self) -> String {
        self.host.with_port(self.port)
    }

    /// Returns `scheme://host:port`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address())
    }
}

/// Returns every address, best first.
///
/// # Errors
/// [`GatewayUrlError`] when there is none.
pub fn answer(snapshot: &Snapshot, wanted: &Wanted) -> Result<Answer, GatewayUrlError> {
    let named = snapshot.named.as_ref();
    let mut candidates = Vec::new();
    let mut failure = None;
    for gateway in &snapshot.gateways {
        match candidates_of(gateway, named, wanted) {
            Ok(found) => candidates.extend(found),
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    if let Some(named) = named {
        if snapshot.gateways.is_empty() {
            candidates.extend(candidates_of_status(named, wanted));
        }
        // Several Services of one Gateway lead to the same place, so the better source wins.
        candidates.sort_by_key(|candidate| candidate.source);
    }
    match (candidates.is_empty(), failure) {
        (false, _) => Ok(Answer { named: snapshot.named.clone(), candidates }),
        (true, Some(failure)) => Err(failure),
        (true, None) => Err(nothing_runs(named)),
    }
}

fn nothing_runs(named: Option<&NamedGateway>) -> GatewayUrlError {
    match named {
        None => GatewayUrlError::NoGateway { also: String::new() },
        Some(named) => GatewayUrlError::NothingRuns {
            gateway: named.object_ref(),
            why: match named.api {
                GatewayApi::Istio => {
                    format!("no pod has the labels {}", Printable(&named.selector))
                }
                GatewayApi::Kubernetes => {
                    "it has neither a Service nor an address outside the cluster".to_owned()
                }
            },
        },
    }
}

fn candidates_of(
    gateway: &IngressGateway,
    named: Option<&NamedGateway>,
    wanted: &Wanted,
) -> Result<Vec<Candidate>, GatewayUrlError> {
    let openings = openings(gateway, named);
    let opening = choose(&openings, &wanted.port).ok_or_else(|| no_port(gateway, named, wanted))?;
    let port_forward = port_forward(gateway, opening);
    let sources =
        SOURCES.into_iter().filter(|source| wanted.source.is_none_or(|only| only == *source));
    let places = sources.flat_map(|source| places(source, gateway, named, opening));
    let candidates: Vec<_> = places
        .map(|place| {
            let at = |scheme| port_at(place.source, gateway, place.pod, usual(&openings, scheme)?);
            Candidate {
                host: place.host,
                port: place.port,
                scheme: opening.scheme,
                source: place.source,
                service: opening.service_port.map(|port| service_name(gateway, port)),
                pod: place.pod.map(|pod| pod.name.clone()),
                ready: gateway.serving().next().is_some(),
                http_port: at(Scheme::Http),
                https_port: at(Scheme::Https),
                virtual_host: opening.server.and_then(Server::virtual_host).cloned(),
                port_forward: port_forward.clone(),
            }
        })
        .collect();
    if candidates.is_empty() {
        let why = reasons(gateway, opening, wanted.source);
        let service = gateway.service_ref();
        let target =
            named.map_or_else(|| service.to_string(), |named| format!("{named} ({service})"));
        return Err(GatewayUrlError::NoAddress { target, port_forward, why });
    }
    Ok(candidates)
}

/// A Gateway whose Service is not known still has the addresses of its status.
fn candidates_of_status(named: &NamedGateway, wanted: &Wanted) -> Vec<Candidate> {
    if wanted.source.is_some_and(|only| only != Source::GatewayAddress) {
        return Vec::new();
    }
    let openings: Vec<_> = named.servers.iter().map(opening_of_server).collect();
    let Some(opening) = choose(&openings, &wanted.port) else { return Vec::new() };
    let port = |scheme| usual(&openings, scheme).map(|each| each.listener);
    let external = named.addresses.iter().filter(|host| !host.is_cluster_name());
    external
        .map(|host| Candidate {
            host: host.clone(),
            port: opening.listener,
            scheme: opening.scheme,
            source: Source::GatewayAddress,
            service: None,
            pod: None,
            ready: false,
            http_port: port(Scheme::Http),
            https_port: port(Scheme::Https),
            virtual_host: opening.server.and_then(Server::virtual_host).cloned(),
            port_forward: None,
        })
        .collect()
}

/// A port-forward to the Service, or where none of its ports leads there, to a pod.
fn port_forward(gateway: &IngressGateway, opening: Opening<'_>) -> Option<String> {
    let (object, port) = match opening.service_port {
        Some(port) => (gateway.service_ref(), port.port),
        None => (gateway.serving().next()?.object_ref(), opening.listener),
    };
    let local = match opening.scheme {
        Scheme::Http => 8080,
        Scheme::Https => 8443,
    };
    let (namespace, object) = (&object.namespace, object.qualified());
    Some(format!("kubectl port-forward -n {namespace} {object} {local}:{port}"))
}

fn service_name(gateway: &IngressGateway, port: &ServicePort) -> ServiceName {
    ServiceName {
        namespace: gateway.service.namespace.clone(),
        name: gateway.service.name.clone(),
        port_name: port.name.clone(),
        port: port.port,
    }
}

fn no_port(
    gateway: &IngressGateway,
    named: Option<&NamedGateway>,
    wanted: &Wanted,
) -> GatewayUrlError {
    let service = gateway.service_ref();
    GatewayUrlError::NoPort {
        target: named.map_or_else(|| service.to_string(), ToString::to_string),
        service,
        wanted: match &wanted.port {
            PortChoice::Usual => "HTTP".to_owned(),
            PortChoice::Https => "HTTPS".to_owned(),
            PortChoice::Called(name) => name.clone(),
        },
        ports: gateway.service.ports.iter().map(|port| port.name.clone()).collect(),
    }
}
