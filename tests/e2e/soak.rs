//! `make soak`: what takes longer than a test may. It panics at the first thing that is wrong.

use std::{
    io::{Write, stderr},
    process::Stdio,
    time::Duration,
};

use crate::support::{
    cost::measure,
    http::Connections,
    kubeconfig::Kubeconfig,
    namespace::{Namespace, weights},
    process,
    proofs::shift_with_late_pushes,
    proxies::Proxies,
    races::race,
    relay::Relay,
    rollout::{Traffic, with_patches, with_plugin},
    sandbox::Sandbox,
    traffic::{assert_split, count},
    wait::{holds, wait_for},
};

const RACES: u32 = 1_000;
const PROOFS: u32 = 300;
const REQUESTS: u32 = 5_000;
const ROLLOUT: Traffic = Traffic { per_second: 500, per_step: 15_000 };
const KILLS: u32 = 10;
const PODS: u32 = 10_000;
const VIRTUAL_SERVICES: u32 = 500;

/// Its parts by name.
const PARTS: [(&str, fn()); 8] = [
    ("load", load),
    ("races", races),
    ("proofs", proofs),
    ("rollouts", rollouts),
    ("crowd", crowd),
    ("silence", silence),
    ("killed-parts", killed_parts),
    ("killed-supervisors", killed_supervisors),
];

/// Runs some parts; all when none is named.
///
/// # Errors
///
/// Names a part that there is not.
pub(crate) fn run(names: &[&str]) -> Result<(), String> {
    let known = |name: &&&str| PARTS.iter().any(|(part, _)| part == *name);
    if let Some(unknown) = names.iter().find(|name| !known(name)) {
        let parts = PARTS.map(|(name, _)| name).join(", ");
        return Err(format!("soak has no part {unknown}, only {parts}"));
    }
    let wanted = PARTS.iter().filter(|(name, _)| names.is_empty() || names.contains(name));
    wanted.for_each(|(_, part)| part());
    Ok(())
}

/// Many requests at many weights.
fn load() {
    let namespace = Namespace::new(Sandbox::shared());
    namespace.deploy();
    let url = namespace.kubia(&["gateway-url"]).exits(0).stdout;
    for v2 in [0, 1, 5, 10, 30, 50, 70, 90, 99, 100] {
        note(&format!("load: {REQUESTS} requests at {v2} %"));
        // It is proven: the very first request follows the weights.
        namespace.kubia(&["shift", "--v2", &v2.to_string(), "--proof=require"]).exits(0);
        let connections = if v2 % 20 == 0 { Connections::New } else { Connections::Kept };
        assert_split(&count(url.trim(), &namespace.host(), REQUESTS, connections), v2);
    }
}

fn races() {
    note(&format!("races: {RACES}"));
    let namespace = Namespace::new(Sandbox::shared());
    namespace.deploy();
    race(&namespace, RACES);
    note("races: every loser exited 6, and no acknowledged write or entry of a history is missing");
}

/// Shifts that every gateway hears of at a time of its own.
fn proofs() {
    note(&format!("proofs: {PROOFS}, each push to each gateway up to 3 s late"));
    let findings = shift_with_late_pushes(&Sandbox::for_faults(), PROOFS);
    note(&format!(
        "proofs: {} proven, {} looks at proxies between decision and end, {} contradict; the proxies \
         disagreed for more than a second in {}",
        findings.proven,
        findings.looks,
        findings.contradictions.len(),
        findings.disagreed
    ));
    findings.assert_true(PROOFS);
    assert!(findings.disagreed >= PROOFS / 3, "{findings:?}");
}

/// Traffic that goes on while it moves to a version that is late.
fn rollouts() {
    let Traffic { per_second, per_step } = ROLLOUT;
    note(&format!("rollouts: {per_second} requests per second, {per_step} at each step"));
    let report = with_plugin(&Namespace::new(Sandbox::shared()), ROLLOUT);
    note(&format!("rollouts: with shift, {report}"));
    assert_eq!(report.tally.failed(), 0, "{report:?}");
    assert!(report.tally.ended >= 4 * per_step && report.refused > 0, "{report:?}");
    let report = with_patches(&Namespace::new(Sandbox::shared()), ROLLOUT);
    note(&format!("rollouts: with kubectl patch, {report}"));
    assert!(report.tally.failed() > 0, "{report:?}");
}

/// What commands cost beside ten thousand pods and five hundred `VirtualServices` of others.
fn crowd() {
    note(&format!("crowd: {PODS} pods and {VIRTUAL_SERVICES} VirtualServices in one namespace"));
    let sandbox = Sandbox::for_faults();
    let costs =
        measure(&Namespace::new(&sandbox), (PODS, VIRTUAL_SERVICES), Duration::from_millis(150));
    costs.assert_equal();
    for (command, alone, crowded) in costs.pairs() {
        let line = format!("{command}: {alone} alone, {crowded} crowded");
        note(&format!("crowd: {line}"));
        // Nothing else runs here that would make answers late, and so seem to depend on each other.
        assert_eq!(crowded.round_trips, alone.round_trips, "{line}");
    }
}

/// A connection that stays open and carries nothing any more is noticed long before the deadline,
/// and the command goes on on another one.
fn silence() {
    note("a connection falls silent");
    let sandbox = Sandbox::shared();
    let namespace = Namespace::new(sandbox);
    let direct = Kubeconfig::read(&sandbox.kubia_kubeconfig());
    let (relay, relayed) = Relay::before(direct, namespace.folder());
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
