//! Who the real API server takes us for: its own words name the user, and kubectl's are the same.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    process::Stdio,
};

use http::Method;
use serde_json::{Value, json};

use crate::support::{
    control::Control,
    kubeconfig::Kubeconfig,
    kubectl::Kubectl,
    namespace::{ISTIO, Namespace, weights},
    process::{self, Output, Running},
    relay::Relay,
    sandbox::Sandbox,
};

/// Asks for the gateway's Service with both programs, and requires that they say the same.
fn both(namespace: &Namespace<'_>, kubeconfig: &Kubeconfig, flags: &[&str]) -> Output {
    let sandbox = namespace.sandbox();
    let path = kubeconfig.write(namespace.folder(), "user.kubeconfig");
    let kubectl = Kubectl::clean(path.clone(), sandbox.path());
    let question = ["get", "services/istio-ingressgateway", "-n", "istio-system", "-o", "name"];
    let kubectl = kubectl.run(&[&question, flags].concat());
    let question =
        ["gateway-url", "--service=istio-ingressgateway", "--gateway-namespace=istio-system"];
    let mut plugin = namespace.plugin(&path, &question);
    let kubia = process::run(plugin.args(flags));
    assert_eq!(kubia.code, kubectl.code, "{kubectl}\n{kubia}");
    let sentence = |output: &Output| output.stderr.lines().next().map(str::to_owned);
    if kubectl.code != Some(0) {
        assert_eq!(sentence(&kubia), sentence(&kubectl), "{kubectl}\n{kubia}");
    }
    kubia
}

/// A service account that may do nothing, and its token.
fn nobody(namespace: &Namespace<'_>) -> (String, String) {
    namespace.kubectl(&["create", "serviceaccount", "nobody"]).exits(0);
    let token = namespace.kubectl(&["create", "token", "nobody"]).exits(0).stdout;
    let name = format!("system:serviceaccount:{}:nobody", namespace.name());
    (name, token.trim().to_owned())
}

#[test]
fn the_server_knows_a_user_by_their_certificate() {
    let namespace = Namespace::new(Sandbox::shared());
    let admin = Kubeconfig::read(&namespace.sandbox().admin_kubeconfig());
    assert!(admin.client_certificate().is_some());
    both(&namespace, &admin, &[]).exits(0);
}

#[test]
fn the_server_knows_whom_we_impersonate() {
    let namespace = Namespace::new(Sandbox::shared());
    let admin = Kubeconfig::read(&namespace.sandbox().admin_kubeconfig());
    both(&namespace, &admin, &["--as=jane"]).exits(1).says(&["User \"jane\" cannot get"]);
    both(&namespace, &admin, &["--as=jane", "--as-group=system:masters"]).exits(0);
}

#[test]
fn the_server_knows_a_user_by_a_token_of_a_file_a_flag_or_a_plugin() {
    let namespace = Namespace::new(Sandbox::shared());
    let (name, token) = nobody(&namespace);
    let words = format!("User \"{name}\" cannot get");
    let kubia = Kubeconfig::read(&namespace.sandbox().kubia_kubeconfig());
    both(&namespace, &kubia, &[]).exits(0);
    both(&namespace, &kubia, &["--token", &token]).exits(1).says(&[&words]);

    let file = namespace.folder().join("token");
    fs::write(&file, format!("{token}\n")).expect("the folder is ours");
    let by_file = kubia.clone().with_user(json!({"tokenFile": file}));
    both(&namespace, &by_file, &[]).exits(1).says(&[&words]);

    let plugin = namespace.folder().join("login");
    let credential = json!({"apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential", "status": {"token": token}});
    fs::write(&plugin, format!("echo '{credential}'\n")).expect("the folder is ours");
    let by_plugin = kubia.with_user(json!({"exec": {"command": "sh", "args": [plugin],
        "apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never"}}));
    both(&namespace, &by_plugin, &[]).exits(1).says(&[&words]);
}

#[test]
fn deploy_goes_on_waiting_while_the_server_is_busy() {
    let sandbox = Sandbox::shared();
    let namespace = Namespace::new(sandbox);
    let control: Control = sandbox.control();
    let path = format!("{}$", namespace.path("/apis/apps/v1", "deployments/kubia-server"));
    let rule = |action: Value, times: u32| {
        let mut rule = action;
        rule["method"] = json!("GET");
        rule["path"] = json!(path);
        rule["times"] = json!(times);
        control.rule(&rule)
    };
    // What is there is read first; after that come the questions of somebody who waits.
    let first = rule(json!({"action": "delay", "delayMs": 0}), 1);
    let busy = rule(json!({"action": "status", "status": 503, "body": "busy"}), 5);
    let broken = rule(json!({"action": "reset"}), 2);
    let deploy = ["deploy", "--host", &namespace.host()];
    let output = process::run(&mut namespace.plugin(&sandbox.proxied_kubeconfig(), &deploy));
    output.exits(0).says(&["waiting for deployment.apps/kubia-server: the server is currently"]);
    assert_eq!((first.matched(), busy.matched(), broken.matched()), (1, 5, 2));
}

#[test]
fn a_connection_that_falls_silent_ends_at_its_deadline() {
    let sandbox = Sandbox::shared();
    let namespace = Namespace::new(sandbox);
    let direct = Kubeconfig::read(&sandbox.kubia_kubeconfig());
    let (relay, relayed) = Relay::before(direct, namespace.folder());
    // The load balancer of the sandbox's gateway stays pending.
    let wait = ["gateway-url", "--wait", "--timeout=10s", "--request-timeout=3s"];
    let mut command = namespace.plugin(&relayed, &wait);
    let mut child =
        command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut said = BufReader::new(child.stderr.take().expect("it was asked for"));
    let mut line = String::new();
    said.read_line(&mut line).expect("it says something");
    assert!(line.starts_with("waiting for the load balancer"), "{line}");
    relay.silence();
    let mut rest = String::new();
    said.read_to_string(&mut rest).expect("it ends");
    let status = child.wait().expect("it was started");
    assert_eq!(status.code(), Some(1), "{rest}");
    assert!(
        rest.starts_with("Unable to connect to the server: net/http: request canceled"),
        "{rest}"
    );
    assert_eq!(relay.connections().len(), 1);
}

/// A guarded write that was refused is sent again; one that is not guarded is not.
#[test]
fn only_what_may_be_sent_twice_is_sent_twice() {
    let sandbox = Sandbox::shared();
    let namespace = Namespace::new(sandbox);
    namespace.deploy();
    let control = sandbox.control();
    let busy = |path: &str, times: u32| {
        control.rule(&json!({"method": "PATCH", "path": path, "times": times,
            "action": "status", "status": 503, "retryAfter": 0, "body": "busy"}))
    };
    let proxied = sandbox.proxied_kubeconfig();
    let guarded = busy(&format!("/namespaces/{}/virtualservices/", namespace.name()), 2);
    process::run(&mut namespace.plugin(&proxied, &["shift", "--v2", "30"])).exits(0);
    assert_eq!(guarded.matched(), 2);
    assert_eq!(weights(&namespace.virtual_service()), [70, 30]);

    // The write itself, and not the dry run before it.
    let path = format!("/namespaces/{}/services/kubia-service.*Strict$", namespace.name());
    let unguarded = busy(&path, 0);
    let deploy = ["deploy", "--host", &namespace.host()];
    let output = process::run(&mut namespace.plugin(&proxied, &deploy));
    output.exits(1).says(&["Error from server (ServiceUnavailable): "]);
    assert_eq!(unguarded.matched(), 1);
}

/// A load balancer may say so after it has sent the request: the first try is carried out here, as it
/// was sent, while the second is on its way.
#[test]
fn a_write_that_was_carried_out_is_told_by_its_history_whatever_was_answered() {
    let sandbox = Sandbox::shared();
    let namespace = Namespace::new(sandbox);
    namespace.deploy();
    let control = sandbox.control();
    let path = namespace.path(ISTIO, "virtualservices/kubia-vs");
    let once = |mut rule: Value| {
        rule["times"] = json!(1);
        control.rule(&rule)
    };
    let mut unavailable = namespace.write_rule("status");
    unavailable["status"] = json!(503);
    unavailable["body"] = json!("upstream reset");
    let refused = once(unavailable);
    let held = once(namespace.write_rule("hold"));
    let arguments = ["shift", "--v2", "30", "-v=10"];
    let proxied = sandbox.proxied_kubeconfig();
    let running = Running::start(&mut namespace.plugin(&proxied, &arguments));
    held.wait_held();
    running.wait_says("Trying again");
    let sent = sent_patch(&running.said());
    let kind = "application/json-patch+json";
    assert_eq!(namespace.admin().send_json(Method::PATCH, &path, kind, &sent).status, 200);
    held.release();
    let output = running.wait().exits(0);
    assert!(output.stdout.contains("kubia-vs patched\ngateway proxies 2/2 live\n"), "{output}");
    assert!(output.stderr.contains("status=\"422 Unprocessable Entity\""), "{output}");
    assert_eq!(refused.matched(), 1);
    assert_eq!(weights(&namespace.virtual_service()), [70, 30]);
}

/// The JSON Patch that a command with `-v=10` says it sends.
fn sent_patch(said: &str) -> Value {
    let body = said.lines().filter_map(|line| line.split_once("\"Request Body\" body="));
    let mut patches = body.filter(|(_, body)| body.starts_with("\"[{"));
    let (_, quoted) = patches.next().unwrap_or_else(|| panic!("no patch was sent: {said}"));
    let text: String = serde_json::from_str(quoted).expect("it is quoted as JSON is");
    serde_json::from_str(&text).expect("a patch is JSON")
}
