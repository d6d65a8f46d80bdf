//! What `shift` and `status` cost: round trips and bytes, alone and among the objects of others.

use http::{Method, StatusCode};
use serde_json::json;

use super::{
    namespace::{ISTIO, Namespace},
    process,
};

/// Counts what commands cost in a namespace of their own, and again among this many pods and
/// `VirtualServices` of others. Returns a line for each command.
///
/// # Panics
///
/// When round trips differ, or bytes by more than one in twenty.
pub(crate) fn compare(namespace: &Namespace<'_>, pods: u32, virtual_services: u32) -> Vec<String> {
    namespace.deploy();
    namespace.kubia(&["shift", "--v2", "30"]).exits(0);
    let commands: [&[&str]; 3] = [
        &["status", "kubia-vs"],
        // Writing would add to the history, and so to what is read.
        &["shift", "--v2", "40", "--proof=none", "--dry-run=server"],
        &["shift", "--v2", "30"],
    ];
    let alone = commands.map(|command| Cost::of(namespace, command));
    crowd(namespace, pods, virtual_services);
    let lines = commands.iter().zip(alone).map(|(command, alone)| {
        let crowded = Cost::of(namespace, command);
        let line = format!("{}: {alone:?} alone, {crowded:?} in the crowd", command.join(" "));
        assert_eq!(crowded.round_trips, alone.round_trips, "{line}");
        assert!(crowded.bytes.abs_diff(alone.bytes) * 20 <= alone.bytes, "{line}");
        line
    });
    lines.collect()
}

/// What a command costs, whatever time a round trip takes.
#[derive(Debug)]
struct Cost {
    round_trips: u64,
    bytes: u64,
}

impl Cost {
    /// A machine that is busy can only add to it, so that the least of three counts is the right one.
    fn of(namespace: &Namespace<'_>, command: &[&str]) -> Self {
        let counts: Vec<_> = (0..3).map(|_| Self::once(namespace, command)).collect();
        let least = |count: fn(&Self) -> u64| counts.iter().map(count).min().expect("three counts");
        Self { round_trips: least(|cost| cost.round_trips), bytes: least(|cost| cost.bytes) }
    }

    fn once(namespace: &Namespace<'_>, command: &[&str]) -> Self {
        let sandbox = namespace.sandbox();
        let mut wan = sandbox.command(&["wan", "--count", "--one-way", "150ms", "--"]);
        wan.arg(process::plugin()).args(["-n", namespace.name()]).args(command);
        let output = process::run(&mut wan).exits(0);
        let count = |name: &str| {
            let line = output.stderr.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|count| count.parse().ok()).unwrap_or_else(|| panic!("{output}"))
        };
        Self { round_trips: count("round trips: "), bytes: count("bytes received: ") }
    }
}

/// Fills the namespace with pods that nobody runs, and `VirtualServices` of hosts of their own.
fn crowd(namespace: &Namespace<'_>, pods: u32, virtual_services: u32) {
    let create = |path: &str, object: &serde_json::Value| {
        let created = namespace.admin().send_json(Method::POST, path, "application/json", object);
        assert_eq!(created.status, StatusCode::CREATED, "{}", created.body);
    };
    let path = namespace.path("/api/v1", "pods");
    for index in 0..pods {
        let labels = json!({"app": format!("other-{}", index % 100), "version": "v1"});
        let pod = json!({
            "metadata": {"name": format!("other-{index}"), "labels": labels},
            "spec": {"schedulerName": "nobody", "containers": [{"name": "a", "image": "a"}]},
        });
        create(&path, &pod);
    }
    let path = namespace.path(ISTIO, "virtualservices");
    for index in 0..virtual_services {
        let host = format!("other-{index}.example");
        let to =
            |subset: &str| json!({"destination": {"host": host, "subset": subset}, "weight": 50});
        let object = json!({
            "apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
            "metadata": {"name": format!("other-{index}")},
            "spec": {"hosts": [host], "http": [{"route": [to("a"), to("b")]}]},
        });
        create(&path, &object);
    }
}
