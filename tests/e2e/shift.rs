//! `kubectl kubia shift` on a real API server, istiod and Envoy.

use serde_json::json;

use crate::support::{
    audit::AuditedUser,
    namespace::{Namespace, weights},
    process,
    proofs::assert_proven,
    races::race,
    sandbox::Sandbox,
    watch::resource_version,
};

const RACES: u32 = 50;

#[test]
fn shift_moves_the_weights_and_says_from_what_to_what() {
    let namespace = Namespace::new(Sandbox::shared());
    namespace.deploy();
    let output = namespace.kubia(&["shift", "--v2", "30"]).exits(0);
    assert_proven(&output, "kubia-vs patched");
    output.says(&["context kubia-sandbox, namespace", namespace.name(), "v1 50 → 70, v2 50 → 30"]);
    assert_eq!(weights(&namespace.virtual_service()), [70, 30]);
}

#[test]
fn a_shift_to_what_is_already_there_writes_nothing() {
    let sandbox = Sandbox::shared();
    let namespace = Namespace::new(sandbox);
    namespace.deploy();
    namespace.kubia(&["shift", "--v2", "30"]).exits(0);
    let before = namespace.virtual_service();

    let user = AuditedUser::new(&namespace);
    let kubeconfig = user.kubeconfig().write(namespace.folder(), "audited.kubeconfig");
    let output =
        process::run(&mut namespace.plugin(&kubeconfig, &["shift", "--v2", "30"])).exits(0);

    assert_proven(&output, "kubia-vs unchanged");
    assert_eq!(resource_version(&namespace.virtual_service()), resource_version(&before));
    let requests = user.requests();
    assert!(!requests.is_empty());
    for request in &requests {
        assert!(["get", "list"].contains(&request.verb.as_str()), "{request:?}");
    }
}

#[test]
fn every_shift_that_collides_exits_6_and_loses_nobodys_write() {
    let namespace = Namespace::new(Sandbox::shared());
    namespace.deploy();
    race(&namespace, RACES);
}

#[test]
fn a_shift_touches_nothing_but_weights() {
    let namespace = Namespace::new(Sandbox::shared());
    namespace.deploy();
    let annotations = ["annotate", "virtualservice", "kubia-vs", "example.com/team=shop"];
    namespace.kubectl(&annotations).exits(0);
    let patch = json!([{"op": "add", "path": "/spec/http/0/timeout", "value": "7s"}]);
    let patch = patch.to_string();
    let arguments = ["patch", "virtualservice", "kubia-vs", "--type=json", "-p", &patch];
    namespace.kubectl(&arguments).exits(0);
    let mut expected = namespace.virtual_service();

    namespace.kubia(&["shift", "--v2", "100"]).exits(0);

    let route = &mut expected["spec"]["http"][0]["route"];
    route[0]["weight"] = json!(0);
    route[1]["weight"] = json!(100);
    let found = namespace.virtual_service();
    assert_eq!(found["spec"], expected["spec"]);
    assert_eq!(found["metadata"]["labels"], expected["metadata"]["labels"]);
    assert_eq!(found["metadata"]["annotations"]["example.com/team"], "shop");
}

#[test]
fn shift_to_a_version_without_destination_is_refused() {
    let namespace = Namespace::new(Sandbox::shared());
    namespace.deploy();
    let subset = "/spec/http/0/route/1/destination/subset";
    let patch = json!([{"op": "replace", "path": subset, "value": "canary"}]).to_string();
    let arguments = ["patch", "virtualservice", "kubia-vs", "--type=json", "-p", &patch];
    namespace.kubectl(&arguments).exits(0);
    let before = namespace.virtual_service();
    namespace.kubia(&["shift", "--v2", "30"]).exits(3).says(&["v2", "v1", "canary"]);
    assert_eq!(resource_version(&namespace.virtual_service()), resource_version(&before));
}

#[test]
fn shift_before_deploy_says_what_to_do() {
    let namespace = Namespace::new(Sandbox::shared());
    namespace.kubia(&["shift", "--v2", "30"]).exits(1).says(&[
        "kubia-vs",
        namespace.name(),
        "kubectl kubia deploy",
    ]);
}

#[test]
fn shift_reports_a_server_that_fails_and_writes_nothing() {
    let sandbox = Sandbox::shared();
    let namespace = Namespace::new(sandbox);
    namespace.deploy();
    let before = namespace.virtual_service();
    let control = sandbox.control();
    let path = format!("/namespaces/{}/virtualservices/", namespace.name());
    for (fault, sentence) in [
        (
            json!({"action": "status", "status": 503, "body": "no"}),
            "Error from server (ServiceUnavailable): ",
        ),
        (json!({"action": "reset"}), "Unable to connect to the server: "),
        (json!({"action": "garbage"}), "error: the answer is not JSON"),
    ] {
        let mut rule = fault.clone();
        rule["method"] = json!("PATCH");
        rule["path"] = json!(path);
        rule["times"] = json!(0);
        let rule = control.rule(&rule);
        let proxied = sandbox.proxied_kubeconfig();
        let output = process::run(&mut namespace.plugin(&proxied, &["shift", "--v2", "30"]));
        let output = output.exits(1);
        assert_eq!(output.stdout, "", "{fault}");
        output.says(&[sentence, "hint: it may have been written all the same: "]);
        assert!(rule.matched() >= 1, "{fault}");
    }
    assert_eq!(resource_version(&namespace.virtual_service()), resource_version(&before));
}

#[test]
fn weights_are_said_to_be_written_where_the_result_cannot_be() {
    let sandbox = Sandbox::shared();
    let namespace = Namespace::new(sandbox);
    namespace.deploy();
    let script = format!(
        "'{}' -n {} shift --v2 30 >/dev/full",
        process::plugin().display(),
        namespace.name()
    );
    let kubeconfig = sandbox.kubia_kubeconfig();
    let mut sh = process::clean("sh", &kubeconfig, namespace.folder(), sandbox.path());
    let output = process::run(sh.args(["-c", &script])).exits(1);
    output.says(&["the weights are written\n", "error: cannot write the output"]);
    assert_eq!(weights(&namespace.virtual_service()), [70, 30]);
}
