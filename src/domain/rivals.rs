//! Who else serves a host: of two VirtualServices with one host on one gateway, Istio serves only the
//! older, and says nothing.

use serde_json::Value;

use super::{
    deploy::{Snapshot, reference},
    object::{Kind, ObjectRef},
    snapshot::{labels, list},
};

/// Returns the VirtualService other than `own` that serves `host` on this listener, and its Gateway.
pub(super) fn of(
    snapshot: &Snapshot,
    own: &ObjectRef,
    host: &str,
    listener: u16,
) -> Option<(ObjectRef, ObjectRef)> {
    snapshot.virtual_services.iter().find_map(|virtual_service| {
        let rival = reference(Kind::VirtualService, virtual_service);
        if rival == *own || !names_host(virtual_service, host) {
            return None;
        }
        let bound = list(virtual_service, "/spec/gateways").iter().filter_map(Value::as_str);
        let mut gateways = bound.filter_map(|name| find_gateway(snapshot, &rival.namespace, name));
        let gateway = gateways.find(|gateway| serves(snapshot, gateway, host, listener))?;
        Some((rival, reference(Kind::Gateway, gateway)))
    })
}

fn names_host(virtual_service: &Value, host: &str) -> bool {
    let mut hosts = list(virtual_service, "/spec/hosts").iter().filter_map(Value::as_str);
    hosts.any(|each| each.eq_ignore_ascii_case(host))
}

/// Finds a Gateway as a VirtualService names it: `name`, or `namespace/name`.
fn find_gateway<'a>(snapshot: &'a Snapshot, from: &str, name: &str) -> Option<&'a Value> {
    let (namespace, name) = name.split_once('/').unwrap_or((from, name));
    let wanted = ObjectRef::new(Kind::Gateway, namespace, name);
    snapshot.gateways.iter().find(|gateway| reference(Kind::Gateway, gateway) == wanted)
}

/// Returns whether a Gateway opens `host` on the listener of our gateway's pods.
fn serves(snapshot: &Snapshot, gateway: &Value, host: &str, listener: u16) -> bool {
    snapshot.gateway.is_selected_by(&labels(gateway, "/spec/selector"))
        && list(gateway, "/spec/servers").iter().any(|server| {
            let number = server.pointer("/port/number").and_then(Value::as_u64);
            let number = number.and_then(|number| u16::try_from(number).ok());
            let bound = number.map(|port| snapshot.gateway.listener_port(port).0);
            let mut hosts = list(server, "/hosts").iter().filter_map(Value::as_str);
            bound == Some(listener) && hosts.any(|pattern| covers(pattern, host))
        })
}

/// Returns whether a server's host pattern (`*`, `*.example.com`, `ns/name`) includes `host`.
fn covers(pattern: &str, host: &str) -> bool {
    let pattern = pattern.split_once('/').map_or(pattern, |(_, pattern)| pattern);
    match pattern.strip_prefix('*') {
        Some("") => true,
        Some(suffix) => host.to_ascii_lowercase().ends_with(&suffix.to_ascii_lowercase()),
        None => pattern.eq_ignore_ascii_case(host),
    }
}
