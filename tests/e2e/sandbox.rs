//! What the sandbox promises to everyone, asked of the shared one without disturbing it.

use std::net::TcpStream;

use http::Method;
use serde_json::Value;

use crate::support::{
    http::{Connections, Http},
    kubeconfig::Kubeconfig,
    kubectl::Kubectl,
    namespace::Namespace,
    proxies::{Proxies, condition, ready_gateway_pods},
    sandbox::Sandbox,
    traffic::count,
    wait::{holds, wait_for},
};

#[test]
fn three_nodes_are_ready_at_addresses_of_their_own() {
    let sandbox = Sandbox::shared();
    let nodes = sandbox.admin().get("/api/v1/nodes").json();
    let nodes = nodes["items"].as_array().expect("a list has items");
    let found: Vec<(String, String)> =
        nodes.iter().map(|node| (internal_address(node), condition(node, "Ready"))).collect();
    let expected = [1, 2, 3].map(|number| (sandbox.node(number), "True".to_owned()));
    assert_eq!(found, expected);
}

fn internal_address(node: &Value) -> String {
    let addresses = node["status"]["addresses"].as_array().into_iter().flatten();
    let mut internal = addresses.filter(|address| address["type"] == "InternalIP");
    let internal = internal.next().unwrap_or_else(|| panic!("no InternalIP: {node}"));
    internal["address"].as_str().expect("addresses are text").to_owned()
}

#[test]
fn kubectl_shows_nodes_and_pods() {
    let namespace = Namespace::new(Sandbox::shared());
    let output = namespace.kubectl(&["get", "nodes,pods", "-A"]).exits(0);
    for text in ["node/node-1", "node/node-2", "node/node-3", "pod/istio-ingressgateway-"] {
        assert!(output.stdout.contains(text), "no {text}: {output}");
    }
}

#[test]
fn the_user_of_the_tests_has_nothing_but_the_role() {
    let sandbox = Sandbox::shared();
    let namespace = Namespace::new(sandbox);
    let kubectl = Kubectl::clean(sandbox.kubia_kubeconfig(), sandbox.path());
    let kubectl =
        |arguments: &[&str]| kubectl.run(&[&["-n", namespace.name()], arguments].concat());
    kubectl(&["get", "pods"]).exits(0);
    for refused in [
        vec!["get", "secrets"],
        vec!["get", "configmaps"],
        vec!["create", "configmap", "mine"],
        vec!["delete", "virtualservice", "kubia-vs"],
    ] {
        kubectl(&refused).exits(1).says(&["orbidden", "kubia"]);
    }
}

#[test]
fn node_ports_answer_only_where_a_ready_gateway_pod_runs() {
    let sandbox = Sandbox::shared();
    let namespace = Namespace::new(sandbox);
    namespace.deploy();
    namespace.wait_live(&Proxies::open(sandbox), 50, 50);
    let port = node_port(sandbox, "istio-system/services/istio-ingressgateway", "http2");
    for node in [1, 2] {
        let url = format!("{}:{port}", sandbox.node(node));
        count(&url, &namespace.host(), 10, Connections::New);
    }
    let without = format!("{}:{port}", sandbox.node(3));
    let error = TcpStream::connect(&without).expect_err("the third node runs no ready gateway pod");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused, "{without}: {error}");

    let port = node_port(sandbox, "istio-ingress/services/istio-ingress", "http2");
    for (node, answers) in [(1, false), (2, true), (3, false)] {
        let connected = TcpStream::connect(format!("{}:{port}", sandbox.node(node)));
        assert_eq!(connected.is_ok(), answers, "node-{node}:{port}");
    }
}

fn node_port(sandbox: &Sandbox, service: &str, name: &str) -> String {
    let service = sandbox.admin().get(&format!("/api/v1/namespaces/{service}")).json();
    let ports = service["spec"]["ports"].as_array().into_iter().flatten();
    let mut named = ports.filter(|port| port["name"] == name);
    named.next().unwrap_or_else(|| panic!("no {name}: {service}"))["nodePort"].to_string()
}

#[test]
fn both_gateway_flavours_have_the_ports_people_install() {
    let admin = Sandbox::shared().admin();
    for (path, label, expected) in [
        (
            "istio-system/services/istio-ingressgateway",
            "ingressgateway",
            vec![("status-port", 15021, 15021), ("http2", 80, 8080), ("https", 443, 8443)],
        ),
        (
            "istio-ingress/services/istio-ingress",
            "ingress",
            vec![("status-port", 15021, 15021), ("http2", 80, 80), ("https", 443, 443)],
        ),
    ] {
        let service = admin.get(&format!("/api/v1/namespaces/{path}")).json();
        assert_eq!(service["spec"]["selector"]["istio"], label, "{service}");
        assert_eq!(service["spec"]["type"], "LoadBalancer", "{service}");
        assert_eq!(service["spec"]["externalTrafficPolicy"], "Local", "{service}");
        let ports = service["spec"]["ports"].as_array().expect("a Service has ports");
        let found: Vec<(&str, i64, i64)> = ports
            .iter()
            .map(|port| {
                let number = |field: &str| port[field].as_i64().unwrap_or(0);
                (port["name"].as_str().unwrap_or(""), number("port"), number("targetPort"))
            })
            .collect();
        assert_eq!(found, expected, "{path}");
    }
}

#[test]
fn gateway_pods_are_as_large_as_injected_ones_and_the_first_is_a_trap() {
    let admin = Sandbox::shared().admin();
    let namespace = "/api/v1/namespaces/istio-system/pods";
    let ready = ready_gateway_pods(&Sandbox::shared().kubectl());
    assert_eq!(ready.len(), 2, "{ready:?}");
    for pod in &ready {
        let size = admin.get(&format!("{namespace}/{pod}")).body.len();
        assert!(size >= 13_000, "{pod} is {size} bytes of JSON");
    }
    let pods = admin.get(&format!("{namespace}?labelSelector=istio%3Dingressgateway")).json();
    let pods = pods["items"].as_array().expect("a list has items");
    assert_eq!(pods.len(), 4);
    let deleted = |pod: &Value| !pod["metadata"]["deletionTimestamp"].is_null();
    assert_eq!(pods.iter().filter(|pod| deleted(pod)).count(), 1, "one is terminating");
    let waiting = |pod: &&Value| !deleted(pod) && condition(pod, "Ready") != "True";
    assert_eq!(pods.iter().filter(waiting).count(), 1, "one is not ready");
    let first = pods[0]["metadata"]["name"].as_str().expect("pods have names");
    assert!(!ready.iter().any(|name| name == first), "items[0] is {first}, which is ready");
}

#[test]
fn port_forward_reaches_each_gateways_admin_port() {
    let proxies = Proxies::open(Sandbox::shared());
    for proxy in proxies.iter() {
        let info: Value = serde_json::from_str(&proxy.get("/server_info")).expect("JSON");
        assert_eq!(info["state"], "LIVE", "{}", proxy.pod());
        let node = info["node"]["id"].as_str().unwrap_or_default();
        assert!(node.contains(proxy.pod()), "{} is {node}", proxy.pod());
    }
}

#[test]
fn istiod_refuses_a_broken_virtual_service() {
    let namespace = Namespace::new(Sandbox::shared());
    namespace.deploy();
    let broken = r#"{"spec":{"http":[{"route":[
        {"destination":{"host":"a"},"weight":0},{"destination":{"host":"b"},"weight":0}]}]}}"#;
    namespace
        .kubectl(&["patch", "virtualservice", "kubia-vs", "--type=merge", "-p", broken])
        .exits(1)
        .says(&["validation.istio.io", "total destination weight = 0"]);
}

#[test]
fn status_tells_what_runs_and_stays_within_its_bounds() {
    let sandbox = Sandbox::shared();
    sandbox.wait_well();
    let status = sandbox.program(&["status", "-o", "json"]).json();
    let mut parts: Vec<&str> = status["parts"]
        .as_array()
        .expect("parts")
        .iter()
        .filter(|part| part["state"] == "running")
        .map(|part| part["name"].as_str().unwrap_or_default())
        .collect();
    parts.sort_unstable();
    assert_eq!(
        parts,
        [
            "api-proxy",
            "etcd",
            "istiod",
            "kube-apiserver",
            "kube-controller-manager",
            "kube-scheduler",
            "node-agent",
            "node-proxy",
        ]
    );
    let resident = status["residentBytes"].as_u64().expect("bytes");
    assert!(resident <= 2_500_000_000, "{resident} bytes resident");
    assert!(resident >= 300_000_000, "{resident} bytes cannot be all of it");
    // How long it may be is for `make bench` to show: it depends on what else the machine does.
    assert!(status["startSeconds"].as_f64().is_some_and(|start| start > 0.0), "{status}");
}

#[test]
fn the_audit_log_has_each_request_once_with_its_user_agent() {
    let sandbox = Sandbox::shared();
    let namespace = Namespace::new(sandbox);
    let client = Http::of_kubeconfig(&sandbox.kubia_kubeconfig());
    let path = namespace.path("/api/v1", "pods/counted");
    let agent = [("user-agent", "counting/1.0")];
    for _ in 0..3 {
        client.send(Method::GET, &path, &agent, String::new());
    }
    let log = sandbox.directory().join("audit.log");
    wait_for("three lines in the audit log", || {
        let log = std::fs::read_to_string(&log).map_err(|error| error.to_string())?;
        let lines = log.lines().filter(|line| line.contains(&path));
        let count = lines.filter(|line| line.contains("counting/1.0")).count();
        assert!(count <= 3, "{count} lines for three requests");
        holds(count == 3, || format!("{count} lines"))
    });
}

#[test]
fn a_certificate_is_checked_at_every_published_name() {
    let sandbox = Sandbox::shared();
    let namespace = Namespace::new(sandbox);
    let direct = Kubeconfig::read(&sandbox.kubia_kubeconfig());
    let x = &sandbox.state()["x"];
    assert_eq!(direct.server(), format!("https://127.{x}.0.1:6443"));
    let foreign = Kubeconfig::read(&sandbox.proxied_kubeconfig());
    assert_eq!(foreign.server(), format!("https://127.{x}.0.1:6444"));
    for kubeconfig in [direct, foreign] {
        let path = kubeconfig.write(namespace.folder(), "checked.kubeconfig");
        assert!(Http::of_kubeconfig(&path).get("/version").status.is_success());
    }
}
