//! API requests that the sandbox holds or breaks on request.

use std::{
    thread,
    time::{Duration, Instant},
};

use http::Method;
use serde_json::{Value, json};

use crate::support::{
    http::{Http, Response},
    namespace::Namespace,
    sandbox::Sandbox,
};

/// Sends GET for a Service that does not exist through the proxy, under one rule.
fn ask_under(rule: &Value) -> (Result<Response, String>, Duration) {
    let sandbox = Sandbox::shared();
    let namespace = Namespace::new(sandbox);
    let path = namespace.path("/api/v1", "services/nobody");
    let mut rule = rule.clone();
    rule["method"] = json!("GET");
    rule["path"] = json!(path);
    let control = sandbox.control();
    let rule = control.rule(&rule);
    let client = Http::of_kubeconfig(&sandbox.proxied_kubeconfig());
    let start = Instant::now();
    let answer = client.try_send(Method::GET, &path, &[], String::new());
    let elapsed = start.elapsed();
    assert_eq!(rule.matched(), 1);
    (answer, elapsed)
}

#[test]
fn a_request_is_answered_with_the_status_a_rule_gives() {
    let rule = json!({"action": "status", "status": 429, "retryAfter": 7, "body": "busy"});
    let (answer, _) = ask_under(&rule);
    let answer = answer.expect("an answer");
    assert_eq!(answer.status, 429);
    assert_eq!(answer.header("retry-after"), Some("7"));
    assert_eq!(answer.body, "busy");
}

#[test]
fn a_request_is_cut_off() {
    let (answer, _) = ask_under(&json!({"action": "reset"}));
    answer.expect_err("no answer comes");
}

#[test]
fn an_answer_is_truncated() {
    let (answer, _) = ask_under(&json!({"action": "truncate"}));
    answer.expect_err("half an answer comes");
}

#[test]
fn an_answer_is_garbage() {
    let (answer, _) = ask_under(&json!({"action": "garbage"}));
    let answer = answer.expect("an answer");
    serde_json::from_str::<Value>(&answer.body).expect_err("nothing that can be read");
}

#[test]
fn an_answer_is_late() {
    let (answer, elapsed) = ask_under(&json!({"action": "delay", "delayMs": 400}));
    assert_eq!(answer.expect("an answer").status, 404);
    assert!(elapsed >= Duration::from_millis(400), "{elapsed:?}");
}

#[test]
fn a_rule_ends_after_the_times_it_was_given() {
    let sandbox = Sandbox::shared();
    let namespace = Namespace::new(sandbox);
    let path = namespace.path("/api/v1", "services/nobody");
    let control = sandbox.control();
    let rule =
        json!({"method": "GET", "path": path, "action": "status", "status": 503, "times": 2});
    let rule = control.rule(&rule);
    let client = Http::of_kubeconfig(&sandbox.proxied_kubeconfig());
    let statuses = [(); 3].map(|()| client.get(&path).status.as_u16());
    assert_eq!(statuses, [503, 503, 404]);
    drop(rule);
}

#[test]
fn a_held_request_reaches_the_server_only_when_released() {
    let sandbox = Sandbox::shared();
    let namespace = Namespace::new(sandbox);
    namespace.deploy();
    let services = namespace.path("/api/v1", "services");
    let control = sandbox.control();
    let rule = json!({"method": "GET", "path": format!("{services}/later"), "action": "hold"});
    let rule = control.rule(&rule);
    let proxied = sandbox.proxied_kubeconfig();
    let path = format!("{services}/later");
    let held = thread::spawn(move || Http::of_kubeconfig(&proxied).get(&path).status);
    rule.wait_held();
    // Made while the question is held: had it reached the server, the answer would be 404.
    namespace.kubectl(&["create", "service", "clusterip", "later", "--tcp=80"]).exits(0);
    rule.release();
    assert_eq!(held.join().expect("the request ends"), 200);
}

#[test]
fn requests_that_no_rule_names_pass_with_the_users_own_rights() {
    let sandbox = Sandbox::shared();
    let namespace = Namespace::new(sandbox);
    let client = Http::of_kubeconfig(&sandbox.proxied_kubeconfig());
    assert_eq!(client.get(&namespace.path("/api/v1", "pods")).status, 200);
    assert_eq!(client.get(&namespace.path("/api/v1", "secrets")).status, 403);
}
