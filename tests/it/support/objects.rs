//! Objects as an API server sends them, with only what the commands read.

use serde_json::{Value, json};

use super::FakeApi;

/// A cluster with the tutorial's ingress gateway: two ready pods, one not ready, one terminating.
pub(crate) fn cluster() -> FakeApi {
    let pods = [
        pod("istio-ingressgateway-0-broken", "127.1.0.4", false, false),
        pod("istio-ingressgateway-1-leaving", "127.1.0.4", true, true),
        pod("istio-ingressgateway-7b9f-aaaaa", "127.1.0.2", true, false),
        pod("istio-ingressgateway-7b9f-bbbbb", "127.1.0.3", true, false),
    ];
    pods.iter().fold(FakeApi::with_istio().object("services", &gateway_service()), |api, pod| {
        api.object("pods", pod)
    })
}

/// The Service of the tutorial's ingress gateway.
pub(crate) fn gateway_service() -> Value {
    json!({
        "apiVersion": "v1",
        "metadata": {"namespace": "istio-system", "name": "istio-ingressgateway"},
        "spec": {
            "selector": {"app": "istio-ingressgateway", "istio": "ingressgateway"},
            "ports": [
                {"name": "status-port", "port": 15021, "targetPort": 15021, "nodePort": 30778},
                {"name": "http2", "port": 80, "targetPort": 8080, "nodePort": 32440},
                {"name": "https", "port": 443, "targetPort": 8443, "nodePort": 30197},
            ],
        },
    })
}

fn pod(name: &str, host: &str, ready: bool, terminating: bool) -> Value {
    let mut pod = json!({
        "apiVersion": "v1",
        "metadata": {
            "namespace": "istio-system", "name": name,
            "labels": {"app": "istio-ingressgateway", "istio": "ingressgateway"},
        },
        "status": {
            "hostIP": host,
            "conditions": [{"type": "Ready", "status": if ready { "True" } else { "False" }}],
        },
    });
    if terminating {
        pod["metadata"]["deletionTimestamp"] = json!("2026-11-23T11:59:00Z");
    }
    pod
}

/// The tutorial's app, deployed in namespace `shop` with these weights.
pub(crate) fn deployed(weights: (u32, u32)) -> FakeApi {
    let versions = [("v1", "True"), ("v1", "True"), ("v1", "False"), ("v2", "True")];
    let app = cluster()
        .object("services", &app_service())
        .object("virtualservices", &virtual_service(weights))
        .object("destinationrules", &destination_rule())
        .object("gateways", &gateway());
    versions.iter().enumerate().fold(app, |api, (index, (version, ready))| {
        api.object("pods", &app_pod(&format!("kubia-server-{index}"), version, ready))
    })
}

fn app_pod(name: &str, version: &str, ready: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "metadata": {
            "namespace": "shop", "name": name, "creationTimestamp": "2026-11-20T07:00:00Z",
            "labels": {"tenc-service": "kubia-server", "version": version},
        },
        "spec": {"containers": [{"name": "kubia-server", "image": "docker.io/library/node:24-alpine"}]},
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    })
}

fn app_service() -> Value {
    json!({
        "apiVersion": "v1",
        "metadata": {"namespace": "shop", "name": "kubia-service"},
        "spec": {"clusterIP": "None", "selector": {"tenc-service": "kubia-server"},
                 "ports": [{"name": "http-8080", "port": 8080, "targetPort": 8080}]},
    })
}

/// The tutorial's VirtualService in namespace `shop`.
pub(crate) fn virtual_service((v1, v2): (u32, u32)) -> Value {
    let destination = |version: u32, weight: u32| {
        json!({
            "destination": {"host": "kubia-service.shop.svc.cluster.local",
                            "subset": format!("dr-v{version}"), "port": {"number": 8080}},
            "weight": weight,
        })
    };
    json!({
        "apiVersion": "networking.istio.io/v1",
        "metadata": {"namespace": "shop", "name": "kubia-vs", "resourceVersion": "41"},
        "spec": {"hosts": ["*"], "gateways": ["kubia-service-gateway"],
                 "http": [{"route": [destination(1, v1), destination(2, v2)]}]},
    })
}

fn gateway() -> Value {
    json!({
        "apiVersion": "networking.istio.io/v1",
        "metadata": {"namespace": "shop", "name": "kubia-service-gateway"},
        "spec": {"selector": {"istio": "ingressgateway"}, "servers": [
            {"port": {"number": 8080, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]},
        ]},
    })
}

fn destination_rule() -> Value {
    let subset = |version: u32| json!({"name": format!("dr-v{version}"), "labels": {"version": format!("v{version}")}});
    json!({
        "apiVersion": "networking.istio.io/v1",
        "metadata": {"namespace": "shop", "name": "kubia-dr"},
        "spec": {"host": "kubia-service.shop.svc.cluster.local", "subsets": [subset(1), subset(2)]},
    })
}

/// A `Status` as the API server sends it.
pub(crate) fn status(code: u16, reason: &str, message: &str) -> String {
    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason,
           "message": message, "code": code})
    .to_string()
}
