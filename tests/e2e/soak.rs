//! `make soak`: what takes longer than a test may. It panics at the first thing that is wrong.

use std::{
    io::{Write, stderr},
    process::Stdio,
};

use crate::support::{
    http::Connections,
    kubeconfig::Kubeconfig,
    namespace::{Namespace, weights},
    process,
    proxies::Proxies,
    races::race,
    relay::Relay,
    sandbox::Sandbox,
    traffic::{assert_split, count},
    wait::{holds, wait_for},
};

const RACES: u32 = 2_000;
const REQUESTS: u32 = 5_000;
const KILLS: u32 = 10;

/// Load, races, a silent server, kills.
pub(crate) fn run() {
    load();
    races();
    silence();
    killed_parts();
    killed_supervisors();
}

/// Many requests at many weights.
fn load() {
    let sandbox = Sandbox::shared();
    let proxies = Proxies::open(sandbox);
    let namespace = Namespace::new(sandbox);
    namespace.deploy();
    let url = namespace.kubia(&["gateway-url"]).exits(0).stdout;
    for v2 in [0, 1, 5, 10, 30, 50, 70, 90, 99, 100] {
        note(&format!("load: {REQUESTS} requests at {v2} %"));
        namespace.kubia(&["shift", "--v2", &v2.to_string()]).exits(0);
        namespace.wait_live(&proxies, 100 - v2, v2);
        let connections = if v2 % 20 == 0 { Connections::New } else { Connections::Kept };
        assert_split(&count(url.trim(), &namespace.host(), REQUESTS, connections), v2);
    }
}

fn races() {
    note(&format!("races: {RACES}"));
    let namespace = Namespace::new(Sandbox::shared());
    namespace.deploy();
    race(&namespace, RACES);
}

/// A connection that stays open and carries nothing any more is noticed long before the deadline,
/// and the command goes on on another one.
fn silence() {
    note("a connection falls silent");
    let sandbox = Sandbox::shared();
    let namespace = Namespace::new(sandbox);
    let direct = Kubeconfig::read(&sandbox.kubia_kubeconfig());
    let relay = Relay::to(direct.server().trim_start_matches("https://"));
    let relayed = direct.with_server(&format!("https://{}", relay.address()));
    let relayed = relayed.write(namespace.folder(), "relayed.kubeconfig");
    // The load balancer of the sandbox's gateway stays pending.
    let wait = ["gateway-url", "--wait", "--timeout=150s", "--request-timeout=10m"];
    let mut command = namespace.plugin(&relayed, &wait);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    wait_for("a connection", || holds(relay.connections().len() == 1, || "none".to_owned()));
    relay.silence();
    wait_for("another connection", || {
        let count = relay.connections().len();
        holds(count == 2, || format!("{count} connections"))
    });
    let status = child.wait().expect("it was started");
    assert_eq!(status.code(), Some(1), "the load balancer is still pending");
}

/// Each part dies and returns; the weights stay, and can be shifted again.
fn killed_parts() {
    let sandbox = Sandbox::for_faults();
    let mut namespace = Namespace::new(&sandbox);
    namespace.deploy();
    let parts = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "istiod"];
    for (round, part) in (1..=KILLS).zip(parts.iter().cycle()) {
        note(&format!("kills: {part}, {round} of {KILLS}"));
        let v2 = 10 + round;
        namespace.kubia(&["shift", "--v2", &v2.to_string()]).exits(0);
        sandbox.control().part(part, "kill");
        sandbox.control().part(part, "restart");
        sandbox.wait_well();
        namespace.reconnect();
        assert_eq!(weights(&namespace.virtual_service()), [u64::from(100 - v2), u64::from(v2)]);
        namespace.deploy();
        namespace.wait_live(&Proxies::open(&sandbox), 100 - v2, v2);
    }
}

/// The whole sandbox dies and starts again.
fn killed_supervisors() {
    for round in 1..=KILLS {
        note(&format!("kills: the supervisor, {round} of {KILLS}"));
        let sandbox = Sandbox::for_faults();
        let supervisor = sandbox.state()["supervisorPid"].to_string();
        process::run(std::process::Command::new("kill").args(["-9", &supervisor])).exits(0);
        wait_for("the sandbox to be gone", || {
            let status = sandbox.program(&["status"]);
            holds(status.code == Some(3), || status.to_string())
        });
    }
}

fn note(text: &str) {
    let _ = writeln!(stderr(), "{text}");
}
