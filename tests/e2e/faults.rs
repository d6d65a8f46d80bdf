//! Parts of a sandbox that stop, die and return: on a second one, beside the shared one.

use http::StatusCode;
use serde_json::{Value, json};

use crate::support::{
    control::Control,
    namespace::{Namespace, weights},
    process,
    proxies::Proxies,
    sandbox::Sandbox,
    wait::{holds, wait_for},
};

fn part(status: &Value, name: &str) -> Value {
    let parts = status["parts"].as_array().expect("a status has parts");
    let mut named = parts.iter().filter(|part| part["name"] == name);
    named.next().unwrap_or_else(|| panic!("no {name}: {status}")).clone()
}

#[test]
fn a_second_sandbox_runs_beside_the_first() {
    let (first, second) = (Sandbox::shared(), Sandbox::for_faults());
    assert_ne!(first.state()["x"], second.state()["x"]);
    assert_ne!(first.state()["supervisorPid"], second.state()["supervisorPid"]);
    let namespace = Namespace::new(&second);
    let path = format!("/api/v1/namespaces/{}", namespace.name());
    assert_eq!(first.admin().get(&path).status, StatusCode::NOT_FOUND);
    assert_eq!(second.admin().get(&path).status, StatusCode::OK);
    first.wait_well();
    let again = second.program(&["up"]).exits(0);
    assert!(again.stderr.contains("already"), "{again}");
}

/// A signal was sent; a moment later it has its effect.
fn wait_stopped(control: &Control, name: &str) {
    wait_for(&format!("{name} to be stopped"), || {
        let status = control.status();
        holds(part(&status, name)["state"] == "stopped", || status.to_string())
    });
}

#[test]
fn a_stopped_part_is_named_and_goes_on_when_continued() {
    let sandbox = Sandbox::for_faults();
    let namespace = Namespace::new(&sandbox);
    let control = sandbox.control();

    control.part("kube-scheduler", "stop");
    wait_stopped(&control, "kube-scheduler");
    let status = sandbox.program(&["status"]).exits(1);
    let line = status.stdout.lines().find(|line| line.contains("kube-scheduler"));
    assert!(line.is_some_and(|line| line.contains("stopped")), "{status}");
    let output = namespace.kubia(&["deploy", "--host", &namespace.host(), "--timeout", "2s"]);
    assert_eq!(output.code, Some(1), "nobody schedules pods: {output}");

    control.part("kube-scheduler", "continue");
    sandbox.wait_well();
    namespace.deploy();
}

#[test]
fn a_stopped_etcd_makes_the_api_server_unready_until_continued() {
    let sandbox = Sandbox::for_faults();
    let control = sandbox.control();
    control.part("etcd", "stop");
    wait_stopped(&control, "etcd");
    let status = sandbox.program(&["status", "-o", "json"]).exits(1).json();
    assert_eq!(status["ready"], false, "{status}");
    assert_eq!(part(&status, "etcd")["state"], "stopped");
    control.part("etcd", "continue");
    sandbox.wait_well();
}

#[test]
fn a_killed_istiod_is_missed_until_restarted() {
    let sandbox = Sandbox::for_faults();
    let namespace = Namespace::new(&sandbox);
    namespace.deploy();
    namespace.wait_live(&Proxies::open(&sandbox), 50, 50);
    let control = sandbox.control();

    control.part("istiod", "kill");
    sandbox.program(&["status"]).exits(1);
    assert_eq!(part(&control.status(), "istiod")["state"], "dead");
    // Its webhook is gone with it, and the policy is to fail.
    let output = namespace.kubia(&["shift", "--v2", "30"]).exits(1).says(&["validation.istio.io"]);
    assert!(!output.stderr.contains("may have been written"), "{output}");

    control.part("istiod", "restart");
    sandbox.wait_well();
    assert_eq!(part(&control.status(), "istiod")["restarts"], 1);
    namespace.kubia(&["shift", "--v2", "30"]).exits(0);
    namespace.wait_live(&Proxies::open(&sandbox), 70, 30);
}

#[test]
fn a_killed_api_server_returns_with_all_it_knew() {
    let sandbox = Sandbox::for_faults();
    let mut namespace = Namespace::new(&sandbox);
    namespace.deploy();
    let control = sandbox.control();
    control.part("kube-apiserver", "kill");
    namespace.kubia(&["gateway-url"]).exits(1);
    control.part("kube-apiserver", "restart");
    sandbox.wait_well();
    namespace.reconnect();
    assert_eq!(weights(&namespace.virtual_service()), [50, 50]);
    namespace.kubia(&["gateway-url"]).exits(0);
}

#[test]
fn a_killed_api_proxy_takes_only_its_own_port_away() {
    let sandbox = Sandbox::for_faults();
    let namespace = Namespace::new(&sandbox);
    let control = sandbox.control();
    control.part("api-proxy", "kill");
    namespace.kubia(&["gateway-url"]).exits(0);
    let mut proxied = namespace.plugin(&sandbox.proxied_kubeconfig(), &["gateway-url"]);
    process::run(&mut proxied).exits(1).says(&["6444"]);
    control.part("api-proxy", "restart");
    process::run(&mut proxied).exits(0);
}

#[test]
fn a_gateway_cut_off_from_istiod_keeps_its_weights_until_it_is_back() {
    let sandbox = Sandbox::for_faults();
    let namespace = Namespace::new(&sandbox);
    let proxies = Proxies::open(&sandbox);
    namespace.deploy();
    namespace.wait_live(&proxies, 50, 50);
    let [cut, other] = proxies.iter().collect::<Vec<_>>()[..] else { panic!("two are ready") };
    let control = sandbox.control();

    control.xds("istio-system", cut.pod(), &json!({"mode": "cut"}));
    namespace.kubia(&["shift", "--v2", "30", "--proof=none"]).exits(0);
    other.wait_live(namespace.name(), &[("dr-v1", 70), ("dr-v2", 30)]);
    let kept = cut.weights(namespace.name());
    assert!(kept.values().all(|&weight| weight == 50), "{kept:?}");

    control.xds("istio-system", cut.pod(), &json!({"mode": "pass"}));
    cut.wait_live(namespace.name(), &[("dr-v1", 70), ("dr-v2", 30)]);
}

#[test]
fn a_gateway_with_late_xds_hears_later_than_the_other() {
    let sandbox = Sandbox::for_faults();
    let namespace = Namespace::new(&sandbox);
    let proxies = Proxies::open(&sandbox);
    namespace.deploy();
    namespace.wait_live(&proxies, 50, 50);
    let [late, other] = proxies.iter().collect::<Vec<_>>()[..] else { panic!("two are ready") };
    let control = sandbox.control();

    // Half a minute for each push: the other proxy needs a tenth of a second.
    let delay = json!({"mode": "delay", "minMs": 30_000, "maxMs": 30_000});
    control.xds("istio-system", late.pod(), &delay);
    namespace.kubia(&["shift", "--v2", "30", "--proof=none"]).exits(0);
    other.wait_live(namespace.name(), &[("dr-v1", 70), ("dr-v2", 30)]);
    let kept = late.weights(namespace.name());
    assert!(kept.values().all(|&weight| weight == 50), "{kept:?}");

    control.xds("istio-system", late.pod(), &json!({"mode": "pass"}));
    late.wait_live(namespace.name(), &[("dr-v1", 70), ("dr-v2", 30)]);
}

#[test]
fn the_store_is_kept_busy_until_told_otherwise() {
    let sandbox = Sandbox::for_faults();
    let (control, admin) = (sandbox.control(), sandbox.admin());
    let path = "/api/v1/namespaces/kube-system/configmaps/kubia-sandbox-load";
    let version = || admin.get(path).json()["metadata"]["resourceVersion"].clone();
    control.load(100);
    let first = wait_for("a first write", || {
        holds(admin.get(path).status == 200, || "nothing is written yet".to_owned())?;
        Ok(version())
    });
    wait_for("another write", || holds(version() != first, || first.to_string()));
    control.load(0);
    assert_eq!(admin.get(path).status, 404);
}
