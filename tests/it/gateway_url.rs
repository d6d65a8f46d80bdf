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
        "gateway": null,
        "host": "127.1.0.2",
        "port": 32440,
        "scheme": "http",
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
        },
        "ready": true,
        "sni": null,
        "hostHeader": null
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
    gateway: null
    host: "127.1.0.2"
    port: 32440
    scheme: http
    url: http://127.1.0.2:32440
    source: NodePort
    service:
      namespace: istio-system
      name: istio-ingressgateway
      portName: http2
      port: 80
    pod:
      name: istio-ingressgateway-7b9f-aaaaa
    ready: true
    sni: null
    hostHeader: null
    --- stderr
    "#);
}

#[test]
fn gateway_url_says_where_it_looked() {
    assert_snapshot!(kubia(&FakeApi::with_istio(), "gateway-url"), @"
    exit 1
    --- stdout
    --- stderr
    error: no ingress gateway found: there is no service/istio-ingressgateway in namespace istio-system and no service/istio-ingress in namespace istio-ingress, and no Service of a gateway in istio-system, istio-ingress, shop, all namespaces

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
    Error from server (Forbidden): pods is forbidden: User "eve" cannot list resource "pods" in API group "" in the namespace "istio-system"

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
    Error from server (NotFound): "istio-ingress" not found
    "#);
}

#[test]
fn gateway_url_asks_for_the_pods_of_a_usual_service_at_once() {
    let mut service = objects::gateway_service();
    service["metadata"]["namespace"] = "edge".into();
    let api = objects::cluster().object("services", &service);
    kubia(&api, "gateway-url --gateway-namespace edge");
    assert_snapshot!(api.requests().join("\n"), @"
    GET /api/v1/namespaces/edge/pods?labelSelector=istio%3Dingressgateway&resourceVersion=0
    GET /api/v1/namespaces/edge/services/istio-ingressgateway
    ");
}

#[test]
fn gateway_url_finds_the_pods_of_a_usual_service_with_an_unusual_selector() {
    let mut service = objects::gateway_service();
    service["spec"]["selector"] = serde_json::json!({"app": "istio-ingressgateway"});
    let pod = serde_json::json!({
        "apiVersion": "v1",
        "metadata": {"namespace": "istio-system", "name": "istio-ingressgateway-0",
                     "labels": {"app": "istio-ingressgateway", "istio": "edge"}},
        "status": {"hostIP": "127.1.0.4", "conditions": [{"type": "Ready", "status": "True"}]},
    });
    let api = FakeApi::with_istio().object("services", &service).object("pods", &pod);
    assert_snapshot!(kubia(&api, "gateway-url").stdout, @"127.1.0.4:32440");
    assert_eq!(api.requests().len(), 3, "{:?}", api.requests());
}

#[test]
fn gateway_url_all_is_a_table() {
    assert_snapshot!(kubia(&objects::cluster(), "gateway-url --all"), @"
    exit 0
    --- stdout
    NAMESPACE      NAME                   KIND      SOURCE     URL                      READY
    istio-system   istio-ingressgateway   Service   NodePort   http://127.1.0.2:32440   True
    istio-system   istio-ingressgateway   Service   NodePort   http://127.1.0.3:32440   True
    --- stderr
    ");
}

#[test]
fn gateway_url_all_is_wider_with_service_pod_and_host() {
    assert_snapshot!(kubia(&objects::cluster(), "gateway-url --all -o wide"), @"
    exit 0
    --- stdout
    NAMESPACE      NAME                   KIND      SOURCE     URL                      READY   SERVICE                             PORT   POD                               HOST
    istio-system   istio-ingressgateway   Service   NodePort   http://127.1.0.2:32440   True    istio-system/istio-ingressgateway   80     istio-ingressgateway-7b9f-aaaaa   <none>
    istio-system   istio-ingressgateway   Service   NodePort   http://127.1.0.3:32440   True    istio-system/istio-ingressgateway   80     istio-ingressgateway-7b9f-bbbbb   <none>
    --- stderr
    ");
    assert_snapshot!(kubia(&web(), "gateway-url web --all -o wide").stdout, @"
    NAMESPACE   NAME   KIND      SOURCE     URL                      READY   SERVICE                             PORT   POD                               HOST
    shop        web    Gateway   NodePort   http://127.1.0.2:32440   True    istio-system/istio-ingressgateway   80     istio-ingressgateway-7b9f-aaaaa   it.example
    shop        web    Gateway   NodePort   http://127.1.0.3:32440   True    istio-system/istio-ingressgateway   80     istio-ingressgateway-7b9f-bbbbb   it.example
    ");
    assert_snapshot!(kubia(&objects::cluster(), "gateway-url -o wide").stdout, @"127.1.0.2:32440");
}

/// The usual cluster with a Gateway for one host.
fn web() -> FakeApi {
    objects::cluster().object(
        "gateways",
        &serde_json::json!({
            "apiVersion": "networking.istio.io/v1",
            "metadata": {"namespace": "shop", "name": "web"},
            "spec": {"selector": {"istio": "ingressgateway"}, "servers": [
                {"port": {"number": 80, "protocol": "HTTP"}, "hosts": ["shop/*.example", "it.example"]},
                {"port": {"number": 443, "protocol": "HTTPS"}, "hosts": ["it.example"], "tls": {"mode": "SIMPLE"}},
            ]},
        }),
    )
}

#[test]
fn gateway_url_as_curl_sends_the_host() {
    let api = web();
    assert_snapshot!(kubia(&api, "gateway-url web -o curl"), @"
    exit 0
    --- stdout
    curl -H 'Host: it.example' 'http://127.1.0.2:32440'
    --- stderr
    ");
    assert_snapshot!(kubia(&api, "gateway-url web -o curl --https"), @"
    exit 0
    --- stdout
    curl --connect-to 'it.example:30197:127.1.0.2:30197' 'https://it.example:30197'
    --- stderr
    ");
    assert_snapshot!(kubia(&api, "gateway-url web -o name").stdout, @"gateway.networking.istio.io/web");
    assert_snapshot!(kubia(&objects::cluster(), "gateway-url -o curl").stdout, @"curl 'http://127.1.0.2:32440'");
}

#[test]
fn gateway_url_as_env_fails_in_a_way_that_eval_notices() {
    assert_snapshot!(kubia(&FakeApi::default(), "gateway-url -o env").stdout, @"unset INGRESS_HOST INGRESS_PORT SECURE_INGRESS_PORT GATEWAY_URL; false");
}

#[test]
fn gateway_url_probe_prints_no_address_that_does_not_answer() {
    // Port 1: nobody listens there.
    let mut service = objects::gateway_service();
    service["spec"]["ports"][1]["nodePort"] = 1.into();
    let node = serde_json::json!({
        "apiVersion": "v1", "metadata": {"name": "kind-control-plane"},
        "spec": {"providerID": "kind://docker/kind/kind-control-plane"},
    });
    let api = objects::cluster().object("nodes", &node).object("services", &service);
    assert_snapshot!(kubia(&api, "gateway-url --probe"), @"
    exit 1
    --- stdout
    --- stderr
    http://127.1.0.2:1 does not answer: no TCP connection: Connection refused (os error 111)
    http://127.1.0.3:1 does not answer: no TCP connection: Connection refused (os error 111)
    error: nothing answers at http://127.1.0.2:1, http://127.1.0.3:1

    hint: this is kind: its nodes are containers; run cloud-provider-kind, map the node port with extraPortMappings, or run `kubectl port-forward -n istio-system service/istio-ingressgateway 8080:80`
    ");
}

#[test]
fn gateway_url_without_an_address_says_how_to_reach_the_port_that_was_meant() {
    let mut service = objects::gateway_service();
    service["spec"]["ports"] =
        serde_json::json!([{"name": "tls", "port": 443, "targetPort": 8443, "protocol": "TCP"}]);
    let api = objects::cluster().object("services", &service);
    assert_snapshot!(kubia(&api, "gateway-url --port 443"), @"
    exit 1
    --- stdout
    --- stderr
    error: nothing outside the cluster leads to service/istio-ingressgateway in namespace istio-system: no load balancer, no externalIPs, port tls has no node port, no pod with a host port

    hint: from here it is reached with `kubectl port-forward -n istio-system service/istio-ingressgateway 8443:443`
    ");
    // No port of the Service leads to the Gateway's.
    let gateway = serde_json::json!({
        "apiVersion": "networking.istio.io/v1",
        "metadata": {"namespace": "shop", "name": "web"},
        "spec": {"selector": {"istio": "ingressgateway"}, "servers": [
            {"port": {"number": 9090, "protocol": "HTTP"}, "hosts": ["*"]},
        ]},
    });
    let api = objects::cluster().object("gateways", &gateway);
    assert_snapshot!(kubia(&api, "gateway-url web").stderr.lines().last().unwrap(), @"hint: from here it is reached with `kubectl port-forward -n istio-system pod/istio-ingressgateway-7b9f-aaaaa 8080:9090`");
}

#[test]
fn gateway_url_that_nothing_runs_names_the_right_kind() {
    let gateway = |group: &str, spec| {
        serde_json::json!({
            "apiVersion": format!("{group}/v1"),
            "metadata": {"namespace": "shop", "name": "web"}, "spec": spec,
        })
    };
    let istio = gateway("networking.istio.io", serde_json::json!({"selector": {"istio": "edge"}}));
    let api = FakeApi::with_istio().object("gateways", &istio);
    assert_snapshot!(kubia(&api, "gateway-url web"), @"
    exit 1
    --- stdout
    --- stderr
    error: nothing runs gateway/web in namespace shop: no pod has the labels istio=edge

    hint: look at it with `kubectl get gateway.networking.istio.io/web -n shop -o yaml`
    ");
    let kubernetes = gateway("gateway.networking.k8s.io", serde_json::json!({}));
    let api = FakeApi::with_istio().object("gateways", &kubernetes);
    assert_snapshot!(kubia(&api, "gateway-url web"), @"
    exit 1
    --- stdout
    --- stderr
    error: nothing runs gateway/web in namespace shop: it has neither a Service nor an address outside the cluster

    hint: look at it with `kubectl get gateway.gateway.networking.k8s.io/web -n shop -o yaml`
    ");
}

#[test]
fn gateway_url_waits_for_no_load_balancer_that_is_not_wanted() {
    let mut service = objects::gateway_service();
    service["spec"]["type"] = "LoadBalancer".into();
    let api = objects::cluster().object("services", &service);
    assert_snapshot!(kubia(&api, "gateway-url --wait --timeout 0 --source node-port"), @"
    exit 0
    --- stdout
    127.1.0.2:32440
    --- stderr
    ");
    assert_snapshot!(kubia(&api, "gateway-url --wait --timeout 0"), @"
    exit 1
    --- stdout
    --- stderr
    error: the load balancer of service/istio-ingressgateway in namespace istio-system is still pending after 0 s

    hint: without --wait the next best address is printed; `kubectl describe service/istio-ingressgateway -n istio-system` says what the load balancer waits for
    ");
}
