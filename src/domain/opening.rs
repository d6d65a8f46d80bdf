//! Which ports of a gateway there are, and which of them is meant.

use super::{
    gateway::IngressGateway,
    named_gateway::{GatewayApi, NamedGateway, Scheme, Server},
    snapshot::ServicePort,
};

/// Which port is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PortChoice {
    /// The plain HTTP port, else the HTTPS port.
    #[default]
    Usual,
    /// The HTTPS port.
    Https,
    /// The port of this name or number.
    Called(String),
}

/// A port of a gateway that something may lead to from outside.
#[derive(Clone, Copy)]
pub(super) struct Opening<'a> {
    /// How to speak to it.
    pub(super) scheme: Scheme,
    /// The port of the Service that leads there.
    pub(super) service_port: Option<&'a ServicePort>,
    /// The port the pods listen on.
    pub(super) listener: u16,
    /// The server it is for, when a Gateway was named.
    pub(super) server: Option<&'a Server>,
}

/// A server, when no Service is known that leads to it.
pub(super) fn opening_of_server(server: &Server) -> Opening<'_> {
    Opening {
        scheme: server.scheme,
        service_port: None,
        listener: server.port,
        server: Some(server),
    }
}

/// The servers of the Gateway that was named, else the Service's usual ports.
pub(super) fn openings<'a>(
    gateway: &'a IngressGateway,
    named: Option<&'a NamedGateway>,
) -> Vec<Opening<'a>> {
    if let Some(named) = named {
        let servers = named.servers.iter();
        return servers
            .map(|server| {
                let (listener, service_port) = match named.api {
                    GatewayApi::Istio => gateway.listener_port(server.port),
                    // A listener's port is the Service's own, never a targetPort.
                    GatewayApi::Kubernetes => {
                        let port = gateway.service_port(server.port);
                        let listener = port.and_then(|port| gateway.target_port(port));
                        (listener.unwrap_or(server.port), port)
                    }
                };
                Opening { service_port, listener, ..opening_of_server(server) }
            })
            .collect();
    }
    let opening = |scheme, port: &'a ServicePort| Opening {
        scheme,
        service_port: Some(port),
        listener: gateway.target_port(port).unwrap_or(port.port),
        server: None,
    };
    let http = gateway.http_port().map(|port| opening(Scheme::Http, port));
    let https = gateway.https_port().map(|port| opening(Scheme::Https, port));
    let known = [http, https];
    let is_known = |port: &ServicePort| {
        let mut known = known.iter().flatten();
        known.any(|each| each.service_port == Some(port))
    };
    // Other ports are used only when asked for by name or number.
    let others = gateway.service.ports.iter().filter(|port| !is_known(port));
    let others = others.map(|port| opening(scheme_of(port), port));
    known.into_iter().flatten().chain(others).collect()
}

/// The scheme of a Service port that is neither the HTTP nor the HTTPS port.
fn scheme_of(port: &ServicePort) -> Scheme {
    let is_https = port.name == "https" || port.port == 443 || port.app_protocol == "https";
    if is_https { Scheme::Https } else { Scheme::Http }
}

/// The opening that a choice means.
pub(super) fn choose<'a>(openings: &[Opening<'a>], choice: &PortChoice) -> Option<Opening<'a>> {
    let redirects = |opening: &Opening<'_>| opening.server.is_some_and(|server| server.redirects);
    let (http, https) = (usual(openings, Scheme::Http), usual(openings, Scheme::Https));
    match choice {
        // What only redirects is no answer while the place it redirects to is known.
        PortChoice::Usual => http.filter(|opening| !redirects(opening)).or(https).or(http),
        PortChoice::Https => https,
        PortChoice::Called(name) => openings.iter().find(|each| is_called(each, name)).copied(),
    }
}

/// The opening for a scheme that is meant when none is named.
pub(super) fn usual<'a>(openings: &[Opening<'a>], scheme: Scheme) -> Option<Opening<'a>> {
    let meant = |opening: &&Opening<'_>| {
        let is_known = opening.server.is_some() || scheme == Scheme::Https || is_http(opening);
        opening.scheme == scheme && is_known
    };
    let openings = || openings.iter().filter(meant);
    // A server that no Service port leads to comes last: its pods may hold a port of their node.
    let leading = openings().find(|opening| opening.service_port.is_some());
    leading.or_else(|| openings().next()).copied()
}

/// Whether a port without a server is known to be for HTTP, and not just some port.
fn is_http(opening: &Opening<'_>) -> bool {
    opening
        .service_port
        .is_some_and(|port| ["http2", "http"].contains(&port.name.as_str()) || port.is_plain_http())
}

fn is_called(opening: &Opening<'_>, name: &str) -> bool {
    let number = name.parse::<u16>().ok();
    opening.service_port.is_some_and(|port| port.name == name || Some(port.port) == number)
        || opening.server.is_some_and(|server| server.name == name || Some(server.port) == number)
}
