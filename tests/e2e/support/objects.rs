//! Objects of Istio that lead to the tutorial's pods.

use serde_json::{Value, json};

/// A `Gateway` of the sandbox's default ingress gateway with one server.
pub(crate) fn gateway(name: &str, server: &Value) -> Value {
    json!({
        "apiVersion": "networking.istio.io/v1",
        "kind": "Gateway",
        "metadata": {"name": name},
        "spec": {"selector": {"istio": "ingressgateway"}, "servers": [server]},
    })
}

/// The Gateway `wide`: plain HTTP for all hosts below one.
pub(crate) fn wide_gateway(host: &str) -> Value {
    let port = json!({"number": 8080, "name": "http", "protocol": "HTTP"});
    gateway("wide", &json!({"port": port, "hosts": [format!("*.{host}")]}))
}

/// A `VirtualService`.
pub(crate) fn virtual_service(name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": name},
        "spec": spec,
    })
}

/// `route` with these weights for the tutorial's two versions.
pub(crate) fn split(v1: u32, v2: u32) -> Value {
    let destination = |subset: &str, weight: u32| json!({"destination": {"host": "kubia-service", "subset": subset}, "weight": weight});
    json!([destination("dr-v1", v1), destination("dr-v2", v2)])
}
