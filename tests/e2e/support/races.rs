//! Races: each write of the plugin is held until a rival has written.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    namespace::{ISTIO, Namespace},
    process::{self, Running},
    watch::{Watch, resource_version},
};

/// JSON pointer of the history.
const HISTORY: &str = "/metadata/annotations/kubectl-kubia~1history";

/// The most entries that a history keeps.
const KEPT: usize = 20;

/// The route that the plugin shifts, and the one that only rivals do.
const CONTESTED: &str = "#1";
const OTHER: &str = "#0";

/// Who writes while the plugin's own write is held, and what.
#[derive(Clone, Copy, Debug)]
enum Rival {
    /// The plugin, for another route: weights there, and the history.
    OtherRoute,
    /// Nothing but the history.
    History,
    /// Somebody with a patch of their own, for the same route.
    Patch,
    /// The plugin, for the same route.
    SameRoute,
}

impl Rival {
    /// Of ten races, four are with another route and two with the history alone.
    fn of(round: u32) -> Self {
        match round % 5 {
            0 | 1 => Self::OtherRoute,
            2 => Self::History,
            3 => Self::Patch,
            _ => Self::SameRoute,
        }
    }
}

/// A state of the object, as far as writes change it.
#[derive(Debug, PartialEq)]
struct State {
    version: String,
    routes: Value,
    history: Vec<Value>,
}

impl State {
    fn of(object: &Value) -> Self {
        Self {
            version: resource_version(object),
            routes: object["spec"]["http"].clone(),
            history: history(object),
        }
    }
}

/// The entries of an object's history, oldest first.
pub(crate) fn history(object: &Value) -> Vec<Value> {
    let Some(annotation) = object.pointer(HISTORY) else { return Vec::new() };
    let text = annotation.as_str().expect("annotations are text");
    let history: Value = serde_json::from_str(text).expect("the history is JSON");
    history["entries"].as_array().expect("a history has entries").clone()
}

/// Lets `shift` lose `rounds` races, then win once.
///
/// Panics unless every loser exits 6 and names what changed, a watch of the object has the
/// acknowledged writes and no others, and the history has the last of them, complete and in order.
pub(crate) fn race(namespace: &Namespace<'_>, rounds: u32) {
    add_route(namespace);
    let watch = Watch::start(namespace, ISTIO, "virtualservices", "kubia-vs");
    let mut acknowledged = Vec::new();
    let mut recorded = Vec::new();
    for round in 0..rounds {
        let before = namespace.virtual_service();
        lose(namespace, round, &before);
        let after = namespace.virtual_service();
        recorded.extend(new_entry(Rival::of(round), &before, &after));
        let kept = recorded.len().saturating_sub(KEPT);
        assert_eq!(history(&after), recorded[kept..], "round {round}: entries were lost");
        acknowledged.push(State::of(&after));
    }
    let arguments = ["shift", "v2=55", "--route", CONTESTED, "--proof=none"];
    let proxied = namespace.sandbox().proxied_kubeconfig();
    process::run(&mut namespace.plugin(&proxied, &arguments)).exits(0);
    let last = namespace.virtual_service();
    acknowledged.push(State::of(&last));
    let seen = watch.until(&resource_version(&last));
    let seen: Vec<_> = seen.iter().map(State::of).collect();
    assert_eq!(seen, acknowledged, "writes seen by the watch, and writes acknowledged");
}

/// Puts a second weighted route before the tutorial's.
fn add_route(namespace: &Namespace<'_>) {
    let mut route = namespace.virtual_service()["spec"]["http"][0].clone();
    route["match"] = json!([{"headers": {"x-beta": {"exact": "1"}}}]);
    patch(namespace, &json!([{"op": "add", "path": "/spec/http/0", "value": route}]));
}

/// One race, won by the rival.
fn lose(namespace: &Namespace<'_>, round: u32, before: &Value) {
    let control = namespace.sandbox().control();
    let rule = control.rule(&hold_patches(namespace));
    let proxied = namespace.sandbox().proxied_kubeconfig();
    // The rivals' shares of v2 lie below the plugin's, so both always change something.
    let (low, high) = (10 + round % 40, 60 + round % 40);
    let share = format!("v2={high}");
    let arguments = ["shift", &share, "--route", CONTESTED, "--proof=none"];
    let held = Running::start(&mut namespace.plugin(&proxied, &arguments));
    rule.wait_held();
    let rival = Rival::of(round);
    match rival {
        Rival::OtherRoute => shift(namespace, OTHER, low),
        Rival::SameRoute => shift(namespace, CONTESTED, low),
        Rival::Patch => patch_weights(namespace, low),
        Rival::History => append(namespace, before),
    }
    rule.release();
    let output = held.wait().exits(6);
    let path = match rival {
        Rival::Patch | Rival::SameRoute => "/spec/http/1/route",
        _ if before["metadata"]["annotations"].is_null() => "/metadata/annotations",
        _ => HISTORY,
    };
    assert_eq!(output.stdout, "", "a loser prints no result: {output}");
    output.says(&[&format!("was changed meanwhile at {path}; nothing was written")]);
}

fn shift(namespace: &Namespace<'_>, route: &str, v2: u32) {
    namespace.kubia(&["shift", &format!("v2={v2}"), "--route", route, "--proof=none"]).exits(0);
}

fn patch_weights(namespace: &Namespace<'_>, v2: u32) {
    patch(
        namespace,
        &json!([
            {"op": "replace", "path": "/spec/http/1/route/0/weight", "value": 100 - v2},
            {"op": "replace", "path": "/spec/http/1/route/1/weight", "value": v2},
        ]),
    );
}

/// Adds an entry to the history, and nothing else.
fn append(namespace: &Namespace<'_>, before: &Value) {
    let mut entries = history(before);
    let mut entry = entries.last().expect("a shift came before").clone();
    entry["revision"] = json!(entry["revision"].as_u64().expect("entries are numbered") + 1);
    entry["reason"] = json!("a note");
    entries.push(entry);
    let kept = entries.len().saturating_sub(KEPT);
    let history = json!({"version": 1, "entries": entries[kept..]}).to_string();
    patch(namespace, &json!([{"op": "replace", "path": HISTORY, "value": history}]));
}

fn patch(namespace: &Namespace<'_>, change: &Value) {
    let path = namespace.path(ISTIO, "virtualservices/kubia-vs");
    let admin = namespace.admin();
    let answer = admin.send_json(Method::PATCH, &path, "application/json-patch+json", change);
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
}

/// The entry that a rival's write added, held against the weights it wrote.
fn new_entry(rival: Rival, before: &Value, after: &Value) -> Option<Value> {
    let route = match rival {
        Rival::OtherRoute => 0,
        Rival::SameRoute => 1,
        Rival::History => return history(after).pop(),
        Rival::Patch => return None,
    };
    let entry = history(after).pop().expect("a shift is recorded");
    let weights = |object: &Value| {
        let route = object["spec"]["http"][route]["route"].as_array().expect("a route").clone();
        route.into_iter().map(|each| each["weight"].clone()).collect::<Value>()
    };
    assert_eq!(entry["routes"][0]["from"], weights(before), "{entry}");
    assert_eq!(entry["routes"][0]["to"], weights(after), "{entry}");
    let last = history(before).pop().map_or(0, |last| last["revision"].as_u64().unwrap_or(0));
    assert_eq!(entry["revision"], last + 1, "{entry}");
    Some(entry)
}

/// The rule that holds one PATCH of a `VirtualService` of this namespace.
fn hold_patches(namespace: &Namespace<'_>) -> Value {
    let path = format!("/namespaces/{}/virtualservices/", namespace.name());
    json!({"method": "PATCH", "path": path, "action": "hold", "times": 1})
}
