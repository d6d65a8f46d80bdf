//! What `shift` and `status` cost: requests, round trips and bytes, alone and among the objects of others.

use std::{fmt, time::Duration};

use http::{Method, StatusCode};
use serde_json::json;

use super::{
    audit::{AuditedUser, Request},
    kubeconfig::Kubeconfig,
    namespace::{ISTIO, Namespace},
    process,
    proxies::Proxies,
    wait::{holds, wait_for},
};

const COMMANDS: [&[&str]; 3] = [
    &["status", "kubia-vs"],
    // Writing would add to the history, and so to what is read.
    &["shift", "--v2", "40", "--proof=none", "--dry-run=server"],
    &["shift", "--v2", "30"],
];

/// What commands cost in a namespace of their own, and again among the objects of others.
pub(crate) struct Costs {
    alone: Vec<Cost>,
    crowded: Vec<Cost>,
}

/// Counts what commands cost in a namespace of their own, and again among this many pods and
/// `VirtualServices` of others. `one_way` is half of a round trip: only long ones can be told apart.
pub(crate) fn measure(
    namespace: &Namespace<'_>,
    (pods, virtual_services): (u32, u32),
    one_way: Duration,
) -> Costs {
    namespace.deploy();
    namespace.kubia(&["shift", "--v2", "30"]).exits(0);
    wait_alone(namespace);
    let user = AuditedUser::new(namespace);
    let measure = || COMMANDS.iter().map(|command| Cost::of(&user, command, one_way)).collect();
    let alone = measure();
    crowd(namespace, pods, virtual_services);
    Costs { alone, crowded: measure() }
}

/// Waits until the gateway proxies serve nothing of other tests any more.
fn wait_alone(namespace: &Namespace<'_>) {
    let own = format!("{}/", namespace.name());
    for proxy in Proxies::open(namespace.sandbox()).iter() {
        wait_for(&format!("{} to serve nobody else", proxy.pod()), || {
            let dump = proxy.get("/config_dump?resource=dynamic_route_configs");
            let mut served = dump.split("/namespaces/").skip(1);
            holds(served.all(|each| each.starts_with(&own)), || dump.clone())
        });
    }
}

impl Costs {
    /// Each command with what it cost without others and with them.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (String, &Cost, &Cost)> {
        let names = COMMANDS.iter().map(|command| command.join(" "));
        names.zip(&self.alone).zip(&self.crowded).map(|((name, alone), other)| (name, alone, other))
    }

    /// Panics when requests differ, or bytes by more than one in twenty.
    pub(crate) fn assert_equal(&self) {
        for (name, alone, crowded) in self.pairs() {
            assert_eq!(crowded.requests, alone.requests, "{name}");
            let difference = crowded.bytes.abs_diff(alone.bytes);
            assert!(difference * 20 <= alone.bytes, "{name}: {alone} alone, {crowded} crowded");
        }
    }
}

/// What a command costs, whatever time a round trip takes.
pub(crate) struct Cost {
    /// What the API server was asked for, by verb and address.
    requests: Vec<(String, String)>,
    /// At the most: a busy machine adds to it.
    pub(crate) round_trips: u64,
    pub(crate) bytes: u64,
}

impl fmt::Display for Cost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { requests, round_trips, bytes } = self;
        write!(formatter, "{} requests, {round_trips} round trips, {bytes} bytes", requests.len())
    }
}

impl Cost {
    /// A machine that is busy can only add to what is counted under way: the least of three is the right one.
    fn of(user: &AuditedUser<'_>, command: &[&str], one_way: Duration) -> Self {
        let least = |one: Self, other: Self| {
            assert_eq!(one.requests, other.requests, "{}", command.join(" "));
            Self {
                requests: one.requests,
                round_trips: one.round_trips.min(other.round_trips),
                bytes: one.bytes.min(other.bytes),
            }
        };
        let counts = (0..3).map(|_| Self::once(user, command, one_way));
        counts.reduce(least).expect("three counts")
    }

    fn once(user: &AuditedUser<'_>, command: &[&str], one_way: Duration) -> Self {
        let namespace = user.namespace();
        let sandbox = namespace.sandbox();
        let far = Kubeconfig::read(&sandbox.directory().join("wan.kubeconfig"));
        let kubeconfig = user.of(far).write(namespace.folder(), "far.kubeconfig");
        let before = requests_of(user).len();
        let one_way = format!("{}ms", one_way.as_millis());
        let mut wan = sandbox.command(&["wan", "--count", "--one-way", &one_way, "--"]);
        wan.arg(process::plugin()).arg("--kubeconfig").arg(kubeconfig);
        wan.args(["-n", namespace.name()]).args(command);
        let output = process::run(&mut wan).exits(0);
        let count = |name: &str| {
            let line = output.stderr.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|count| count.parse().ok()).unwrap_or_else(|| panic!("{output}"))
        };
        let mut requests = requests_of(user).split_off(before);
        // Which of two that are sent at once comes first is not the plugin's choice.
        requests.sort();
        Self { requests, round_trips: count("round trips: "), bytes: count("bytes received: ") }
    }
}

/// What was asked for, by verb and address, without the port-forwards: these are logged when they end,
/// which may be long after the command did.
fn requests_of(user: &AuditedUser<'_>) -> Vec<(String, String)> {
    let all = user.requests().into_iter().map(|Request { verb, uri, .. }| (verb, uri));
    all.filter(|(_, uri)| !uri.contains("/portforward?")).collect()
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
