//! One case: servers, proxies, files, flags and environment, the same for both programs.

use std::{
    env, fs,
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Command, Stdio},
    sync::Arc,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    pki::{Authority, Validity},
    proxy::{Kind, Proxy},
    server::{Action, Plan, Server, Tls, Wire},
};

/// A host name that no resolver knows, and a proxy may.
pub(crate) const HOST: &str = "kubia.test";

/// Who is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    Kubectl,
    Kubia,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// A Service in a namespace of its own, whatever the context says.
    Service,
    /// A Gateway in the namespace that flags and context lead to.
    Gateway,
}

/// A case, set up for one of the programs.
pub(crate) struct Scene {
    pub(crate) folder: TempDir,
    pub(crate) authority: Authority,
    pub(crate) servers: Vec<(&'static str, Server)>,
    pub(crate) proxies: Vec<Proxy>,
    pub(crate) program: Program,
    question: Question,
    environment: Vec<(String, String)>,
    arguments: Vec<String>,
    is_in_pod: bool,
    is_on_terminal: bool,
    input: Option<String>,
}

/// Mounts the files of a service account where a pod has them, for this process alone.
const IN_POD: &str = r#"
mount -t tmpfs none /run
account=/var/run/secrets/kubernetes.io/serviceaccount
mkdir -p $account
cp pod/* $account/
exec "$@"
"#;

/// Runs a command, none of whose words needs quoting, in a terminal of its own.
const ON_TERMINAL: &str = r#"exec script --quiet --return --command "$*" /dev/null"#;

impl Scene {
    pub(crate) fn new(program: Program) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        fs::create_dir(folder.path().join("home")).unwrap();
        Self {
            folder,
            authority: Authority::new("kubia-ca"),
            servers: Vec::new(),
            proxies: Vec::new(),
            program,
            question: Question::Service,
            environment: Vec::new(),
            arguments: Vec::new(),
            is_in_pod: false,
            is_on_terminal: false,
            input: None,
        }
    }

    /// Starts a server on TLS that every client likes.
    pub(crate) fn server(&mut self, name: &'static str) -> SocketAddr {
        self.server_with(name, |_, _| {})
    }

    /// Starts a server on TLS, changed by `change`.
    pub(crate) fn server_with(
        &mut self,
        name: &'static str,
        change: impl FnOnce(&mut Plan, &Authority),
    ) -> SocketAddr {
        let hosts = ["127.0.0.1", "0.0.0.0", "::1", "localhost", HOST];
        let mut plan = Plan {
            tls: Some(Tls::new(self.authority.server(&hosts, Validity::Now))),
            wire: Wire::Works,
            script: Arc::new(|_| Action::Object),
            discovery: true,
            wants: None,
            by_frames: false,
        };
        change(&mut plan, &self.authority);
        let server = Server::start(plan);
        let address = server.address();
        self.servers.push((name, server));
        address
    }

    /// Starts a server on TLS whose answers to requests for the object are these, the last for ever.
    pub(crate) fn server_that(&mut self, actions: impl IntoIterator<Item = Action>) -> SocketAddr {
        let actions: Vec<Action> = actions.into_iter().collect();
        self.server_with("a", |plan, _| {
            plan.script = Arc::new(move |turn| actions[turn.min(actions.len()) - 1].clone());
        })
    }

    /// Starts a server without TLS.
    pub(crate) fn plain_server(&mut self, name: &'static str) -> SocketAddr {
        self.server_with(name, |plan, _| plan.tls = None)
    }

    /// Starts a proxy that leads to `target`.
    pub(crate) fn proxy(&mut self, kind: Kind, target: SocketAddr) -> SocketAddr {
        let proxy = Proxy::start(kind, target);
        let address = proxy.address();
        self.proxies.push(proxy);
        address
    }

    /// A kubeconfig for this server, as a user with a token.
    pub(crate) fn config(&self, server: SocketAddr) -> Config {
        self.config_for(&format!("https://{server}"))
    }

    /// A kubeconfig for this URL, as a user with a token.
    pub(crate) fn config_for(&self, url: &str) -> Config {
        let authority = BASE64_STANDARD.encode(self.authority.pem());
        Config(json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "x",
            "clusters": [{"name": "c",
                "cluster": {"server": url, "certificate-authority-data": authority}}],
            "users": [{"name": "u", "user": {"token": "token-u"}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        }))
    }

    /// Writes a kubeconfig and makes it the one that is read.
    pub(crate) fn use_config(&mut self, config: &Config) {
        let path = self.file("config", &config.0.to_string());
        self.environment("KUBECONFIG", &path);
    }

    /// Writes a file and returns its path.
    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Writes a program for `sh` that appends `ran` to the file `log` before all else.
    pub(crate) fn script(&self, name: &str, body: &str) -> String {
        let (log, path) = (self.path("log"), self.path(name));
        let text = format!("#!/bin/sh\necho ran >>'{log}'\n{body}\n");
        let source = self.file(&format!("{name}.source"), &text);
        // A file cannot be run while somebody has it open for writing, as a process that another test
        // starts has whatever this one does: so one of its own writes it.
        let copied = Command::new("cp").args([&source, &path]).status().unwrap();
        assert!(copied.success(), "{path} is not written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// The path of a file in the case's folder.
    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn environment(&mut self, name: &str, value: &str) {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    pub(crate) fn flags(&mut self, flags: &[&str]) {
        self.arguments.extend(flags.iter().map(|flag| (*flag).to_owned()));
    }

    /// Runs the program as in a pod of a cluster with this server.
    pub(crate) fn in_pod(&mut self, server: SocketAddr) {
        self.is_in_pod = true;
        self.file("pod/ca.crt", &self.authority.pem());
        self.file("pod/token", "token-pod");
        self.file("pod/namespace", "of-the-pod");
        self.environment("KUBERNETES_SERVICE_HOST", &server.ip().to_string());
        self.environment("KUBERNETES_SERVICE_PORT", &server.port().to_string());
    }

    /// Runs the program in a terminal of its own.
    pub(crate) fn on_terminal(&mut self) {
        self.is_on_terminal = true;
    }

    /// What is on the standard input, which is no terminal.
    pub(crate) fn input(&mut self, text: &str) {
        self.input = Some(self.file("input", text));
    }

    /// Asks for the Gateway instead of the Service.
    pub(crate) fn ask_for_gateway(&mut self) {
        self.question = Question::Gateway;
    }

    /// The last segments of the path of the object that is asked for.
    pub(crate) fn object(&self) -> &'static str {
        match self.question {
            Question::Service => "/services/web-gateway",
            Question::Gateway => "/gateways/demo",
        }
    }

    /// The program with its question, its environment, and nothing else. The name of the Service is
    /// not one that the plugin knows, so that it asks for nothing else at the same time.
    pub(crate) fn command(&self) -> Command {
        let question: &[&str] = match (self.program, self.question) {
            (Program::Kubectl, Question::Service) => {
                &["get", "-n", "istio-system", "services/web-gateway", "-o", "name"]
            }
            (Program::Kubectl, Question::Gateway) => {
                &["get", "gateways.networking.istio.io/demo", "-o", "name"]
            }
            (Program::Kubia, Question::Service) => {
                &["gateway-url", "--service=web-gateway", "--gateway-namespace=istio-system"]
            }
            (Program::Kubia, Question::Gateway) => {
                &["gateway-url", "gateways.networking.istio.io/demo"]
            }
        };
        let program = match self.program {
            Program::Kubectl => kubectl(),
            Program::Kubia => PathBuf::from(env!("CARGO_BIN_EXE_kubectl-kubia")),
        };
        self.run(program, question)
    }

    /// The plugin with other words than the question.
    pub(crate) fn kubia(&self, words: &[&str]) -> Command {
        self.run(PathBuf::from(env!("CARGO_BIN_EXE_kubectl-kubia")), words)
    }

    fn run(&self, program: PathBuf, words: &[&str]) -> Command {
        // Whatever hangs is ended long after every deadline of a case.
        let mut command = Command::new("timeout");
        if self.is_in_pod {
            command = Command::new("unshare");
            command.args(["-rm", "sh", "-ec", IN_POD, "sh", "timeout"]);
        }
        command.args(["--foreground", "--signal=KILL", "60"]);
        if self.is_on_terminal {
            command.args(["sh", "-ec", ON_TERMINAL, "sh"]);
        }
        let input = self.input.as_ref().map(|path| fs::File::open(path).unwrap());
        command
            .arg(program)
            .args(words)
            .args(&self.arguments)
            .env_clear()
            .env("HOME", self.folder.path().join("home"))
            .env("PATH", "/usr/bin:/bin")
            .env("TZ", "UTC")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(self.folder.path())
            .stdin(input.map_or_else(Stdio::null, Stdio::from));
        command
    }
}

/// The sandbox's kubectl.
fn kubectl() -> PathBuf {
    let path = env::var_os("KUBIA_KUBECTL")
        .map_or_else(|| "target/sandbox/tools/bin/kubectl".into(), PathBuf::from);
    let path = path.canonicalize();
    path.expect("these cases need the sandbox's kubectl: run `make build-sandbox`")
}

/// A kubeconfig, as JSON.
#[derive(Clone)]
pub(crate) struct Config(pub(crate) Value);

impl Config {
    /// Sets a field of the cluster; null removes it.
    pub(crate) fn cluster(mut self, field: &str, value: impl Into<Value>) -> Self {
        set(&mut self.0["clusters"][0]["cluster"], field, value.into());
        self
    }

    /// Sets a field of the context; null removes it.
    pub(crate) fn context(mut self, field: &str, value: impl Into<Value>) -> Self {
        set(&mut self.0["contexts"][0]["context"], field, value.into());
        self
    }

    /// Sets a field of the user; null removes it.
    pub(crate) fn user(mut self, field: &str, value: impl Into<Value>) -> Self {
        set(&mut self.0["users"][0]["user"], field, value.into());
        self
    }

    /// Replaces all that is known of the user.
    pub(crate) fn only_user(mut self, user: Value) -> Self {
        self.0["users"][0]["user"] = user;
        self
    }

    /// Sets a field of the file; null removes it.
    pub(crate) fn file(mut self, field: &str, value: impl Into<Value>) -> Self {
        set(&mut self.0, field, value.into());
        self
    }
}

fn set(object: &mut Value, field: &str, value: Value) {
    match value {
        Value::Null => drop(object.as_object_mut().unwrap().remove(field)),
        value => object[field] = value,
    }
}
