//! `kubectl kubia gateway-url` beyond the tutorial: other gateways, sources, formats.

use std::{collections::BTreeSet, process::Stdio};

use http::Method;
use serde_json::json;

use crate::support::{
    namespace::Namespace,
    process,
    proxies::Proxies,
    sandbox::Sandbox,
    wait::{holds, wait_for},
};

#[test]
fn gateway_url_finds_the_charts_gateway_and_one_of_the_gateway_api() {
    let sandbox = Sandbox::shared();
    let namespace = Namespace::new(sandbox);
    let service = sandbox.admin().get("/api/v1/namespaces/istio-ingress/services/istio-ingress");
    let ports = service.json()["spec"]["ports"].as_array().cloned().expect("it has ports");
    let http = ports.iter().find(|port| port["port"] == 80).expect("it has port 80");
    let expected = format!("{}:{}\n", sandbox.node(2), http["nodePort"]);

    let by_place = ["gateway-url", "--gateway-namespace", "istio-ingress"];
    assert_eq!(namespace.kubia(&by_place).exits(0).stdout, expected);
    let by_name = ["gateway-url", "gateway-api", "-n", "istio-ingress"];
    assert_eq!(namespace.kubia(&by_name).exits(0).stdout, expected);
    let json = namespace.kubia(&[&by_name[..], &["-o", "json"]].concat()).exits(0).json();
    assert_eq!(json["gateway"]["apiVersion"], "gateway.networking.k8s.io/v1", "{json}");
    assert_eq!(json["source"], "NodePort", "{json}");
}

#[test]
fn gateway_url_of_an_own_gateway_follows_its_selector() {
    let namespace = Namespace::new(Sandbox::shared());
    namespace.deploy();
    let named = namespace.kubia(&["gateway-url", "kubia-service-gateway"]).exits(0).stdout;
    assert_eq!(named, namespace.kubia(&["gateway-url"]).exits(0).stdout);
}

#[test]
fn gateway_url_never_prints_a_node_without_a_ready_gateway_pod() {
    let sandbox = Sandbox::shared();
    let namespace = Namespace::new(sandbox);
    let list = namespace.kubia(&["gateway-url", "--all", "-o", "json"]).exits(0).json();
    let items = list["items"].as_array().expect("a list has items");
    let hosts: BTreeSet<_> = items.iter().filter_map(|item| item["host"].as_str()).collect();
    let nodes = [sandbox.node(1), sandbox.node(2)];
    assert_eq!(hosts, nodes.iter().map(String::as_str).collect(), "{list}");
}

#[test]
fn gateway_url_changes_when_the_gateway_pod_on_that_node_is_killed() {
    let sandbox = Sandbox::for_faults();
    let namespace = Namespace::new(&sandbox);
    let json = namespace.kubia(&["gateway-url", "-o", "json"]).exits(0).json();
    let pod = json["pod"]["name"].as_str().expect("a node port has a pod").to_owned();
    let node = if json["host"] == sandbox.node(1).as_str() { "node-1" } else { "node-2" };
    // Otherwise its successor would soon be ready on the same node.
    namespace.kubectl(&["cordon", node]).exits(0);
    namespace.kubectl(&["delete", "pod", &pod, "-n", "istio-system", "--wait=false"]).exits(0);
    let other = wait_for("another address", || {
        let now = namespace.kubia(&["gateway-url", "-o", "json"]).exits(0).json();
        holds(now["host"] != json["host"], || now.to_string())?;
        Ok(now)
    });
    assert_eq!(other["ready"], true, "{other}");
    namespace.kubectl(&["uncordon", node]).exits(0);
    sandbox.wait_well();
}

#[test]
fn gateway_url_waits_for_a_load_balancer() {
    let namespace = Namespace::new(Sandbox::shared());
    let service = json!({
        "metadata": {"name": "edge"},
        "spec": {"type": "LoadBalancer", "selector": {"app": "edge"},
                 "ports": [{"name": "http2", "port": 80}, {"name": "https", "port": 443}]},
    });
    let path = namespace.path("/api/v1", "services");
    let created = namespace.admin().send_json(Method::POST, &path, "application/json", &service);
    assert_eq!(created.status, 201, "{}", created.body);
    let place = ["gateway-url", "--gateway-namespace", namespace.name(), "--service", "edge"];

    // Pending, and without a pod there is no node either.
    namespace.kubia(&place).exits(1).says(&["is pending", "no ready gateway pod"]);
    let late = [&place[..], &["--wait", "--timeout", "1s"]].concat();
    namespace.kubia(&late).exits(1).says(&["still pending after 1 s"]);

    let kubeconfig = namespace.sandbox().kubia_kubeconfig();
    let waiting = [&place[..], &["--wait", "-o", "url"]].concat();
    let mut waiting = namespace.plugin(&kubeconfig, &waiting);
    let waiting = waiting.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let status = json!({"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}]}}});
    let patched = namespace.admin().send_json(
        Method::PATCH,
        &format!("{path}/edge/status"),
        "application/merge-patch+json",
        &status,
    );
    assert_eq!(patched.status, 200, "{}", patched.body);
    let output = waiting.wait_with_output().expect("it ends");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "http://192.0.2.7:80\n");
}

#[test]
fn what_gateway_url_prints_for_a_shell_really_answers() {
    let sandbox = Sandbox::shared();
    let namespace = Namespace::new(sandbox);
    namespace.deploy();
    namespace.wait_live(&Proxies::open(sandbox), 50, 50);
    let plugin = process::plugin();
    let plugin = format!("'{}' -n {}", plugin.display(), namespace.name());
    let shell = |script: &str| {
        let kubeconfig = sandbox.kubia_kubeconfig();
        let mut sh = process::clean("sh", &kubeconfig, namespace.folder(), sandbox.path());
        process::run(sh.args(["-c", script]))
    };

    let host = namespace.host();
    let answer = shell(&format!(
        "eval \"$({plugin} gateway-url -o env 2>/dev/null)\" && curl -s -H 'Host: {host}' \"$GATEWAY_URL\""
    ));
    assert!(answer.exits(0).stdout.starts_with("You've hit v"));

    let curl =
        shell(&format!("{plugin} gateway-url kubia-service-gateway -o curl")).exits(0).stdout;
    assert!(curl.contains(&host), "{curl}");
    assert!(shell(&format!("{} -s", curl.trim())).exits(0).stdout.starts_with("You've hit v"));

    // A failure must not leave the shell with yesterday's address.
    let failed = shell(&format!(
        "GATEWAY_URL=old; eval \"$({plugin} gateway-url nobody -o env 2>/dev/null)\" && exit 9; echo \"[$GATEWAY_URL]\""
    ));
    assert_eq!(failed.exits(0).stdout, "[]\n");
}

#[test]
fn gateway_url_probe_prints_what_answers() {
    let sandbox = Sandbox::shared();
    let namespace = Namespace::new(sandbox);
    namespace.deploy();
    namespace.wait_live(&Proxies::open(sandbox), 50, 50);
    let url = namespace.kubia(&["gateway-url"]).exits(0).stdout;
    assert_eq!(namespace.kubia(&["gateway-url", "--probe"]).exits(0).stdout, url);
}

#[test]
fn labels_that_no_gateway_has_are_said() {
    let namespace = Namespace::new(Sandbox::shared());
    let output = namespace.kubia(&["gateway-url", "-l", "istio=nobody,app=gateway"]).exits(1);
    output.says(&[
        "no ingress gateway found: no Service leads to pods with the labels app=gateway,istio=nobody\n",
    ]);
}
