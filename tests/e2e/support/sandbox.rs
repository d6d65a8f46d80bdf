//! A running sandbox: where its state is, who its users are, what its programs say.

use std::{
    collections::hash_map::RandomState,
    env, fs,
    hash::{BuildHasher, Hasher},
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, MutexGuard, OnceLock},
};

use serde_json::Value;

use super::{
    control::Control,
    http::Http,
    kubectl::Kubectl,
    process::{self, Output},
    wait::{holds, wait_for},
};

/// A sandbox cluster, by its state directory.
pub(crate) struct Sandbox {
    directory: PathBuf,
    path: String,
}

impl Sandbox {
    /// The sandbox all tests share, each in namespaces of its own.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Sandbox> = OnceLock::new();
        SHARED.get_or_init(|| Self::at(shared_directory()))
    }

    /// A second sandbox beside the first, for tests that stop or kill its parts: one at a time.
    /// `tests/e2e/with-sandbox` ends it.
    pub(crate) fn for_faults() -> MutexGuard<'static, Self> {
        static FAULTS: OnceLock<Mutex<Sandbox>> = OnceLock::new();
        let mutex = FAULTS.get_or_init(|| {
            let shared = shared_directory();
            let name = shared.file_name().expect("a state directory has a name").to_string_lossy();
            Mutex::new(Self {
                directory: shared.with_file_name(format!("{name}-faults")),
                path: String::new(),
            })
        });
        // A test that failed may have left parts stopped: `up` anew, from nothing.
        let (mut sandbox, poisoned) = match mutex.lock() {
            Ok(sandbox) => (sandbox, false),
            Err(poisoned) => (poisoned.into_inner(), true),
        };
        if poisoned {
            mutex.clear_poison();
            sandbox.program(&["down"]).exits(0);
        }
        sandbox.program(&["up"]).exits(0);
        if sandbox.path.is_empty() {
            *sandbox = Self::at(sandbox.directory.clone());
        }
        sandbox
    }

    /// The sandbox of a state directory that exists.
    pub(crate) fn at(directory: PathBuf) -> Self {
        let script = ". ./env >/dev/null && printf %s \"$PATH\"";
        let output =
            process::run(Command::new("sh").args(["-c", script]).current_dir(&directory)).exits(0);
        Self { directory, path: output.stdout }
    }

    pub(crate) fn name(&self) -> String {
        self.directory.file_name().expect("it has a name").to_string_lossy().into_owned()
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// PATH with the sandbox's own kubectl first.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// `system:masters`.
    pub(crate) fn admin_kubeconfig(&self) -> PathBuf {
        self.directory.join("admin.kubeconfig")
    }

    /// The user with nothing but the Role that README lists.
    pub(crate) fn kubia_kubeconfig(&self) -> PathBuf {
        self.directory.join("kubia.kubeconfig")
    }

    /// The same user, through the proxy whose requests can be held or broken.
    pub(crate) fn proxied_kubeconfig(&self) -> PathBuf {
        self.directory.join("proxied.kubeconfig")
    }

    /// `state.json`: name, x, supervisorPid, control, apiServer, proxied.
    pub(crate) fn state(&self) -> Value {
        let path = self.directory.join("state.json");
        let text =
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// The address of node 1, 2 or 3.
    pub(crate) fn node(&self, number: u32) -> String {
        format!("127.{}.0.{}", self.state()["x"], number + 1)
    }

    pub(crate) fn control(&self) -> Control {
        Control::new(self.state()["control"].as_str().expect("a control address"))
    }

    pub(crate) fn admin(&self) -> Http {
        Http::of_kubeconfig(&self.admin_kubeconfig())
    }

    /// Waits until `status` finds everything well: on a busy machine a part may answer late.
    pub(crate) fn wait_well(&self) {
        wait_for("the sandbox to be well", || {
            let status = self.program(&["status"]);
            holds(status.code == Some(0), || status.to_string())
        });
    }

    /// The sandbox's kubectl, as admin.
    pub(crate) fn kubectl(&self) -> Kubectl {
        Kubectl::clean(self.admin_kubeconfig(), &self.path)
    }

    /// Runs `kubia-sandbox COMMAND --name NAME …`.
    pub(crate) fn program(&self, arguments: &[&str]) -> Output {
        process::run(&mut self.command(arguments))
    }

    /// `kubia-sandbox COMMAND --name NAME …`, yet to run.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let parent = self.directory.parent().expect("it has a parent");
        let mut command = Command::new(parent.join("bin/kubia-sandbox"));
        command.arg(arguments[0]).args(["--name", &self.name()]).args(&arguments[1..]);
        command
    }
}

fn shared_directory() -> PathBuf {
    let directory = env::var("KUBIA_SANDBOX")
        .expect("the end-to-end tests need a running sandbox: run `make test`");
    PathBuf::from(directory)
}

/// A word of eight characters that no other test has.
pub(crate) fn random_word() -> String {
    format!("{:08x}", RandomState::new().build_hasher().finish() >> 32)
}
