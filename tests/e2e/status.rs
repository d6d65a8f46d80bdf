//! `kubectl kubia status` on a real API server.

use serde_json::json;

use crate::support::{
    namespace::Namespace,
    sandbox::Sandbox,
    wait::{holds, wait_for},
};

#[test]
fn status_shows_the_chain_from_url_to_pods() {
    let namespace = Namespace::new(Sandbox::shared());
    namespace.deploy();
    namespace.kubia(&["shift", "--v2", "30"]).exits(0);
    let url = namespace.kubia(&["gateway-url"]).exits(0).stdout;
    let output = namespace.kubia(&["status"]).exits(0);
    for text in [url.trim(), "dr-v1", "dr-v2", "70", "30", "3/3", "1/1"] {
        assert!(output.stdout.contains(text), "no {text:?}: {output}");
    }
}

#[test]
fn status_as_json_has_shares_pods_and_the_gateways_odd_pods() {
    let namespace = Namespace::new(Sandbox::shared());
    namespace.deploy();
    namespace.kubia(&["shift", "--v2", "30"]).exits(0);
    let url = namespace.kubia(&["gateway-url"]).exits(0).stdout;

    let status = namespace.kubia(&["status", "-o", "json"]).exits(0).json();

    assert_eq!(status["kind"], "Status", "{status}");
    assert_eq!(status["namespace"], namespace.name(), "{status}");
    assert_eq!(status["url"], format!("http://{}", url.trim()), "{status}");
    assert_eq!(status["hosts"], json!([namespace.host()]), "{status}");
    assert_eq!(status["notChecked"], json!([]), "{status}");
    let versions = &status["routes"][0]["versions"];
    let shown = [0, 1].map(|index| {
        let version = &versions[index];
        ["version", "subset", "share", "ready", "pods"].map(|field| version[field].clone())
    });
    let expected = [
        [json!("v1"), json!("dr-v1"), json!(70.0), json!(3), json!(3)],
        [json!("v2"), json!("dr-v2"), json!(30.0), json!(1), json!(1)],
    ];
    assert_eq!(shown, expected, "{status}");
    let pods = status["gateway"]["pods"].as_array().expect("gateway pods");
    let mut found: Vec<_> = pods.iter().filter_map(|pod| pod["state"].as_str()).collect();
    found.sort_unstable();
    assert_eq!(found, ["NotReady", "Ready", "Ready", "Terminating"], "{status}");
}

#[test]
fn status_says_why_a_pod_waits() {
    let namespace = Namespace::new(Sandbox::shared());
    namespace.deploy();
    let image = "v2=registry.invalid/kubia-v2:latest";
    let host = namespace.host();
    namespace.kubia(&["deploy", "--host", &host, "--image", image, "--wait=false"]).exits(0);
    wait_for("status to name the image that cannot be pulled", || {
        let status = namespace.kubia(&["status", "-o", "json"]).exits(0).json();
        let waiting = &status["routes"][0]["versions"][1]["waiting"];
        let reason = waiting.as_str().unwrap_or_default();
        let pull = reason.starts_with("ErrImagePull: ") || reason.starts_with("ImagePullBackOff: ");
        holds(pull && reason.contains("registry.invalid"), || status.to_string())
    });
}

#[test]
fn status_before_deploy_says_what_to_do() {
    let namespace = Namespace::new(Sandbox::shared());
    let nothing = format!("No weighted routes found in {} namespace.\n", namespace.name());
    namespace.kubia(&["status"]).exits(0).says(&[&nothing]);
    let named = ["kubia-vs", "kubectl kubia deploy"];
    namespace.kubia(&["status", "kubia-vs"]).exits(1).says(&named);
}
