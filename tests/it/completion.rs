//! Completion: the lines kubectl reads, the scripts, and the file that `--install` writes.

use std::{
    env, fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use clap::CommandFactory as _;
use clap_complete::Shell;
use insta::assert_snapshot;
use kubia::{cli::Cli, cluster::Connection, commands::complete::Request};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{FakeApi, objects};

/// What is answered to a line that ends where the text ends.
fn complete(api: &FakeApi, line: &str) -> String {
    let words: Vec<_> = line.split(' ').map(Into::into).collect();
    let request = Request::new(&mut Cli::command(), &words);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let answer = runtime.block_on(async {
        let connection = Connection::Ready(api.client(), "test".to_owned(), "shop".to_owned());
        request.answer_from(&connection).await
    });
    answer.to_string()
}

fn offline(line: &str) -> String {
    complete(&FakeApi::with_istio(), line)
}

fn named(api_version: &str, name: &str) -> Value {
    json!({"apiVersion": api_version, "metadata": {"namespace": "shop", "name": name}})
}

#[test]
fn subcommands_are_offered_first() {
    assert_snapshot!(offline(""), @"
    gateway-url	Print host:port of the ingress gateway
    deploy	Deploy the tutorial's app: two versions behind the ingress gateway
    shift	Set the share of requests that goes to a version
    undo	Take back the last change of weights, or return to a recorded one
    history	Show who changed the weights of a VirtualService, when, and why
    status	Show the way of a request: gateway, route, versions, pods
    completion	Complete command lines: scripts for shells, and kubectl's own completion
    help	Print this message or the help of the given subcommand(s)
    :4
    ");
    assert_snapshot!(offline("sh"), @"
    shift	Set the share of requests that goes to a version
    :4
    ");
    assert_snapshot!(offline("-n shop st"), @"
    status	Show the way of a request: gateway, route, versions, pods
    :4
    ");
    assert_snapshot!(offline("help sh"), @"
    shift	Set the share of requests that goes to a version
    :4
    ");
    // A flag's value is no subcommand.
    assert_snapshot!(offline("-n shift st"), @"
    status	Show the way of a request: gateway, route, versions, pods
    :4
    ");
    assert_snapshot!(offline("bogus sh"), @":4");
}

#[test]
fn flags_are_offered_once() {
    assert_snapshot!(offline("shift --v1 70 --"), @"
    --v2	Send this share of requests to v2, in percent
    --from	Only if the versions have these shares now
    --route	The route: its name, its place (`#0`, `tls#0`, `tcp#0`), or `all` that have the versions
    --reason	Record why, for `history`
    --allow	Go on although this speaks against it; a refusal says its word
    --proof	Prove that the gateway proxies run the weights: where that can be seen, or else fail
    --timeout	Give up on the proof after this time
    --dry-run	Only show what would be written: `client` asks no server to check it, `server` does
    --kubeconfig	Read only this kubeconfig file
    --context	Use this kubeconfig context
    --namespace	Act in this namespace instead of the context's
    --request-timeout	Give up on one request after this time: `30s`, `1m`, or seconds; 0 means 30s
    --cluster	Use this cluster of the kubeconfig
    --user	Use this user of the kubeconfig
    --server	Talk to this API server
    --certificate-authority	Trust the certificate authority in this file
    --insecure-skip-tls-verify	Accept any certificate of the server, which makes the connection insecure
    --tls-server-name	Expect the server's certificate to be for this name
    --proxy-url	Go through this proxy: http, https or socks5
    --token	Use this bearer token; others on this machine can see it among the processes
    --client-certificate	Use the certificate in this file to log in
    --client-key	Use the key in this file to log in
    --username	Use this name for basic authentication
    --password	Use this password for basic authentication; others on this machine can see it
    --as	Act as this user
    --as-group	Act as a member of this group, with --as; may be repeated
    --as-uid	Act with this uid, with --as
    --as-user-extra	Act with this attribute, with --as: NAME=VALUE; may be repeated
    --v	Log requests to stderr: 6 each with its answer, 7 headers too, 8 bodies too
    --warnings-as-errors	Fail, after all is done, if the server has sent a warning
    --output	Print in this format
    --help	Print help (see more with '--help')
    :4
    ");
    assert_snapshot!(offline("shift -n shop --na"), @":4");
    assert_snapshot!(offline("shift -- --na"), @":4");
    assert_snapshot!(offline("deploy -"), @"
    --host	Serve this host; `*` takes every request that no other host claims [default: as it is, else `*`]
    --image	Run other images, which listen on 8080: v1=IMAGE,v2=IMAGE
    --replicas	Run this many pods: v1=3,v2=1
    --v2	Send this share of requests to v2, in percent [default: as it is, else 50]
    --wait	Wait until the pods are ready before the route is written
    --timeout	Give up waiting for the pods after this time
    --force-conflicts	Take over fields that other field managers own
    --dry-run	Only show what would be written: `client` asks no server to check it, `server` does
    --gateway-namespace	Take the ingress gateway from this namespace instead of looking in the usual ones
    --service	Take the ingress gateway behind this Service
    --selector	Take the ingress gateway whose pods have these labels: `istio=ingress`
    -l	Take the ingress gateway whose pods have these labels: `istio=ingress`
    --kubeconfig	Read only this kubeconfig file
    --context	Use this kubeconfig context
    --namespace	Act in this namespace instead of the context's
    -n	Act in this namespace instead of the context's
    --request-timeout	Give up on one request after this time: `30s`, `1m`, or seconds; 0 means 30s
    --cluster	Use this cluster of the kubeconfig
    --user	Use this user of the kubeconfig
    --server	Talk to this API server
    -s	Talk to this API server
    --certificate-authority	Trust the certificate authority in this file
    --insecure-skip-tls-verify	Accept any certificate of the server, which makes the connection insecure
    --tls-server-name	Expect the server's certificate to be for this name
    --proxy-url	Go through this proxy: http, https or socks5
    --token	Use this bearer token; others on this machine can see it among the processes
    --client-certificate	Use the certificate in this file to log in
    --client-key	Use the key in this file to log in
    --username	Use this name for basic authentication
    --password	Use this password for basic authentication; others on this machine can see it
    --as	Act as this user
    --as-group	Act as a member of this group, with --as; may be repeated
    --as-uid	Act with this uid, with --as
    --as-user-extra	Act with this attribute, with --as: NAME=VALUE; may be repeated
    --v	Log requests to stderr: 6 each with its answer, 7 headers too, 8 bodies too
    -v	Log requests to stderr: 6 each with its answer, 7 headers too, 8 bodies too
    --warnings-as-errors	Fail, after all is done, if the server has sent a warning
    --output	Print in this format
    -o	Print in this format
    --help	Print help (see more with '--help')
    -h	Print help (see more with '--help')
    :4
    ");
}

#[test]
fn values_are_offered_after_their_flag() {
    assert_snapshot!(offline("status -o "), @"
    text
    json
    yaml
    name
    :4
    ");
    assert_snapshot!(offline("gateway-url --output=e"), @"
    env
    :4
    ");
    assert_snapshot!(offline("shift --v2 "), @":4");
    assert_snapshot!(offline("deploy --dry-run=s"), @"
    server
    :4
    ");
    assert_snapshot!(offline("deploy --dry-run s"), @":4");
    assert_snapshot!(offline("completion "), @"
    bash
    zsh
    fish
    powershell
    :4
    ");
}

#[test]
fn files_are_left_to_the_shell() {
    assert_snapshot!(offline("status --kubeconfig "), @":0");
    assert_snapshot!(offline("--kubeconfig=/etc/k"), @":0");
    assert_snapshot!(offline("completion --install="), @":16");
}

#[test]
fn names_come_from_the_cluster() {
    let namespace = |name: &str| json!({"apiVersion": "v1", "metadata": {"name": name}});
    let api = objects::deployed((50, 50))
        .object("namespaces", &namespace("shop"))
        .object("namespaces", &namespace("shipping"))
        .object("gateways", &named("networking.istio.io/v1", "kubia-service-gateway"))
        .object("gateways", &named("networking.istio.io/v1", "both"))
        .object("gateways", &named("gateway.networking.k8s.io/v1", "both"))
        .object("gateways", &named("gateway.networking.k8s.io/v1", "edge"));
    assert_snapshot!(complete(&api, "status "), @"
    kubia-vs
    :4
    ");
    assert_snapshot!(complete(&api, "shift ku"), @"
    kubia-vs
    :4
    ");
    assert_snapshot!(complete(&api, "shift kubia-vs --v2 30 "), @"
    --v1	Send this share of requests to v1, in percent
    --from	Only if the versions have these shares now
    --route	The route: its name, its place (`#0`, `tls#0`, `tcp#0`), or `all` that have the versions
    --reason	Record why, for `history`
    --allow	Go on although this speaks against it; a refusal says its word
    --proof	Prove that the gateway proxies run the weights: where that can be seen, or else fail
    --timeout	Give up on the proof after this time
    --dry-run	Only show what would be written: `client` asks no server to check it, `server` does
    --kubeconfig	Read only this kubeconfig file
    --context	Use this kubeconfig context
    --namespace	Act in this namespace instead of the context's
    -n	Act in this namespace instead of the context's
    --request-timeout	Give up on one request after this time: `30s`, `1m`, or seconds; 0 means 30s
    --cluster	Use this cluster of the kubeconfig
    --user	Use this user of the kubeconfig
    --server	Talk to this API server
    -s	Talk to this API server
    --certificate-authority	Trust the certificate authority in this file
    --insecure-skip-tls-verify	Accept any certificate of the server, which makes the connection insecure
    --tls-server-name	Expect the server's certificate to be for this name
    --proxy-url	Go through this proxy: http, https or socks5
    --token	Use this bearer token; others on this machine can see it among the processes
    --client-certificate	Use the certificate in this file to log in
    --client-key	Use the key in this file to log in
    --username	Use this name for basic authentication
    --password	Use this password for basic authentication; others on this machine can see it
    --as	Act as this user
    --as-group	Act as a member of this group, with --as; may be repeated
    --as-uid	Act with this uid, with --as
    --as-user-extra	Act with this attribute, with --as: NAME=VALUE; may be repeated
    --v	Log requests to stderr: 6 each with its answer, 7 headers too, 8 bodies too
    -v	Log requests to stderr: 6 each with its answer, 7 headers too, 8 bodies too
    --warnings-as-errors	Fail, after all is done, if the server has sent a warning
    --output	Print in this format
    -o	Print in this format
    --help	Print help (see more with '--help')
    -h	Print help (see more with '--help')
    :4
    ");
    assert_snapshot!(complete(&api, "gateway-url "), @"
    kubia-service-gateway	networking.istio.io
    kubia-service-gateway	networking.istio.io
    both	networking.istio.io
    edge	gateway.networking.k8s.io
    :4
    ");
    assert_snapshot!(complete(&api, "status -n s"), @"
    shop
    shipping
    :4
    ");
    assert_snapshot!(complete(&api, "status --namespace=shi"), @"
    shipping
    :4
    ");
    assert_snapshot!(complete(&api, "status --context t"), @"
    test
    :4
    ");
    assert_snapshot!(api.requests().join("\n"), @"
    GET /apis/networking.istio.io/v1/namespaces/shop/virtualservices?resourceVersion=0
    GET /apis/networking.istio.io/v1/namespaces/shop/virtualservices?resourceVersion=0
    GET /apis/gateway.networking.k8s.io/v1/namespaces/shop/gateways?resourceVersion=0
    GET /apis/networking.istio.io/v1/namespaces/shop/gateways?resourceVersion=0
    GET /api/v1/namespaces?resourceVersion=0
    GET /api/v1/namespaces?resourceVersion=0
    ");
}

#[test]
fn a_failure_only_means_fewer_candidates() {
    let forbidden = objects::status(403, "Forbidden", "no");
    let api =
        objects::cluster().raw_answer(&http::Method::GET, "/api/v1/namespaces", 403, &forbidden);
    assert_eq!(complete(&api, "status -n "), ":4\n");
    assert_eq!(complete(&FakeApi::default(), "gateway-url x"), ":4\n");
}

/// A home, and the program under kubectl's name for it.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        let home = Self(TempDir::new().unwrap());
        fs::create_dir(home.path("bin")).unwrap();
        let plugin = env!("CARGO_BIN_EXE_kubectl-kubia");
        for name in ["kubectl-kubia", "kubectl_complete-kubia"] {
            std::os::unix::fs::symlink(plugin, home.path("bin").join(name)).unwrap();
        }
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        let path = format!("{}:/usr/bin:/bin", self.path("bin").display());
        command.env_clear().env("HOME", self.0.path()).env("PATH", path).stdin(Stdio::null());
        command
    }

    fn complete(&self, words: &[&str]) -> String {
        let program = self.path("bin/kubectl_complete-kubia");
        let output = self.command(program).args(words).output().unwrap();
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs `kubectl-kubia completion …`; the home's path is left out of what it says.
    fn completion(&self, arguments: &[&str]) -> String {
        let mut command = self.command(self.path("bin/kubectl-kubia"));
        let Output { status, stdout, stderr } =
            command.arg("completion").args(arguments).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let code = status.code().unwrap();
        let shown = format!("exit {code}\n{}---\n{}", text(stdout), text(stderr));
        shown.replace(self.0.path().to_str().unwrap(), "~")
    }

    fn kubeconfig(&self, contexts: &[&str], server: &str) {
        let contexts = contexts
            .iter()
            .map(|name| json!({"name": name, "context": {"cluster": "c", "user": "u"}}));
        let config = json!({
            "clusters": [{"name": "c", "cluster": {"server": server}}],
            "users": [{"name": "u", "user": {}}],
            "contexts": contexts.collect::<Vec<_>>(), "current-context": "kind-a",
        });
        fs::create_dir_all(self.path(".kube")).unwrap();
        fs::write(self.path(".kube/config"), config.to_string()).unwrap();
    }
}

#[test]
fn the_program_completes_under_kubectls_name_for_it() {
    let home = Home::new();
    assert_snapshot!(home.complete(&["sh"]), @"
    shift	Set the share of requests that goes to a version
    :4
    ");
    assert_eq!(home.complete(&["status", "--context", ""]), ":4\n");
    assert_eq!(home.complete(&["status", "--kubeconfig", "/nonexistent", "x"]), ":4\n");
    assert_eq!(home.complete(&[]), home.complete(&[""]));
}

#[test]
fn hostile_contexts_forge_no_candidates() {
    let home = Home::new();
    let hostile =
        ["kind-a", "a\nforged\tvalue", "b\n:0", "$(id)", "`id`", "c d", "e\tf", "_activeHelp_ hi"];
    home.kubeconfig(&hostile, "https://127.0.0.1:1");
    assert_eq!(home.complete(&["--context", ""]), "kind-a\n:4\n");
}

#[test]
fn a_server_that_hangs_is_given_up_on() {
    let home = Home::new();
    // Connections wait in the backlog: nobody ever accepts one.
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    home.kubeconfig(&["kind-a"], &format!("https://{}", server.local_addr().unwrap()));
    let start = Instant::now();
    assert_eq!(home.complete(&["status", "-n", ""]), ":4\n");
    // The budget is 1 s; the rest is for a busy machine to start and end a process.
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

#[test]
fn the_file_for_kubectl_is_installed_and_removed() {
    let home = Home::new();
    assert_snapshot!(home.completion(&["--install"]), @"
    exit 0
    ~/.local/bin/kubectl_complete-kubia created
    ---
    ~/.local/bin is not on PATH, so kubectl cannot find it there yet
    kubectl 1.26 or newer completes `kubectl kubia` in a shell that completes kubectl itself:
      bash, with bash-completion: source <(kubectl completion bash)
      zsh, after compinit:        source <(kubectl completion zsh)
      fish:                       kubectl completion fish | source
    ");
    let file = home.path(".local/bin/kubectl_complete-kubia");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o755);
    let output = home.command(&file).args(["stat"]).output().unwrap();
    assert!(output.stdout.starts_with(b"status\t"), "{output:?}");
    let again = ["--install=~/.local/bin"];
    assert!(home.completion(&again).contains("unchanged"), "a shell leaves this ~ alone");
    assert_snapshot!(home.completion(&["--uninstall"]), @"
    exit 0
    ~/.local/bin/kubectl_complete-kubia removed
    ---
    ");
    assert_snapshot!(home.completion(&["--uninstall"]), @"
    exit 0
    ~/.local/bin/kubectl_complete-kubia not there
    ---
    ");
    assert!(!file.exists());
}

#[test]
fn krews_directory_and_the_files_of_others_are_left_alone() {
    let home = Home::new();
    fs::create_dir_all(home.path(".krew/bin")).unwrap();
    let install = |directory: &str| {
        home.completion(&[&format!("--install={}", home.path(directory).display())])
    };
    assert_snapshot!(install(".krew/bin"), @"
    exit 3
    ---
    error: ~/.krew/bin is krew's own: a file that krew did not put there makes krew refuse every command

    hint: choose another directory on PATH with --install=DIR
    ");
    assert_snapshot!(install("bin"), @"
    exit 3
    ---
    error: ~/bin/kubectl_complete-kubia was not written by kubectl-kubia, so it is left alone

    hint: look at it with `ls -l ~/bin/kubectl_complete-kubia`, remove it if nobody needs it, or name another directory: --install=DIR, --uninstall=DIR
    ");
    let uninstall = format!("--uninstall={}", home.path("bin").display());
    assert!(home.completion(&[&uninstall]).starts_with("exit 3\n"));
    assert!(home.path("bin/kubectl_complete-kubia").is_symlink());
    assert!(home.completion(&[]).starts_with("exit 2\n"));
    assert!(home.completion(&["bash", "--install"]).starts_with("exit 2\n"));
}

#[test]
fn the_scripts_are_those_the_command_line_makes() {
    let folder = Path::new("completions");
    let shells = [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::PowerShell];
    let files = ["kubectl-kubia.bash", "_kubectl-kubia", "kubectl-kubia.fish", "kubectl-kubia.ps1"];
    let home = Home::new();
    for (shell, file) in shells.into_iter().zip(files) {
        let mut made = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "kubectl-kubia", &mut made);
        if env::var("UPDATE").is_ok_and(|update| update == "1") {
            fs::write(folder.join(file), &made).unwrap();
            continue;
        }
        let made = String::from_utf8(made).unwrap();
        let kept = fs::read_to_string(folder.join(file)).unwrap();
        assert!(kept == made, "completions/{file} is out of date: `UPDATE=1 cargo test --test it`");
        let printed = home.completion(&[&shell.to_string()]);
        assert_eq!(printed, format!("exit 0\n{made}---\n"));
    }
}
