//! The sandbox's log of requests that port-forwards brought to the admin ports of gateway proxies.

use std::fs;

use jiff::Timestamp;
use serde::Deserialize;

use super::{
    http,
    proxies::GATEWAY,
    sandbox::Sandbox,
    wait::{holds, wait_for},
};

/// One request, as the node saw it on its way to Envoy.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AdminRequest {
    pub(crate) time: Timestamp,
    /// `namespace/name`.
    pub(crate) pod: String,
    pub(crate) connection: u64,
    pub(crate) method: String,
    pub(crate) path: String,
    user_agent: String,
    sent: u64,
    received: u64,
}

/// The only question the plugin may ask an Envoy.
const QUESTION: &str = "/config_dump";

/// The only parts of a configuration that it may ask for.
const RESOURCES: [&str; 5] = [
    "dynamic_route_configs",
    "dynamic_listeners",
    "dynamic_active_secrets",
    "dynamic_endpoint_configs",
    "static_endpoint_configs",
];

/// All requests so far but those of the tests' own clients, in order.
pub(crate) fn of_plugin(sandbox: &Sandbox) -> Vec<AdminRequest> {
    let path = sandbox.directory().join("admin.log");
    let log = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    // Only whole lines: the last one may still be written.
    let whole = log.rfind('\n').map_or("", |end| &log[..end]);
    let lines = whole.lines();
    let requests = lines
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")));
    requests.filter(|request: &AdminRequest| request.user_agent != http::AGENT).collect()
}

/// Waits until the plugin has asked the proxy of a pod so often, the first requests of all left out.
pub(crate) fn wait_asked(sandbox: &Sandbox, since: usize, pod: &str, times: usize) {
    let pod = format!("{GATEWAY}/{pod}");
    wait_for(&format!("the plugin to ask {pod} {times} times"), || {
        let requests = of_plugin(sandbox);
        let asked = requests[since..].iter().filter(|request| request.pod == pod).count();
        holds(asked >= times, || format!("{asked} requests"))
    });
}

/// Panics unless the plugin has only ever read, and only what it may, and did so at all.
pub(crate) fn assert_only_reads(sandbox: &Sandbox) {
    let requests = of_plugin(sandbox);
    assert!(!requests.is_empty(), "the plugin asked no proxy");
    for request in &requests {
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        let known = query.split('&').all(|part| match part.split_once('=') {
            Some(("resource", resource)) => RESOURCES.contains(&resource),
            Some(("mask" | "name_regex", _)) => true,
            _ => part == "include_eds",
        });
        assert!(
            request.method == "GET" && path == QUESTION && known && query.contains("resource="),
            "not a request to read: {request:?}"
        );
    }
}

/// Bytes per second that requests on one connection and their answers cost from the first to the
/// last of them.
pub(crate) fn bytes_per_second(requests: &[&AdminRequest]) -> f64 {
    let [first, .., last] = requests else { panic!("too few requests: {requests:?}") };
    assert_eq!(first.connection, last.connection, "requests of several connections");
    let bytes = last.sent - first.sent + last.received - first.received;
    let seconds = last.time.duration_since(first.time).as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "far fewer bytes than 2^52")]
    let rate = bytes as f64 / seconds;
    rate
}
