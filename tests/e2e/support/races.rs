//! Races: each write of the plugin is held until a rival has written.

use std::process::Stdio;

use serde_json::json;

use super::{
    control::Rule,
    namespace::{ISTIO, Namespace, weights},
    watch::{Watch, resource_version},
};

/// Lets `shift` lose `rounds` races, then win once, and panics unless every loser exits 6 and a
/// watch of the VirtualService has the acknowledged writes and no others.
pub(crate) fn race(namespace: &Namespace<'_>, rounds: u32) {
    let watch = Watch::start(namespace, ISTIO, "virtualservices", "kubia-vs");
    let mut acknowledged = Vec::new();
    for round in 0..rounds {
        // The rival's shares of v2 lie below the plugin's, so both always change something.
        let (rival, plugin) = (10 + round % 40, 60 + round % 40);
        let written = lose(namespace, rival, plugin);
        acknowledged.push((resource_version(&written), weights(&written)));
    }
    let share = "55";
    let proxied = namespace.sandbox().proxied_kubeconfig();
    super::process::run(&mut namespace.plugin(&proxied, &["shift", "--v2", share])).exits(0);
    let last = namespace.virtual_service();
    assert_eq!(weights(&last), [45, 55]);
    acknowledged.push((resource_version(&last), weights(&last)));

    let seen: Vec<_> = watch
        .until(&resource_version(&last))
        .iter()
        .map(|object| (resource_version(object), weights(object)))
        .collect();
    assert_eq!(seen, acknowledged, "writes seen by the watch, and writes acknowledged");
}

/// One race: returns the object as acknowledged to the rival.
fn lose(namespace: &Namespace<'_>, rival: u32, plugin: u32) -> serde_json::Value {
    let control = namespace.sandbox().control();
    let rule = control.rule(&hold_patches(namespace));
    let proxied = namespace.sandbox().proxied_kubeconfig();
    let child = namespace
        .plugin(&proxied, &["shift", "--v2", &plugin.to_string()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the plugin starts");
    let written = while_held(&rule, || namespace.write_weights(100 - rival, rival));
    let output = child.wait_with_output().expect("the plugin ends");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(6), "rival {rival}, plugin {plugin}: {stderr}");
    assert!(output.stdout.is_empty(), "a loser prints no result");
    written
}

/// The rule that holds every PATCH of a `VirtualService` of this namespace.
pub(crate) fn hold_patches(namespace: &Namespace<'_>) -> serde_json::Value {
    let path = format!("/namespaces/{}/virtualservices/", namespace.name());
    json!({"method": "PATCH", "path": path, "action": "hold", "times": 1})
}

fn while_held<T>(rule: &Rule<'_>, act: impl FnOnce() -> T) -> T {
    rule.wait_held();
    let result = act();
    rule.release();
    result
}
