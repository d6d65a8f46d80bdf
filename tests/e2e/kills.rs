//! After kill -9 of the supervisor nothing of a sandbox remains, and it can be started again.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::{FileTypeExt, MetadataExt},
    path::Path,
    process::Command,
};

use tempfile::TempDir;

use crate::support::{
    process,
    sandbox::Sandbox,
    wait::{holds, wait_for},
};

#[test]
fn nothing_remains_after_kill_9_of_the_supervisor_and_it_starts_again() {
    let sandbox = Sandbox::for_faults();
    let supervisor = sandbox.state()["supervisorPid"].to_string();
    let x = sandbox.state()["x"].to_string();
    let tree = processes_of(&supervisor);
    assert!(tree.len() >= 9, "a supervisor with eight parts at least: {tree:?}");
    let namespaces = namespaces_of(&tree);
    assert!(namespaces.len() >= 8, "four of its own and one for each pod: {namespaces:?}");
    assert!(!listening(&x).is_empty(), "it listens on 127.{x}.0.0/16");

    process::run(Command::new("kill").args(["-9", &supervisor])).exits(0);

    wait_for("the kernel to have ended all of the sandbox", || {
        let all = all_processes();
        let running = alive(&tree);
        let held = namespaces_of(alive(&all));
        let held: Vec<_> = namespaces.intersection(&held).collect();
        let sockets = listening(&x);
        let gone = running.is_empty() && held.is_empty() && sockets.is_empty();
        let remains = format!("processes {running:?}, namespaces {held:?}, sockets {sockets:?}");
        holds(gone, || remains)?;
        // A process may still end after its first thread has: status knows by a lock they share.
        let status = sandbox.program(&["status"]);
        holds(status.code == Some(3), || status.to_string())
    });
    let mounts = fs::read_to_string("/proc/self/mountinfo").expect("procfs");
    assert!(!mounts.contains(&*sandbox.directory().to_string_lossy()), "{mounts}");
    assert_eq!(sockets_below(sandbox.directory()), Vec::<String>::new());

    sandbox.program(&["up"]).exits(0);
    sandbox.wait_well();
}

#[test]
fn down_ends_all_and_says_when_there_is_nothing_to_end() {
    let sandbox = Sandbox::for_faults();
    let tree = processes_of(&sandbox.state()["supervisorPid"].to_string());
    sandbox.program(&["down"]).exits(0);
    // `down` has waited until none holds the sandbox's lock; the rest is the kernel's.
    wait_for("the kernel to have ended all of the sandbox", || {
        let left = alive(&tree);
        holds(left.is_empty(), || format!("{left:?}"))
    });
    sandbox.program(&["status"]).exits(3);
    let again = sandbox.program(&["down"]).exits(0);
    assert!(again.stderr.contains("not running"), "{again}");
}

#[test]
fn a_sandbox_needs_no_root() {
    // When these tests run as an ordinary user, every other test has shown it.
    if fs::metadata("/proc/self").expect("procfs").uid() != 0 {
        return;
    }
    let sandbox = Sandbox::for_faults();
    // Three at once would not fit into a small machine's memory.
    sandbox.program(&["down"]).exits(0);
    let installation = TempDir::new().expect("a temporary folder");
    let parent = sandbox.directory().parent().expect("it has a parent");
    process::run(
        Command::new("cp")
            .args(["-a", "bin", "tools"])
            .arg(installation.path())
            .current_dir(parent),
    )
    .exits(0);
    let nobody = "65534";
    process::run(Command::new("chown").args(["-R", nobody]).arg(installation.path())).exits(0);
    let program = |arguments: &[&str]| {
        let mut setpriv = Command::new("setpriv");
        setpriv.args(["--reuid", nobody, "--regid", nobody, "--clear-groups", "--"]);
        process::run(setpriv.arg(installation.path().join("bin/kubia-sandbox")).args(arguments))
    };
    program(&["up"]).exits(0);
    let ended = AtEnd(|| drop(program(&["down"])));
    let unprivileged = Sandbox::at(installation.path().join("default"));
    unprivileged.wait_well();
    let nodes = unprivileged.kubectl().run(&["get", "nodes", "-o", "name"]);
    let kubectl = installation.path().join("tools/bin/kubectl");
    let far = program(&["wan", "--", &kubectl.to_string_lossy(), "version", "-o", "json"]);
    drop(ended);
    program(&["status"]).exits(3);
    assert_eq!(nodes.stdout, "node/node-1\nnode/node-2\nnode/node-3\n", "{nodes}");
    assert!(far.exits(0).json()["serverVersion"].is_object(), "the server is reached from afar");
}

/// Does something when it goes, also when a test fails.
struct AtEnd<F: Fn()>(F);

impl<F: Fn()> Drop for AtEnd<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[test]
fn where_user_namespaces_are_forbidden_one_line_says_what_to_do() {
    let sandbox = Sandbox::shared();
    let program = sandbox.directory().with_file_name("bin").join("kubia-sandbox");
    let folder = TempDir::new().expect("a temporary folder");
    // The limit is each user namespace's own: inside a new one it harms nobody. Without
    // capabilities not even its root can do without another one.
    let script = "echo 0 > /proc/sys/user/max_user_namespaces && \
                  exec setpriv --bounding-set=-all --inh-caps=-all \"$0\" up --dir \"$1\"";
    let mut unshare = Command::new("unshare");
    unshare.args(["--user", "--map-root-user", "sh", "-c", script]);
    unshare.arg(program).arg(folder.path());
    let output =
        process::run(&mut unshare).exits(1).says(&["user namespaces", "user.max_user_namespaces"]);
    let errors = output.stderr.lines().filter(|line| line.starts_with("error: ")).count();
    assert_eq!((errors, output.stderr.trim().lines().count()), (1, 2), "{output}");
}

/// A process and all that live in PID namespaces below its own.
fn processes_of(supervisor: &str) -> Vec<String> {
    let pid_namespace = namespace(supervisor, "pid").expect("the supervisor runs");
    all_processes()
        .into_iter()
        .filter(|pid| namespace(pid, "pid").as_ref() == Some(&pid_namespace))
        .collect()
}

fn all_processes() -> Vec<String> {
    let entries = fs::read_dir("/proc").expect("procfs");
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit())).collect()
}

/// Those that have not ended. A zombie has, and waits for its parent alone.
fn alive(processes: &[String]) -> Vec<&String> {
    let ended = |pid: &&String| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        status.is_empty() || status.contains("\nState:\tZ")
    };
    processes.iter().filter(|pid| !ended(pid)).collect()
}

/// `net:[4026531840]`; none for processes that are gone or others'.
fn namespace(pid: &str, kind: &str) -> Option<String> {
    let link = fs::read_link(format!("/proc/{pid}/ns/{kind}")).ok()?;
    Some(link.to_string_lossy().into_owned())
}

/// The namespaces of processes that are not this test's own.
fn namespaces_of<'a>(processes: impl IntoIterator<Item = &'a String>) -> BTreeSet<String> {
    let kinds = ["pid", "net", "mnt", "user"];
    let all = processes.into_iter().flat_map(|pid| kinds.map(|kind| namespace(pid, kind)));
    let own: BTreeSet<_> = kinds.iter().filter_map(|kind| namespace("self", kind)).collect();
    all.flatten().filter(|namespace| !own.contains(namespace)).collect()
}

/// The listening TCP addresses in 127.x.0.0/16, in the kernel's own hexadecimal.
fn listening(x: &str) -> Vec<String> {
    const LISTEN: &str = "0A";
    let x: u8 = x.parse().expect("x is a byte");
    // Addresses are little-endian: 127.x.0.1 is 0100XX7F.
    let suffix = format!("{x:02X}7F");
    let table = fs::read_to_string("/proc/net/tcp").expect("procfs");
    table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|fields| fields.len() > 3 && fields[3] == LISTEN)
        .filter(|fields| fields[1].split(':').next().is_some_and(|ip| ip.ends_with(&suffix)))
        .map(|fields| fields[1].to_owned())
        .collect()
}

fn sockets_below(directory: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let paths = entries.flatten().map(|entry| entry.path());
    paths
        .flat_map(|path| match fs::symlink_metadata(&path) {
            Ok(kind) if kind.is_dir() => sockets_below(&path),
            Ok(kind) if kind.file_type().is_socket() => vec![path.display().to_string()],
            _ => Vec::new(),
        })
        .collect()
}
