//! `kubectl kubia gateway-url` on a real API server.

use http::Method;

use crate::support::{
    audit::AuditedUser,
    http::{Connections, Http},
    kubeconfig::Kubeconfig,
    namespace::Namespace,
    process,
    proxies::Proxies,
    relay::Relay,
    sandbox::Sandbox,
    small_gateway,
};

#[test]
fn gateway_url_is_where_envoy_answers() {
    let sandbox = Sandbox::shared();
    let namespace = Namespace::new(sandbox);
    let url = namespace.kubia(&["gateway-url"]).exits(0).stdout;

    let service =
        sandbox.admin().get("/api/v1/namespaces/istio-system/services/istio-ingressgateway");
    let ports = service.json()["spec"]["ports"].as_array().cloned().expect("it has ports");
    let http2 = ports.iter().find(|port| port["name"] == "http2").expect("it has http2");
    let node_port = &http2["nodePort"];
    let right = [1, 2].map(|node| format!("{}:{node_port}\n", sandbox.node(node)));
    assert!(right.contains(&url), "{url:?} is none of {right:?}");

    // Envoy listens on the port as soon as one Gateway asks for it.
    namespace.deploy();
    namespace.wait_live(&Proxies::open(sandbox), 50, 50);
    let client = Http::plain(&format!("http://{}", url.trim()), Connections::New);
    let host = namespace.host();
    let answer = client.send(Method::GET, "/", &[("host", &host)], String::new());
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.header("server"), Some("istio-envoy"));
}

#[test]
fn gateway_url_opens_one_connection_and_sends_two_requests() {
    let sandbox = Sandbox::shared();
    let namespace = Namespace::new(sandbox);
    let user = AuditedUser::new(&namespace);
    let (relay, relayed) = Relay::before(user.kubeconfig(), namespace.folder());

    process::run(&mut namespace.plugin(&relayed, &["gateway-url"])).exits(0);

    // HOME is where a cache would be.
    let home = std::fs::read_dir(namespace.folder()).expect("HOME exists").flatten();
    let left: Vec<_> = home.map(|entry| entry.file_name()).collect();
    assert_eq!(left, ["relayed.kubeconfig"]);
    let connections = relay.connections();
    assert_eq!(connections.len(), 1, "{connections:?}");
    assert!(connections[0].contains(&"h2".to_owned()), "{connections:?}");
    let requests = user.requests();
    let mut verbs: Vec<&str> = requests.iter().map(|request| request.verb.as_str()).collect();
    verbs.sort_unstable();
    assert_eq!(verbs, ["get", "list"], "{requests:?}");
    for request in &requests {
        assert!(request.agent.starts_with("kubectl-kubia/"), "{request:?}");
    }
}

#[test]
fn gateway_url_takes_three_round_trips_and_a_fourth_when_the_pod_is_as_large_as_a_real_one() {
    let sandbox = Sandbox::for_faults();
    let namespace = Namespace::new(&sandbox);
    small_gateway::install(&namespace);
    // TCP, TLS, and both answers in one flight.
    assert_eq!(round_trips(&sandbox, namespace.name()), 3);
    // One pod of 15 KB: its second half waits for the first to be acknowledged.
    assert_eq!(round_trips(&sandbox, "istio-ingress"), 4);
}

/// How often the plugin has to wait for the API server, whatever a round trip takes. A machine that
/// is busy can only add to it, so that the least of three counts is the right one.
fn round_trips(sandbox: &Sandbox, gateway_namespace: &str) -> u32 {
    let count = || {
        let mut wan = sandbox.command(&["wan", "--count", "--one-way", "200ms", "--"]);
        wan.arg(process::plugin()).args(["gateway-url", "--gateway-namespace", gateway_namespace]);
        let output = process::run(&mut wan).exits(0);
        let count = output.stderr.lines().find_map(|line| line.strip_prefix("round trips: "));
        count.and_then(|count| count.parse().ok()).unwrap_or_else(|| panic!("{output}"))
    };
    (0..3).map(|_| count()).min().expect("three counts")
}

#[test]
fn gateway_url_as_json_names_the_same_address() {
    let namespace = Namespace::new(Sandbox::shared());
    let url = namespace.kubia(&["gateway-url"]).exits(0).stdout;
    let json = namespace.kubia(&["gateway-url", "-o", "json"]).exits(0).json();
    assert_eq!(json["apiVersion"], "kubectl-kubia/v1", "{json}");
    assert_eq!(json["kind"], "GatewayURL", "{json}");
    let (host, port) = url.trim().rsplit_once(':').expect("host:port");
    assert_eq!(json["host"], host, "{json}");
    assert_eq!(json["port"].to_string(), port, "{json}");
}

#[test]
fn gateway_url_without_a_cluster_says_where_it_looked() {
    let sandbox = Sandbox::shared();
    let namespace = Namespace::new(sandbox);
    // Nothing listens there: the third node has no API server.
    let nowhere = format!("{}:6443", sandbox.node(3));
    let kubeconfig = Kubeconfig::read(&sandbox.kubia_kubeconfig())
        .with_server(&format!("https://{nowhere}"))
        .write(namespace.folder(), "nowhere.kubeconfig");
    process::run(&mut namespace.plugin(&kubeconfig, &["gateway-url"])).exits(1).says(&[&nowhere]);
}

#[test]
fn gateway_url_without_rights_names_the_verb_and_the_resource() {
    let sandbox = Sandbox::shared();
    let namespace = Namespace::new(sandbox);
    namespace.kubectl(&["create", "serviceaccount", "nobody"]).exits(0);
    let token = namespace.kubectl(&["create", "token", "nobody"]).exits(0).stdout;
    let kubeconfig = Kubeconfig::read(&sandbox.kubia_kubeconfig())
        .with_token(token.trim())
        .write(namespace.folder(), "nobody.kubeconfig");
    process::run(&mut namespace.plugin(&kubeconfig, &["gateway-url"])).exits(1).says(&[
        "get",
        "services",
        "istio-system",
    ]);
}
