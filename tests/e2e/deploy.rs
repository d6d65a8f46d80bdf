//! `kubectl kubia deploy` on a real API server and istiod.

use http::Method;

use crate::{
    support::{
        http::{Connections, Http},
        namespace::{ISTIO, Namespace, weights},
        sandbox::Sandbox,
        wait::{holds, wait_for},
    },
    tutorial::assert_nothing_written,
};

const SIX: [&str; 6] = [
    "deployment.apps/kubia-server",
    "deployment.apps/kubia-server-v2",
    "service/kubia-service",
    "gateway.networking.istio.io/kubia-service-gateway",
    "virtualservice.networking.istio.io/kubia-vs",
    "destinationrule.networking.istio.io/kubia-dr",
];

/// The lines of stdout without their order, which is make-before-break and not this test's matter.
fn assert_lines(stdout: &str, outcome: &str) {
    let mut found: Vec<&str> = stdout.lines().collect();
    let mut expected: Vec<String> = SIX.iter().map(|name| format!("{name} {outcome}")).collect();
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn deploy_creates_six_objects_and_a_second_one_changes_none() {
    let namespace = Namespace::new(Sandbox::shared());
    assert_lines(&namespace.deploy().stdout, "created");
    assert_lines(&namespace.deploy().stdout, "unchanged");
}

#[test]
fn deploy_returns_with_all_pods_ready() {
    let namespace = Namespace::new(Sandbox::shared());
    namespace.deploy();
    for (name, replicas) in [("kubia-server", 3), ("kubia-server-v2", 1)] {
        let deployment = namespace.object("/apis/apps/v1", &format!("deployments/{name}"));
        assert_eq!(deployment["status"]["readyReplicas"], replicas, "{deployment}");
    }
}

#[test]
fn deploy_after_shift_keeps_the_weights() {
    let namespace = Namespace::new(Sandbox::shared());
    namespace.deploy();
    namespace.kubia(&["shift", "--v2", "30"]).exits(0);
    assert_lines(&namespace.deploy().stdout, "unchanged");
    assert_eq!(weights(&namespace.virtual_service()), [70, 30]);
}

#[test]
fn deploy_with_a_share_takes_over_what_a_shift_wrote() {
    let namespace = Namespace::new(Sandbox::shared());
    namespace.deploy();
    namespace.kubia(&["shift", "--v2", "30"]).exits(0);
    namespace.kubia(&["deploy", "--v2", "45"]).exits(0);
    assert_eq!(weights(&namespace.virtual_service()), [55, 45]);
    // What somebody else wrote is theirs.
    namespace.write_weights(10, 90);
    namespace.kubia(&["deploy", "--v2", "45"]).exits(1).says(&["fields belong to others"]);
    assert_eq!(weights(&namespace.virtual_service()), [10, 90]);
}

#[test]
fn deploy_uses_the_tutorials_gateway_port_and_says_so() {
    let namespace = Namespace::new(Sandbox::shared());
    namespace.deploy().says(&["8080"]);
    let gateway = namespace.object(ISTIO, "gateways/kubia-service-gateway");
    assert_eq!(gateway["spec"]["servers"][0]["port"]["number"], 8080, "{gateway}");
}

#[test]
fn deploy_behind_the_gateway_charts_gateway_uses_its_http2_port() {
    let sandbox = Sandbox::shared();
    let namespace = Namespace::new(sandbox);
    let chart = ["--gateway-namespace", "istio-ingress"];
    let host = namespace.host();
    let deploy = [&["deploy", "--host", &host], &chart[..]].concat();
    namespace.kubia(&deploy).exits(0).says(&["port 80"]);
    let gateway = namespace.object(ISTIO, "gateways/kubia-service-gateway");
    assert_eq!(gateway["spec"]["servers"][0]["port"]["number"], 80, "{gateway}");
    assert_eq!(gateway["spec"]["selector"]["istio"], "ingress", "{gateway}");

    let url = namespace.kubia(&[&["gateway-url"], &chart[..]].concat()).exits(0).stdout;
    let client = Http::plain(&format!("http://{}", url.trim()), Connections::Kept);
    wait_for("the app to answer through the chart's gateway", || {
        // Until istiod has told it, that Envoy listens on no port at all.
        let answer = client.try_send(Method::GET, "/", &[("host", &host)], String::new())?;
        holds(answer.status == 200, || answer.body.clone())
    });
}

#[test]
fn client_dry_run_is_what_the_server_accepts() {
    let namespace = Namespace::new(Sandbox::shared());
    let manifests = namespace
        .kubia(&["deploy", "--host", &namespace.host(), "--dry-run=client"])
        .exits(0)
        .stdout;
    assert_nothing_written(&namespace);
    let applied = namespace
        .kubectl_with_input(&["apply", "--dry-run=server", "-f", "-"], &manifests)
        .exits(0);
    assert_lines(&applied.stdout, "created (server dry run)");
    assert_nothing_written(&namespace);
}

#[test]
fn server_dry_run_writes_nothing() {
    let namespace = Namespace::new(Sandbox::shared());
    namespace.kubia(&["deploy", "--host", &namespace.host(), "--dry-run=server"]).exits(0);
    assert_nothing_written(&namespace);
}

#[test]
fn deploy_says_which_pods_are_not_ready_when_an_image_cannot_be_pulled() {
    let namespace = Namespace::new(Sandbox::shared());
    namespace.deploy();
    let image = "registry.invalid/kubia-v2:latest";
    namespace
        .kubia(&["deploy", "--image", &format!("v2={image}"), "--timeout", "3s"])
        .exits(1)
        .says(&["kubia-server-v2"]);
    let deployment = namespace.object("/apis/apps/v1", "deployments/kubia-server-v2");
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["image"], image);
}
