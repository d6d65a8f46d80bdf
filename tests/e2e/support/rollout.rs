//! A new version that takes its time to become ready, and requests that go on meanwhile.

use std::fmt;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    load::{Load, Tally},
    namespace::Namespace,
    process::Output,
    proxies::Proxies,
    wait::wait_for,
};

/// How much traffic there is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traffic {
    pub(crate) per_second: u32,
    /// Requests to wait for at each step.
    pub(crate) per_step: u32,
}

/// What a rollout was like.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) tally: Tally,
    /// Requests that ended per second.
    pub(crate) rate: f64,
    /// How often a shift was refused.
    pub(crate) refused: u32,
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tally, rate, refused } = self;
        let (ended, failed) = (tally.ended, tally.failed());
        write!(formatter, "{failed} of {ended} requests failed at {rate:.0} per second, ")?;
        write!(formatter, "answers {:?}, refused {refused} times", tally.answers)
    }
}

/// Moves traffic to a v2 that becomes ready 5 s late, with the plugin: 0, 30, 100 %, and back.
pub(crate) fn with_plugin(namespace: &Namespace<'_>, traffic: Traffic) -> Report {
    let load = prepare(namespace, traffic);
    start_v2(namespace);
    let refused = shift_when_ready(namespace);
    load.wait_more(traffic.per_step);
    namespace.kubia(&["shift", "--v2", "100"]).exits(0);
    load.wait_more(traffic.per_step);
    namespace.kubia(&["undo"]).exits(0);
    load.wait_more(traffic.per_step);
    let (tally, rate) = load.end();
    Report { tally, rate, refused }
}

/// The same as people do it who do not look: the weights are patched as soon as v2 was started.
pub(crate) fn with_patches(namespace: &Namespace<'_>, traffic: Traffic) -> Report {
    let load = prepare(namespace, traffic);
    start_v2(namespace);
    for v2 in [30, 100, 30] {
        let weight = |index: u32, value: u32| {
            let path = format!("/spec/http/0/route/{index}/weight");
            json!({"op": "replace", "path": path, "value": value})
        };
        let patch = json!([weight(0, 100 - v2), weight(1, v2)]).to_string();
        namespace
            .kubectl(&["patch", "virtualservice", "kubia-vs", "--type=json", "-p", &patch])
            .exits(0);
        load.wait_more(traffic.per_step);
    }
    let (tally, rate) = load.end();
    Report { tally, rate, refused: 0 }
}

/// The tutorial without a pod of v2 and without traffic for it, and requests for v1.
fn prepare(namespace: &Namespace<'_>, traffic: Traffic) -> Load {
    namespace.deploy();
    namespace.kubia(&["shift", "--v2", "0"]).exits(0);
    namespace.wait_live(&Proxies::open(namespace.sandbox()), 100, 0);
    let late = json!({"sandbox/ready-after-seconds": "5"});
    let template = json!({"metadata": {"annotations": late}});
    namespace.stop_v2();
    change_v2(namespace, &json!({"spec": {"template": template}}));
    let address = namespace.kubia(&["gateway-url"]).exits(0).stdout;
    let load = Load::start(address.trim(), &namespace.host(), traffic.per_second);
    load.wait_more(traffic.per_step);
    load
}

fn start_v2(namespace: &Namespace<'_>) {
    change_v2(namespace, &json!({"spec": {"replicas": 1}}));
}

fn change_v2(namespace: &Namespace<'_>, change: &Value) {
    let path = namespace.path("/apis/apps/v1", "deployments/kubia-server-v2");
    let kind = "application/merge-patch+json";
    let answer = namespace.admin().send_json(Method::PATCH, &path, kind, change);
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
}

/// Repeats a refused shift to 30 % as a person would, and returns how often it was refused.
fn shift_when_ready(namespace: &Namespace<'_>) -> u32 {
    let mut refused = 0;
    wait_for("the shift to be accepted", || {
        let output = namespace.kubia(&["shift", "--v2", "30"]);
        if output.code == Some(0) {
            return Ok(());
        }
        assert_refused(&output);
        refused += 1;
        Err(output.to_string())
    });
    refused
}

fn assert_refused(output: &Output) {
    assert_eq!(output.code, Some(3), "{output}");
    assert!(output.stderr.contains("--allow=no-endpoints"), "{output}");
}
