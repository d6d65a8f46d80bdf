//! The screens of `gateway-url`.

use http::Method;
use insta::assert_snapshot;

use crate::support::{FakeApi, kubia, objects};

#[test]
fn gateway_url_is_one_line_from_two_requests() {
    let api = objects::cluster();
    assert_snapshot!(kubia(&api, "gateway-url"), @"
    exit 0
    --- stdout
    127.1.0.2:32440
    --- stderr
    ");
    assert_snapshot!(api.requests().join("\n"), @"
    GET /api/v1/namespaces/istio-system/pods?labelSelector=istio%3Dingressgateway&resourceVersion=0
    GET /api/v1/namespaces/istio-system/services/istio-ingressgateway
    ");
}

#[test]
fn gateway_url_as_json_says_where_the_address_comes_from() {
    assert_snapshot!(kubia(&objects::cluster(), "gateway-url -o json"), @r#"
    exit 0
    --- stdout
    {
        "apiVersion": "kubectl-kubia/v1",
        "kind": "GatewayURL",
        "context": "test",
        "host": "127.1.0.2",
        "port": 32440,
        "url": "http://127.1.0.2:32440",
        "source": "NodePort",
        "service": {
            "namespace": "istio-system",
            "name": "istio-ingressgateway",
            "portName": "http2",
            "port": 80
        },
        "pod": {
            "name": "istio-ingressgateway-7b9f-aaaaa"
        }
    }
    --- stderr
    "#);
}

#[test]
fn gateway_url_as_yaml_has_the_same_fields() {
    assert_snapshot!(kubia(&objects::cluster(), "gateway-url -o yaml"), @r#"
    exit 0
    --- stdout
    apiVersion: kubectl-kubia/v1
    kind: GatewayURL
    context: test
    host: "127.1.0.2"
    port: 32440
    url: http://127.1.0.2:32440
    source: NodePort
    service:
      namespace: istio-system
      name: istio-ingressgateway
      portName: http2
      port: 80
    pod:
      name: istio-ingressgateway-7b9f-aaaaa
    --- stderr
    "#);
}

#[test]
fn gateway_url_says_where_it_looked() {
    assert_snapshot!(kubia(&FakeApi::with_istio(), "gateway-url"), @"
    exit 1
    --- stdout
    --- stderr
    error: no ingress gateway found: there is no service/istio-ingressgateway in namespace istio-system and no service/istio-ingress in namespace istio-ingress

    hint: name the gateway's Service with --gateway-namespace and --service; `kubectl get services -A -l istio` lists candidates
    ");
}

#[test]
fn gateway_url_names_the_right_that_is_missing() {
    let message = r#"pods is forbidden: User "eve" cannot list resource "pods" in API group "" in the namespace "istio-system""#;
    let api = objects::cluster().raw_answer(
        &Method::GET,
        "/api/v1/namespaces/istio-system/pods",
        403,
        &objects::status(403, "Forbidden", message),
    );
    assert_snapshot!(kubia(&api, "gateway-url"), @r#"
    exit 1
    --- stdout
    --- stderr
    error: cannot list pods in namespace istio-system: forbidden: pods is forbidden: User "eve" cannot list resource "pods" in API group "" in the namespace "istio-system"

    hint: it needs the right to list pods in namespace istio-system; the README lists all rights kubectl-kubia needs
    "#);
}

#[test]
fn gateway_url_takes_the_gateway_it_is_told() {
    let api = objects::cluster();
    assert_snapshot!(kubia(&api, "gateway-url --gateway-namespace istio-ingress"), @r#"
    exit 1
    --- stdout
    --- stderr
    error: cannot get service/istio-ingress in namespace istio-ingress: "istio-ingress" not found
    "#);
}
