//! What a shift is refused for, with the word that allows it.

use serde_json::{Value, json};

use crate::support::{
    namespace::{ISTIO, Namespace, weights},
    objects::{split, virtual_service, wide_gateway},
    process::{self, Output},
    proxies::Proxies,
    sandbox::Sandbox,
    wait::{holds, wait_for},
    watch::resource_version,
};

/// Expects a shift of a route with two destinations to be refused, without a write, and to be
/// carried out when the word is said; returns what is said of its proof.
fn refused_until_allowed(
    namespace: &Namespace<'_>,
    [name, share]: [&str; 2],
    reason: &str,
    word: &str,
) -> Output {
    let before = namespace.virtual_service_called(name);
    let shift = ["shift", name, share, "--timeout", "1s"];
    let refused = namespace.kubia(&shift).exits(3);
    assert_eq!(refused.stdout, "", "{refused}");
    let hint = format!("--allow={word}\n");
    let refused = refused.says(&[reason, "; nothing was written", &hint]);
    let after = namespace.virtual_service_called(name);
    assert_eq!(resource_version(&after), resource_version(&before), "{refused}");

    let allow = format!("--allow={word}");
    let allowed = namespace.kubia(&["shift", name, share, &allow, "--proof=none"]).exits(0);
    let warning = format!("Warning: {}", reason.trim_end());
    let allowed = allowed.says(&[&warning, &format!("({word} is allowed)")]);
    assert_eq!(weights(&namespace.virtual_service_called(name)), [70, 30], "{allowed}");
    for proxy in Proxies::open(namespace.sandbox()).iter() {
        wait_for(&format!("{} to run the weights", proxy.pod()), || {
            let found = proxy.weights_of(namespace.name(), name);
            let is_so = found.values().all(|weight| [70, 30].contains(weight));
            holds(is_so && found.len() == 2, || format!("{found:?}"))
        });
    }
    // The same again, which writes nothing, looks whether requests arrive.
    namespace.kubia(&["shift", name, share, "--timeout", "5s"]).exits(0)
}

/// `route` with all weight on v1, and another destination.
fn all_on_v1(other: &Value) -> Value {
    let mut route = split(100, 0);
    route[1]["destination"] = other.clone();
    route
}

/// The tutorial, and the `VirtualService` `other` with this route for a host of its own.
fn deployed_with_other<'a>(route: &Value) -> Namespace<'a> {
    let namespace = Namespace::new(Sandbox::shared());
    namespace.deploy();
    let hosts = [format!("other.{}", namespace.host())];
    let spec = json!({"hosts": hosts, "gateways": ["wide"], "http": [{"route": route}]});
    namespace.apply(&[wide_gateway(&namespace.host()), virtual_service("other", &spec)]);
    namespace
}

#[test]
fn a_route_behind_an_older_one_of_the_same_host_is_refused() {
    let namespace = Namespace::new(Sandbox::shared());
    namespace.deploy();
    let gateways = ["kubia-service-gateway"];
    let spec = json!({"hosts": [namespace.host()], "gateways": gateways, "http": [{"route": split(50, 50)}]});
    namespace.apply(&[virtual_service("later", &spec)]);
    for proxy in Proxies::open(namespace.sandbox()).iter() {
        wait_for("the proxies to have the second route", || {
            let found = proxy.weights_of(namespace.name(), "later");
            holds(found.len() == 2, || format!("{found:?}"))
        });
    }
    let shadow = format!(
        "virtualservice/kubia-vs in namespace {} takes these requests before it does",
        namespace.name()
    );
    let before = namespace.virtual_service_called("later");
    let refused = namespace.kubia(&["shift", "later", "v2=30"]).exits(3);
    let refused = refused.says(&[&shadow, "nothing was written", "--allow=shadowed\n"]);
    let after = namespace.virtual_service_called("later");
    assert_eq!(resource_version(&after), resource_version(&before), "{refused}");
    let allowed = namespace.kubia(&["shift", "later", "v2=30", "--allow=shadowed"]);
    let allowed = allowed.says(&["Warning: ", &shadow, "(shadowed is allowed)"]);
    assert_eq!(weights(&namespace.virtual_service_called("later")), [70, 30], "{allowed}");

    // The one in front is not.
    let output = namespace.kubia(&["shift", "v2=30"]).exits(0);
    assert!(!output.stderr.contains("Warning"), "{output}");
}

#[test]
fn a_subset_that_does_not_exist_is_refused() {
    let route = all_on_v1(&json!({"host": "kubia-service", "subset": "dr-v3"}));
    let namespace = deployed_with_other(&route);
    let reason = "dr-v3: no DestinationRule has subset dr-v3 of kubia-service";
    let allowed = refused_until_allowed(&namespace, ["other", "dr-v3=30"], reason, "missing");
    assert_unproven(&allowed, "no healthy host");
}

#[test]
fn a_service_that_does_not_exist_is_refused() {
    let namespace = deployed_with_other(&all_on_v1(&json!({"host": "nobody"})));
    let reason = "nobody: service/nobody in namespace ";
    let allowed = refused_until_allowed(&namespace, ["other", "nobody=30"], reason, "missing");
    assert_unproven(&allowed, "");
}

#[test]
fn a_version_without_ready_pods_is_refused() {
    let namespace = Namespace::new(Sandbox::shared());
    namespace.deploy();
    namespace.kubia(&["shift", "--v2", "0"]).exits(0);
    namespace.stop_v2();
    let reason = "v2 has no pods";
    let allowed = refused_until_allowed(&namespace, ["kubia-vs", "v2=30"], reason, "no-endpoints");
    assert_unproven(&allowed, "no healthy host");
}

#[test]
fn destination_rules_that_the_server_does_not_tell_are_refused() {
    let namespace = Namespace::new(Sandbox::shared());
    namespace.deploy();
    let path = namespace.path(ISTIO, "destinationrules");
    let control = namespace.sandbox().control();
    let failing =
        json!({"method": "GET", "path": path, "action": "status", "status": 500, "times": 1000});
    let _rule = control.rule(&failing);
    let kubeconfig = namespace.sandbox().proxied_kubeconfig();
    let shift = ["shift", "kubia-vs", "dr-v2=70", "--proof=none"];
    let refused = process::run(&mut namespace.plugin(&kubeconfig, &shift)).exits(3);
    refused.says(&["endpoints of dr-v2 are not known (", "--allow=no-endpoints\n"]);
}

/// Panics unless it is called written, and not proven.
#[track_caller]
fn assert_unproven(output: &Output, reason: &str) {
    let result = output.stdout.lines().next().expect("a result");
    assert!(result.contains(" unchanged (not proven: ") && result.contains(reason), "{output}");
}
