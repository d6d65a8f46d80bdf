//! Walks the tutorial on a sandbox, or on a cluster the reader already has.

use std::{
    path::Path,
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use tempfile::TempDir;

use crate::{
    support::{
        kubectl::Kubectl,
        process,
        sandbox::{Sandbox, random_word},
    },
    walk::{Block, Walk},
};

/// Walks on a sandbox as the tutorial has it: namespace `default`, host `*`.
///
/// # Errors
///
/// Says which step failed.
pub(crate) fn on_sandbox(sandbox: &Sandbox, show: &dyn Fn(&str)) -> Result<Vec<Block>, String> {
    let home = TempDir::new().expect("a temporary folder");
    let path = path_with_plugin(sandbox.path());
    let walk = Walk {
        shell: &|| process::clean("sh", &sandbox.kubia_kubeconfig(), home.path(), &path),
        kubectl: &sandbox.kubectl(),
        namespace: "default",
        host: None,
        flags: "",
        show,
        interrupted: &|| false,
    };
    walk.run()
}

/// A cluster that the reader already has.
pub(crate) struct Cluster<'a> {
    pub(crate) context: &'a str,
    /// The reader's kubectl, in that context.
    pub(crate) kubectl: Kubectl,
    /// `sh` as the reader's terminal has it.
    pub(crate) shell: &'a dyn Fn() -> Command,
}

/// Walks on the reader's own cluster, in a namespace that is removed at the end, also after a
/// failure or Ctrl-C.
///
/// # Errors
///
/// Says what went wrong.
pub(crate) fn on_cluster(
    cluster: &Cluster<'_>,
    confirm: &str,
    show: &dyn Fn(&str),
) -> Result<Vec<Block>, String> {
    let Cluster { context, kubectl, shell } = cluster;
    if *context != confirm {
        return Err(format!(
            "this writes to the cluster of context {context}; to confirm, say CONFIRM={context}"
        ));
    }
    heed_interrupts();
    let namespace = OwnNamespace::create(kubectl, show)?;
    let name = &namespace.name;
    let walk = Walk {
        shell,
        kubectl,
        namespace: name,
        host: Some(&format!("{name}.kubia.test")),
        flags: &format!(" --context {context} -n {name}"),
        show,
        interrupted: &|| INTERRUPTED.load(Ordering::SeqCst),
    };
    walk.run()
}

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From now on Ctrl-C ends the walk, not this process: the namespace is still to be removed.
fn heed_interrupts() {
    thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime needs only memory and a few descriptors");
        runtime.block_on(async {
            while tokio::signal::ctrl_c().await.is_ok() {
                INTERRUPTED.store(true, Ordering::SeqCst);
            }
        });
    });
}

/// A namespace that is removed with the value.
struct OwnNamespace<'a> {
    kubectl: &'a Kubectl,
    name: String,
    show: &'a dyn Fn(&str),
}

impl<'a> OwnNamespace<'a> {
    fn create(kubectl: &'a Kubectl, show: &'a dyn Fn(&str)) -> Result<Self, String> {
        let name = format!("kubia-demo-{}", random_word());
        show(&format!("# creating namespace {name}, removed at the end\n"));
        let created = kubectl.run(&["create", "namespace", &name]);
        if created.code == Some(0) {
            Ok(Self { kubectl, name, show })
        } else {
            Err(created.to_string())
        }
    }
}

impl Drop for OwnNamespace<'_> {
    fn drop(&mut self) {
        (self.show)(&format!("# removing namespace {}\n", self.name));
        let deleted = self.kubectl.run(&["delete", "namespace", &self.name]);
        if deleted.code != Some(0) {
            (self.show)(&format!("# namespace {} may still be there: {deleted}\n", self.name));
        }
    }
}

/// PATH with the plugin's folder first.
pub(crate) fn path_with_plugin(path: &str) -> String {
    let plugin = process::plugin();
    let folder = plugin.parent().unwrap_or(Path::new("."));
    format!("{}:{path}", folder.display())
}
