//! A shift that is killed, or interrupted by Ctrl-C.

use serde_json::{Value, json};

use crate::support::{
    admin_log,
    namespace::{Namespace, weights},
    process::{Output, Running},
    proxies::ready_gateway_pods,
    races::history,
    sandbox::Sandbox,
    wait::{holds, wait_for},
    watch::resource_version,
};

fn start(namespace: &Namespace<'_>, arguments: &[&str]) -> Running {
    let proxied = namespace.sandbox().proxied_kubeconfig();
    Running::start(&mut namespace.plugin(&proxied, arguments))
}

#[test]
fn killed_at_any_request_it_leaves_old_or_new_weights_with_their_history() {
    let sandbox = Sandbox::for_faults();
    let namespace = Namespace::new(&sandbox);
    namespace.deploy();
    let control = sandbox.control();
    let (mut old, mut new) = (0, 0);
    for action in ["hold", "hold-answer"] {
        for request in 0.. {
            let before = namespace.virtual_service();
            let rule = control.rule(&json!({"action": action, "skip": request, "times": 1}));
            let mut shift = start(&namespace, &["shift", "--v2", "30"]);
            if !rule.held_or_ended(&mut shift) {
                shift.wait().exits(0);
                assert!(request >= 8, "it sends more than {request} requests");
                break;
            }
            shift.signal("KILL");
            assert_eq!(shift.wait().code, None);
            // A request whose sender is gone is not passed on.
            wait_for("the end of the connection", || {
                holds(rule.held() == 0, || "still held".to_owned())
            });
            drop(rule);
            if is_written(&before, &namespace.virtual_service()) {
                new += 1;
            } else {
                old += 1;
            }
            namespace.kubia(&["shift", "--v2", "60"]).exits(0);
        }
        namespace.kubia(&["shift", "--v2", "60"]).exits(0);
    }
    assert!(old > 0 && new > 0, "{old} times before the write, {new} times after it");
}

/// Whether the weights are the new ones, and the history says so; panics when they are neither.
fn is_written(before: &Value, after: &Value) -> bool {
    let mut entries = history(after);
    if weights(after) == weights(before) {
        assert_eq!(resource_version(after), resource_version(before));
        return false;
    }
    assert_eq!(weights(after), [70, 30]);
    let last = entries.pop().expect("the change is recorded");
    assert_eq!(last["routes"][0]["to"], json!([70, 30]));
    // The first ones are dropped when there are more than are kept.
    assert!(history(before).ends_with(&entries), "{before} {after}");
    true
}

/// A Service is read before anything is written.
#[test]
fn a_signal_before_the_write_is_sent_says_that_nothing_is_written() {
    let sandbox = Sandbox::shared();
    let namespace = Namespace::new(sandbox);
    namespace.deploy();
    let before = namespace.virtual_service();
    let path = namespace.path("/api/v1", "services/kubia-service");
    let control = sandbox.control();
    for signal in ["INT", "TERM"] {
        let rule = control.rule(&json!({"method": "GET", "path": path, "action": "hold"}));
        let shift = start(&namespace, &["shift", "--v2", "30"]);
        rule.wait_held();
        shift.signal(signal);
        assert_interrupted(&shift.wait(), "is not written: v1 50, v2 50");
    }
    assert_eq!(resource_version(&namespace.virtual_service()), resource_version(&before));
}

#[test]
fn ctrl_c_before_the_write_arrives_says_that_nothing_is_written() {
    let sandbox = Sandbox::shared();
    let namespace = Namespace::new(sandbox);
    namespace.deploy();
    let before = namespace.virtual_service();
    let control = sandbox.control();
    let rule = control.rule(&namespace.write_rule("hold"));
    let shift = start(&namespace, &["shift", "--v2", "30"]);
    rule.wait_held();
    shift.signal("INT");
    let output = shift.wait();
    drop(rule);
    assert_interrupted(&output, "is not written so far, and may be yet: v1 50, v2 50");
    assert_eq!(resource_version(&namespace.virtual_service()), resource_version(&before));
}

#[test]
fn a_signal_before_the_answer_arrives_says_that_it_is_written() {
    let sandbox = Sandbox::shared();
    let namespace = Namespace::new(sandbox);
    namespace.deploy();
    let control = sandbox.control();
    for (signal, v1, v2) in [("INT", 70, 30), ("TERM", 60, 40)] {
        let rule = control.rule(&namespace.write_rule("hold-answer"));
        let shift = start(&namespace, &["shift", "--v2", &v2.to_string()]);
        rule.wait_held();
        shift.signal(signal);
        assert_interrupted(&shift.wait(), &format!("is written: v1 {v1}, v2 {v2}"));
        assert_eq!(weights(&namespace.virtual_service()), [v1, v2]);
    }
}

#[test]
fn ctrl_c_during_the_proof_says_that_it_is_written() {
    let sandbox = Sandbox::for_faults();
    let namespace = Namespace::new(&sandbox);
    namespace.deploy();
    let pod = ready_gateway_pods(&sandbox.kubectl()).remove(0);
    let control = sandbox.control();
    let _fault = control.xds_for_now(&pod, &json!({"mode": "cut"}));
    let before = admin_log::of_plugin(&sandbox).len();
    let shift = start(&namespace, &["shift", "--v2", "30"]);
    // It never hears of the new weights.
    admin_log::wait_asked(&sandbox, before, &pod, 50);
    shift.signal("INT");
    assert_interrupted(&shift.wait(), "is written: v1 70, v2 30");
    assert_eq!(weights(&namespace.virtual_service()), [70, 30]);
}

#[test]
fn ctrl_c_twice_ends_at_once() {
    let sandbox = Sandbox::shared();
    let namespace = Namespace::new(sandbox);
    namespace.deploy();
    let control = sandbox.control();
    let write = control.rule(&namespace.write_rule("hold"));
    let read = control.rule(&reading_again(&namespace));
    let shift = start(&namespace, &["shift", "--v2", "30"]);
    write.wait_held();
    shift.signal("INT");
    shift.wait_says("Ctrl-C");
    shift.signal("INT");
    assert_interrupted(&shift.wait(), "it is not known whether");
    assert_eq!(read.matched(), 0, "it has not even asked");
}

#[test]
fn ctrl_c_again_while_it_reads_what_was_written_ends_at_once() {
    let sandbox = Sandbox::shared();
    let namespace = Namespace::new(sandbox);
    namespace.deploy();
    let control = sandbox.control();
    let write = control.rule(&namespace.write_rule("hold-answer"));
    let read = control.rule(&reading_again(&namespace));
    let shift = start(&namespace, &["shift", "--v2", "30"]);
    write.wait_held();
    shift.signal("INT");
    read.wait_held();
    shift.signal("INT");
    assert_interrupted(&shift.wait(), "it is not known whether");
}

/// Holds what is read of the route after a write; the first reading is not held.
fn reading_again(namespace: &Namespace<'_>) -> Value {
    let mut rule = namespace.write_rule("hold");
    rule["method"] = json!("GET");
    rule["skip"] = json!(1);
    rule
}

#[track_caller]
fn assert_interrupted(output: &Output, what: &str) {
    assert_eq!(output.code, Some(130), "{output}");
    assert_eq!(output.stdout, "", "{output}");
    assert!(output.stderr.contains("error: interrupted: "), "{output}");
    assert!(output.stderr.contains(what), "{output}");
}
