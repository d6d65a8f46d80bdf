//! The tutorial from beginning to end.

use std::thread;

use crate::support::{
    http::Connections,
    namespace::{ISTIO, Namespace, weights},
    proxies::Proxies,
    sandbox::Sandbox,
    traffic::{assert_split, count},
};

const REQUESTS: u32 = 600;

#[test]
fn two_tutorials_at_once_follow_their_weights_and_a_taken_host_is_refused() {
    let sandbox = Sandbox::shared();
    let proxies = Proxies::open(sandbox);
    let namespaces = [Namespace::new(sandbox), Namespace::new(sandbox)];
    thread::scope(|scope| {
        for namespace in &namespaces {
            scope.spawn(|| walk(namespace, &proxies));
        }
    });

    let third = Namespace::new(sandbox);
    let taken = namespaces[0].host();
    let owner = format!("virtualservice/kubia-vs in namespace {}", namespaces[0].name());
    third.kubia(&["deploy", "--host", &taken]).exits(3).says(&[&taken, &owner]);
    assert_nothing_written(&third);
    assert_eq!(weights(&namespaces[0].virtual_service()), [70, 30]);
}

fn walk(namespace: &Namespace<'_>, proxies: &Proxies) {
    namespace.deploy();
    let url = namespace.kubia(&["gateway-url"]).exits(0).stdout;
    namespace.wait_live(proxies, 50, 50);
    let counts = count(url.trim(), &namespace.host(), REQUESTS, Connections::New);
    assert_split(&counts, 50);

    namespace.kubia(&["shift", "--v2", "30"]).exits(0);
    namespace.wait_live(proxies, 70, 30);
    let counts = count(url.trim(), &namespace.host(), REQUESTS, Connections::Kept);
    assert_split(&counts, 30);
}

/// Panics unless the namespace has none of the tutorial's objects.
pub(crate) fn assert_nothing_written(namespace: &Namespace<'_>) {
    for (api, resource) in [
        ("/apis/apps/v1", "deployments"),
        ("/api/v1", "services"),
        (ISTIO, "gateways"),
        (ISTIO, "virtualservices"),
        (ISTIO, "destinationrules"),
    ] {
        let list = namespace.object(api, resource);
        assert_eq!(list["items"].as_array().map(Vec::len), Some(0), "{resource}: {list}");
    }
}
