//! What kubectl is no measure for: how often a plugin runs, what is logged, how many connections and
//! requests there are.

use std::{
    collections::BTreeSet,
    fs,
    process::Output,
    sync::{Arc, Barrier},
    thread,
    time::{Duration, Instant},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use kubia::cluster::{Connection, Silence, Target};
use serde_json::json;

use crate::support::{
    Config, Program, Scene,
    pki::{Authority, Validity},
    server::{Action, Answer, Tls},
};

/// A user whose plugin runs these lines.
fn plugin(scene: &mut Scene, config: Config, body: &str) -> Config {
    let command = scene.script("login", body);
    config.only_user(json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1",
        "command": command, "interactiveMode": "IfAvailable"}}))
}

/// Lines that print a credential with this status.
fn printing(status: &str) -> String {
    format!(
        "cat <<EOF\n{{\"kind\": \"ExecCredential\", \"apiVersion\": \
         \"client.authentication.k8s.io/v1\", \"status\": {status}}}\nEOF"
    )
}

fn scene() -> Scene {
    Scene::new(Program::Kubia)
}

/// How often the plugin ran.
fn runs(scene: &Scene) -> usize {
    let log = fs::read_to_string(scene.path("log")).unwrap_or_default();
    log.lines().filter(|line| *line == "ran").count()
}

#[track_caller]
fn ends(output: &Output, code: i32) -> String {
    let shown = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{shown}");
    shown
}

#[test]
fn a_plugin_runs_once_for_a_command_of_several_requests() {
    let mut scene = scene();
    let server = scene.server("a");
    let config = scene.config(server);
    let config = plugin(&mut scene, config, &printing(r#"{"token": "token-exec"}"#));
    scene.use_config(&config);
    ends(&scene.kubia(&["gateway-url"]).output().unwrap(), 0);
    assert_eq!(runs(&scene), 1);
    let seen = scene.servers[0].1.seen();
    assert_eq!(seen.len(), 2, "{seen:?}");
    assert!(
        seen.iter().all(|seen| seen.identity == ["authorization: Bearer token-exec"]),
        "{seen:?}"
    );
}

/// Whoever pressed TAB is not asked for a password, and sees nothing but candidates.
#[test]
fn a_plugin_has_no_terminal_while_a_line_is_completed() {
    let mut scene = scene();
    let server = scene.server("a");
    let config = scene.config(server);
    let log = scene.path("log");
    let body = format!(
        "test -t 0 || echo 'no terminal' >>'{log}'; echo 'log in!' >&2\n{}",
        printing(r#"{"token": "token-exec"}"#)
    );
    let config = plugin(&mut scene, config, &body);
    scene.use_config(&config);
    scene.on_terminal();
    let words = ["__complete", "gateway-url", "--request-timeout=60s", "g"];
    let output = scene.kubia(&words).output().unwrap();
    ends(&output, 0);
    let shown = String::from_utf8(output.stdout).unwrap();
    assert_eq!(shown.trim(), ":4");
    assert_eq!(fs::read_to_string(log).unwrap(), "ran\nno terminal\n");
    assert!(!scene.servers[0].1.seen().is_empty());
}

#[test]
fn a_plugin_that_fails_runs_once() {
    let mut scene = scene();
    let server = scene.server("a");
    let config = scene.config(server);
    let config = plugin(&mut scene, config, "exit 7");
    scene.use_config(&config);
    ends(&scene.command().output().unwrap(), 1);
    assert_eq!((runs(&scene), scene.servers[0].1.seen().len()), (1, 0));
}

#[test]
fn a_plugin_does_not_outlive_the_deadline() {
    let mut scene = scene();
    let server = scene.server("a");
    let config = scene.config(server);
    let log = scene.path("log");
    let config =
        plugin(&mut scene, config, &format!("echo $$ >>'{log}'\nexec sleep 1000 2>/dev/null"));
    scene.use_config(&config);
    scene.flags(&["--request-timeout=3s"]);
    let said = ends(&scene.command().output().unwrap(), 1);
    assert!(said.contains("did not end within 3 s"), "{said}");
    let log = fs::read_to_string(log).unwrap();
    let process: u32 = log.lines().last().and_then(|line| line.parse().ok()).expect("it ran");
    // A busy machine takes its time to end it, and to take note of that.
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let state = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        if state.is_empty() || state.contains(") Z ") {
            break;
        }
        assert!(Instant::now() < deadline, "{state}");
        thread::yield_now();
    }
}

/// Each credential is good for three seconds, and the command takes longer.
#[test]
fn a_plugin_runs_again_before_its_credential_expires() {
    let mut scene = scene();
    let pending = json!({"apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "web-gateway", "namespace": "istio-system"},
        "spec": {"type": "LoadBalancer", "ports": [{"name": "http2", "port": 80}]}});
    let pending = Answer::new(200, "application/json", pending.to_string());
    let server = scene.server_that([Action::Answer(pending)]);
    let config = scene.config(server);
    let body = printing(
        r#"{"token": "$(date +%s%N)", "expirationTimestamp": "$(date -u -d '3 seconds' +%FT%TZ)"}"#,
    );
    let config = plugin(&mut scene, config, &body);
    scene.use_config(&config);
    let mut command = scene.command();
    let said = ends(&command.args(["--wait", "--timeout=5s"]).output().unwrap(), 1);
    assert!(said.contains("still pending"), "{said}");
    let seen = scene.servers[0].1.seen();
    let tokens: BTreeSet<_> = seen.iter().map(|seen| seen.identity.clone()).collect();
    assert!(tokens.len() > 1, "{tokens:?}");
    assert_eq!(runs(&scene), tokens.len(), "{tokens:?}");
}

#[test]
fn a_new_client_certificate_is_shown_on_a_new_connection() {
    let mut scene = scene();
    let server = scene.server_with("a", |plan, _| plan.wants = Some("certificate bob".to_owned()));
    let [alice, bob] = ["alice", "bob"].map(|name| {
        let identity = scene.authority.client(name);
        json!({"clientCertificateData": identity.certificate_pem(), "clientKeyData": identity.key_pem()})
    });
    let log = scene.path("log");
    let config = scene.config(server);
    let [alice, bob] =
        [alice, bob].map(|status| printing(&status.to_string()).replace("<<EOF", "<<'EOF'"));
    let body = format!("if [ $(wc -l <'{log}') = 1 ]; then\n{alice}\nelse\n{bob}\nfi");
    let config = plugin(&mut scene, config, &body);
    scene.use_config(&config);
    ends(&scene.command().output().unwrap(), 0);
    let seen = scene.servers[0].1.seen();
    let who: Vec<_> = seen.iter().map(|seen| seen.identity.join(", ")).collect();
    assert_eq!(who, ["certificate alice", "certificate bob"]);
    assert_eq!(runs(&scene), 2);
}

#[test]
fn a_401_is_believed_when_the_new_credential_is_the_old_one() {
    let mut scene = scene();
    let server = scene.server_with("a", |plan, _| plan.wants = Some("somebody else".to_owned()));
    let config = scene.config(server);
    let config = plugin(&mut scene, config, &printing(r#"{"token": "token-exec"}"#));
    scene.use_config(&config);
    ends(&scene.command().output().unwrap(), 1);
    assert_eq!((runs(&scene), scene.servers[0].1.seen().len()), (2, 1));
}

#[test]
fn a_kubeconfig_is_never_written() {
    let mut scene = scene();
    let server = scene.server("a");
    let config =
        scene.config(server).only_user(json!({"auth-provider": {"name": "oidc", "config": {
        "id-token": "a.b.c", "refresh-token": "refresh"}}}));
    scene.use_config(&config);
    let said = ends(&scene.command().output().unwrap(), 1);
    assert!(said.contains("kubectl get --raw /version"), "{said}");
    assert_eq!(fs::read_to_string(scene.path("config")).unwrap(), config.0.to_string());
    assert_eq!(scene.servers[0].1.seen(), []);
}

/// The answer to either request comes only when both have arrived: they are one round trip.
#[test]
fn gateway_url_asks_its_two_questions_at_once_on_one_connection() {
    let mut scene = scene();
    let both = Arc::new(Barrier::new(2));
    let server = scene.server_with("a", |plan, _| {
        plan.script = Arc::new(move |_| {
            tokio::task::block_in_place(|| both.wait());
            Action::Object
        });
    });
    scene.use_config(&scene.config(server));
    ends(&scene.kubia(&["gateway-url", "--request-timeout=20s"]).output().unwrap(), 0);
    let server = &scene.servers[0].1;
    assert_eq!((server.seen().len(), server.connections()), (2, 1));
}

#[test]
fn a_request_is_sent_four_times_at_most() {
    let mut scene = scene();
    let busy = Answer::new(503, "text/plain", "no healthy upstream");
    let server = scene.server_that([Action::Answer(busy)]);
    scene.use_config(&scene.config(server));
    scene.flags(&["-v=4"]);
    let said = ends(&scene.command().output().unwrap(), 1);
    assert_eq!(scene.servers[0].1.seen().len(), 4, "{said}");
    assert_eq!(said.matches("\"Trying again\"").count(), 3, "{said}");
}

#[test]
fn the_deadline_is_for_all_tries_together() {
    let mut scene = scene();
    let later = Answer::new(503, "text/plain", "no").with("retry-after", "60");
    let server = scene.server_that([Action::Answer(later)]);
    scene.use_config(&scene.config(server));
    ends(&scene.command().output().unwrap(), 1);
    assert_eq!(scene.servers[0].1.seen().len(), 1);
}

#[test]
fn the_server_is_told_a_deadline_that_was_asked_for() {
    let mut scene = scene();
    let server = scene.server("a");
    scene.use_config(&scene.config(server));
    ends(&scene.command().output().unwrap(), 0);
    ends(&scene.command().arg("--request-timeout=7s").output().unwrap(), 0);
    let seen = scene.servers[0].1.seen();
    let queries: Vec<_> = seen.iter().map(|seen| seen.query.as_str()).collect();
    assert_eq!(queries, ["", "timeout=7000ms"]);
}

#[test]
fn requests_are_logged_as_kubectl_logs_them() {
    let line = |program, level: &str, event: &str| {
        let mut scene = Scene::new(program);
        let server = scene.server("a");
        scene.use_config(&scene.config(server));
        scene.flags(&[level]);
        let said = String::from_utf8_lossy(&scene.command().output().unwrap().stderr).into_owned();
        let about =
            |line: &&str| line.contains(&format!("] \"{event}\"")) && line.contains("web-gateway");
        let line = said.lines().find(about).unwrap_or_else(|| panic!("{event}: {said}")).to_owned();
        // What is before the bracket says when and in which file.
        let line = line.split_once("] ").unwrap().1.replace(&server.to_string(), "SERVER");
        line.split(" milliseconds=").next().unwrap().to_owned()
    };
    for (level, event) in [("-v=6", "Response"), ("-v=7", "Request"), ("-v=8", "Request")] {
        let [kubectl, kubia] =
            [Program::Kubectl, Program::Kubia].map(|program| line(program, level, event));
        assert_eq!(kubectl, kubia, "{level}");
    }
}

#[test]
fn no_secret_is_logged() {
    let mut scene = scene();
    let target = scene.server("a");
    let proxy = scene.proxy(crate::support::proxy::Kind::Http, target);
    let config = scene.config_for("https://kubia.test:6443");
    let config = config.cluster("proxy-url", format!("http://me:SECRET@{proxy}"));
    let config = plugin(&mut scene, config, &printing(r#"{"token": "SECRET"}"#));
    scene.use_config(&config);
    scene.flags(&["-v=9"]);
    let said = ends(&scene.command().output().unwrap(), 0);
    assert!(said.contains("Authorization: Bearer <masked>"), "{said}");
    assert!(said.contains("\"Response Body\" body=\"{"), "{said}");
    assert!(!said.contains("SECRET"), "{said}");
    for flags in [&["--token=SECRET"][..], &["--username=u", "--password=SECRET"]] {
        let said = ends(&scene.command().args(flags).output().unwrap(), 0);
        assert!(!said.contains("SECRET") && !said.contains("U0VDUkVU"), "{said}");
    }
}

/// Warnings come before what is said after them, and the word is colored only on a terminal.
#[test]
fn warnings_are_shown_in_time_and_once() {
    let pending = json!({"kind": "Service", "apiVersion": "v1", "metadata": {"name": "a"},
        "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]}});
    let answer = Answer::new(200, "application/json", pending.to_string())
        .with("warning", "299 - \"v1 is \u{202e}old\"");
    let mut scene = scene();
    let server = scene.server_that([Action::Answer(answer)]);
    scene.use_config(&scene.config(server));
    let mut command = scene.command();
    let said = ends(&command.args(["--wait", "--timeout=2s"]).output().unwrap(), 1);
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines[0], "Warning: v1 is \\u{202e}old");
    assert!(lines[1].starts_with("waiting for the load balancer"), "{said}");
    assert_eq!(said.matches("Warning:").count(), 1, "{said}");
    scene.on_terminal();
    let shown = String::from_utf8(scene.command().output().unwrap().stdout).unwrap();
    assert!(shown.contains("\u{1b}[33;1mWarning:\u{1b}[0m v1"), "{shown}");
    scene.environment("NO_COLOR", "");
    let shown = String::from_utf8(scene.command().output().unwrap().stdout).unwrap();
    assert!(shown.contains("Warning: v1"), "{shown}");
}

/// HTTP/1.1, a connection of its own, the same user, and the plugin is not asked again.
#[test]
fn a_client_for_upgrades_is_the_same_user_on_a_connection_of_its_own() {
    let mut scene = scene();
    let server = scene.server("a");
    let proxy = scene.proxy(crate::support::proxy::Kind::Http, server);
    let config =
        scene.config_for("https://kubia.test:6443").cluster("proxy-url", format!("http://{proxy}"));
    let identity = scene.authority.client("alice");
    let status = json!({"token": "token-exec", "clientCertificateData": identity.certificate_pem(),
        "clientKeyData": identity.key_pem()});
    let body = printing(&status.to_string()).replace("<<EOF", "<<'EOF'");
    let config = plugin(&mut scene, config, &body).user("as", "eve");
    let file = scene.file("config", &config.0.to_string());
    let target = Target { kubeconfig: Some(file.into()), ..Target::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let connection = Connection::Target(Box::new(target), Arc::new(Silence));
        let cluster = connection.open().await.unwrap();
        let client = cluster.upgrading_client().unwrap();
        for path in ["/upgrade/1", "/upgrade/2"] {
            let request = http::Request::get(path)
                .header("connection", "upgrade")
                .header("upgrade", "echo")
                .body(kube::client::Body::empty())
                .unwrap();
            let answer = client.send(request).await.unwrap();
            assert_eq!((answer.status().as_u16(), answer.version()), (101, http::Version::HTTP_11));
            echo(answer).await;
        }
    });
    let server = &scene.servers[0].1;
    // The one that is dialled first, and one for each upgrade.
    assert_eq!((server.connections(), runs(&scene)), (3, 1));
    let who = ["certificate alice", "authorization: Bearer token-exec", "impersonate-user: eve"];
    for seen in server.seen() {
        assert_eq!(seen.identity, who);
        assert!(seen.headers["user-agent"].to_str().unwrap().starts_with("kubectl-kubia/"));
    }
    assert_eq!(scene.proxies[0].used(), ["CONNECT kubia.test:6443"]);
}

async fn echo(answer: http::Response<kube::client::Body>) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = hyper_util::rt::TokioIo::new(hyper::upgrade::on(answer).await.unwrap());
    stream.write_all(b"hello").await.unwrap();
    let mut said = [0; 5];
    stream.read_exact(&mut said).await.unwrap();
    assert_eq!(&said, b"hello");
}

#[test]
fn a_basic_user_is_named_as_basic_authentication_names_them() {
    let mut scene = scene();
    let server = scene.server("a");
    let user = json!({"username": "u", "password": ""});
    scene.use_config(&scene.config(server).only_user(user));
    ends(&scene.command().output().unwrap(), 0);
    let expected = format!("authorization: Basic {}", BASE64_STANDARD.encode("u:"));
    assert_eq!(scene.servers[0].1.seen()[0].identity, [expected]);
}

/// The hint that follows an error.
#[track_caller]
fn hint(scene: &Scene) -> String {
    let said = ends(&scene.command().output().unwrap(), 1);
    said.split_once("\n\nhint: ").unwrap_or_else(|| panic!("no hint: {said}")).1.to_owned()
}

#[test]
fn certificate_problems_say_which_certificate_it_is_and_what_may_have_happened() {
    let other = |name: &str| BASE64_STANDARD.encode(Authority::new(name).pem());
    let cases = [
        ("other", "localhost", Validity::Now, "is not the certificate-authority"),
        ("kubia-ca", "localhost", Validity::Now, "was the cluster made anew?"),
        ("", "kubernetes", Validity::Now, "--tls-server-name"),
        ("", "localhost", Validity::Past, "renew it"),
        ("", "localhost", Validity::Future, "the clock of this machine"),
    ];
    for (authority, host, validity, advice) in cases {
        let mut scene = scene();
        let server = scene.server_with("a", |plan, authority| {
            plan.tls = Some(Tls::new(authority.server(&[host], validity)));
        });
        let config = scene.config_for(&format!("https://localhost:{}", server.port()));
        scene.use_config(&match authority {
            "" => config,
            name => config.cluster("certificate-authority-data", other(name)),
        });
        let hint = hint(&scene);
        let which = "the server's certificate is \"kube-apiserver\", signed by \"kubia-ca\"";
        assert!(hint.starts_with(which) && hint.contains(advice), "{authority} {host}: {hint}");
    }
}

#[test]
fn an_install_hint_keeps_its_lines_and_moves_no_cursor() {
    let mut scene = scene();
    let server = scene.server("a");
    scene.use_config(&scene.config(server).only_user(json!({"exec": {"command": "no-such-login",
        "apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never",
        "installHint": "brew install \u{1b}[1mlogin\u{1b}[0m\nthen: login"}})));
    assert_eq!(hint(&scene), "brew install ^[[1mlogin^[[0m\n      then: login\n");
}
