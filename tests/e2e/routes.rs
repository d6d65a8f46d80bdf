//! Routes of every kind: delegates, several at once, decimals, and the way back.

use serde_json::{Value, json};

use crate::support::{
    namespace::{ISTIO, Namespace, weights},
    objects::{split, virtual_service, wide_gateway},
    proofs::assert_proven,
    proxies::Proxies,
    races::history,
    sandbox::Sandbox,
    watch::resource_version,
};

/// The tutorial, and a route of its own for `leaf` that VirtualServices of two other hosts delegate to.
fn deployed_with_delegate<'a>(roots: &[&str]) -> Namespace<'a> {
    let namespace = Namespace::new(Sandbox::shared());
    namespace.deploy();
    let leaf = json!({"http": [{"route": split(50, 50)}]});
    let mut objects = vec![wide_gateway(&namespace.host()), virtual_service("leaf", &leaf)];
    for root in roots {
        let delegating = json!({
            "match": [{"uri": {"prefix": "/"}}],
            "delegate": {"name": "leaf"},
        });
        let spec = json!({
            "hosts": [format!("{root}.{}", namespace.host())],
            "gateways": ["wide"],
            "http": [delegating],
        });
        objects.push(virtual_service(root, &spec));
    }
    namespace.apply(&objects);
    namespace
}

#[test]
fn a_shift_of_a_root_writes_the_delegate_and_is_proven_wherever_it_runs() {
    let namespace = deployed_with_delegate(&["one", "two"]);
    let root = namespace.virtual_service_called("one");
    let output = namespace.kubia(&["shift", "one", "v2=30", "--reason", "canary"]).exits(0);
    assert_proven(&output, "leaf patched");
    let leaf = namespace.virtual_service_called("leaf");
    assert_eq!(weights(&leaf), [70, 30]);
    assert_eq!(history(&leaf).len(), 1, "{leaf}");
    let after = namespace.virtual_service_called("one");
    assert_eq!(resource_version(&after), resource_version(&root));
    for proxy in Proxies::open(namespace.sandbox()).iter() {
        for root in ["one", "two"] {
            let live = proxy.weights_of(namespace.name(), root);
            assert_eq!(live, [("dr-v1".to_owned(), 70), ("dr-v2".to_owned(), 30)].into());
        }
    }

    let output = namespace.kubia(&["undo", "one"]).exits(0);
    assert_proven(&output, "leaf patched");
    assert_eq!(weights(&namespace.virtual_service_called("leaf")), [50, 50]);
    let entries = namespace.kubia(&["history", "one", "-o", "json"]).exits(0).json();
    let shown: Vec<_> = entries["entries"].as_array().expect("entries").iter().map(shown).collect();
    let expected = [(json!(2), json!(1), json!(null)), (json!(1), json!(null), json!("canary"))];
    assert_eq!(shown, expected, "{entries}");
    assert_eq!(entries["name"], "leaf");
}

/// Revision, the one it took back, and why.
fn shown(entry: &Value) -> (Value, Value, Value) {
    (entry["revision"].clone(), entry["undoOf"].clone(), entry["reason"].clone())
}

#[test]
fn a_route_that_two_gateways_of_one_host_serve_is_proven() {
    let namespace = Namespace::new(Sandbox::shared());
    namespace.deploy();
    let mut second = wide_gateway(&namespace.host());
    second["metadata"]["name"] = json!("second");
    let pinned = json!({"match": [{"uri": {"prefix": "/v2"}}], "route": split(0, 100)});
    let spec = json!({
        "hosts": [format!("both.{}", namespace.host())],
        "gateways": ["wide", "second"],
        "http": [pinned, {"route": split(50, 50)}],
    });
    let objects = [wide_gateway(&namespace.host()), second, virtual_service("both", &spec)];
    namespace.apply(&objects);
    let output = namespace.kubia(&["shift", "both", "v2=30", "--route", "#1"]).exits(0);
    assert_proven(&output, "both patched");
    for proxy in Proxies::open(namespace.sandbox()).iter() {
        let dump = proxy.get("/config_dump?resource=dynamic_route_configs");
        let owner = format!("/namespaces/{}/virtual-service/both\"", namespace.name());
        assert_eq!(dump.matches(&owner).count(), 4, "istiod joins the routes of both: {dump}");
    }
}

#[test]
fn a_delegate_that_nobody_delegates_to_is_never_proven() {
    let namespace = deployed_with_delegate(&[]);
    let output = namespace.kubia(&["shift", "leaf", "v2=30"]).exits(0);
    let doubt = "patched (not proven: no VirtualService delegates to virtualservice/leaf";
    assert!(output.stdout.contains(doubt), "{output}");
}

#[test]
fn all_weighted_routes_change_in_one_write_and_return_in_another() {
    let namespace = Namespace::new(Sandbox::shared());
    namespace.deploy();
    put_first(&namespace, "beta", [20, 80]);
    let before = namespace.virtual_service();
    namespace.kubia(&["shift", "v2=30"]).exits(3).says(&["--route '#0'", "--route '#1'"]);
    assert_eq!(resource_version(&namespace.virtual_service()), resource_version(&before));

    let output = namespace.kubia(&["shift", "v2=30", "--route", "all"]).exits(0);
    assert_proven(&output, "kubia-vs patched");
    let after = namespace.virtual_service();
    assert_eq!(both(&after), [[70, 30], [70, 30]]);
    let [entry] = &history(&after)[..] else { panic!("{after}") };
    assert_eq!(entry["routes"].as_array().map(Vec::len), Some(2), "{entry}");

    let output = namespace.kubia(&["shift", "v2=40", "--route", "beta"]).exits(0);
    assert_proven(&output, "kubia-vs patched");
    assert_eq!(both(&namespace.virtual_service()), [[60, 40], [70, 30]]);
    let output = namespace.kubia(&["undo"]).exits(0);
    assert_proven(&output, "kubia-vs patched");
    let output = namespace.kubia(&["undo", "--to-revision", "2"]).exits(0);
    assert_proven(&output, "kubia-vs patched");
    assert_eq!(both(&namespace.virtual_service()), [[60, 40], [70, 30]]);

    let output = namespace.kubia(&["shift", "v2=10", "--route", "#1"]).exits(0);
    output.says(&["untouched: #0 (beta): v1 60, v2 40\n"]);
    let output = namespace.kubia(&["undo", "--to-revision", "1"]).exits(0);
    assert_proven(&output, "kubia-vs patched");
    assert_eq!(both(&namespace.virtual_service()), [[70, 30], [70, 30]]);
    let output = namespace.kubia(&["undo", "--to-revision", "0"]).exits(0);
    assert_proven(&output, "kubia-vs patched");
    assert_eq!(both(&namespace.virtual_service()), [[20, 80], [50, 50]]);
}

#[test]
fn a_route_is_undone_where_it_stands_now_not_where_it_stood() {
    let namespace = Namespace::new(Sandbox::shared());
    namespace.deploy();
    namespace.kubia(&["shift", "v2=30"]).exits(0);
    put_first(&namespace, "", [70, 30]);
    let output = namespace.kubia(&["undo"]).exits(0);
    assert_proven(&output, "kubia-vs patched");
    assert_eq!(both(&namespace.virtual_service()), [[70, 30], [50, 50]]);
}

/// Puts a route to the same destinations before the one there is, as somebody else would.
fn put_first(namespace: &Namespace<'_>, name: &str, weights: [u64; 2]) {
    let mut route = namespace.virtual_service()["spec"]["http"][0].clone();
    route["name"] = json!(name);
    route["match"] = json!([{"headers": {"x-beta": {"exact": "1"}}}]);
    for (index, weight) in weights.into_iter().enumerate() {
        route["route"][index]["weight"] = json!(weight);
    }
    let patch = json!([{"op": "add", "path": "/spec/http/0", "value": route}]).to_string();
    let arguments = ["patch", "virtualservice", "kubia-vs", "--type=json", "-p", &patch];
    namespace.kubectl(&arguments).exits(0);
}

/// The weights of both routes.
fn both(virtual_service: &Value) -> [Vec<u64>; 2] {
    [0, 1].map(|index| {
        let route = virtual_service["spec"]["http"][index].clone();
        weights(&json!({"spec": {"http": [route]}}))
    })
}

#[test]
fn decimals_are_live_and_undone_exactly() {
    let namespace = Namespace::new(Sandbox::shared());
    namespace.deploy();
    let output = namespace.kubia(&["shift", "v2=0.5"]).exits(0);
    assert_proven(&output, "kubia-vs patched");
    assert_eq!(weights(&namespace.virtual_service()), [995, 5]);
    let output = namespace.kubia(&["shift", "v2=0.5%"]).exits(0);
    assert_proven(&output, "kubia-vs unchanged");
    let output = namespace.kubia(&["undo"]).exits(0);
    assert_proven(&output, "kubia-vs patched");
    assert_eq!(weights(&namespace.virtual_service()), [50, 50]);
    let output = namespace.kubia(&["undo"]).exits(0);
    assert_proven(&output, "kubia-vs patched");
    assert_eq!(weights(&namespace.virtual_service()), [995, 5]);
}

#[test]
fn from_is_compared_with_what_there_is() {
    let namespace = Namespace::new(Sandbox::shared());
    namespace.deploy();
    let before = namespace.virtual_service();
    let refused = namespace.kubia(&["shift", "v2=30", "--from", "v2=5"]).exits(6);
    refused.says(&["v2 has 50 %, not 5 %; nothing was written"]);
    assert_eq!(resource_version(&namespace.virtual_service()), resource_version(&before));
    let output = namespace.kubia(&["shift", "v2=30", "--from", "v2=50"]).exits(0);
    assert_proven(&output, "kubia-vs patched");
}

#[test]
fn weights_that_somebody_edited_since_are_not_undone_unless_that_is_allowed() {
    let namespace = Namespace::new(Sandbox::shared());
    namespace.deploy();
    namespace.kubia(&["undo"]).exits(3).says(&["has no recorded change of weights"]);
    namespace.kubia(&["shift", "v2=30"]).exits(0);
    namespace.write_weights(90, 10);
    let edited = "recorded 70/30, live 90/10, wanted 50/50";
    namespace.kubia(&["undo"]).exits(3).says(&[edited, "--allow=edited\n"]);
    assert_eq!(weights(&namespace.virtual_service()), [90, 10]);
    let output = namespace.kubia(&["undo", "--allow=edited"]).exits(0);
    assert_proven(&output, "kubia-vs patched");
    assert_eq!(weights(&namespace.virtual_service()), [50, 50]);
}

#[test]
fn a_history_that_cannot_be_read_is_never_overwritten() {
    let namespace = Namespace::new(Sandbox::shared());
    namespace.deploy();
    let annotate = ["annotate", "virtualservice", "kubia-vs", "kubectl-kubia/history=mine"];
    namespace.kubectl(&annotate).exits(0);
    let refused = namespace.kubia(&["shift", "v2=30"]).exits(3);
    refused.says(&["cannot be read", "--allow=unrecorded\n"]);
    namespace.kubia(&["shift", "v2=30", "--allow=unrecorded"]).exits(0);
    let after = namespace.object(ISTIO, "virtualservices/kubia-vs");
    assert_eq!(weights(&after), [70, 30]);
    assert_eq!(after["metadata"]["annotations"]["kubectl-kubia/history"], "mine");
}

#[test]
fn a_route_for_one_of_two_gateways_is_proven_on_the_pods_of_that_one() {
    let namespace = Namespace::new(Sandbox::shared());
    namespace.deploy();
    let host = format!("both.{}", namespace.host());
    let mut elsewhere = wide_gateway(&namespace.host());
    elsewhere["metadata"]["name"] = json!("elsewhere");
    elsewhere["spec"]["selector"] = json!({"istio": "ingress"});
    elsewhere["spec"]["servers"][0]["port"]["number"] = json!(80);
    let route = |path: &str, gateways: &[&str]| json!({"match": [{"uri": {"prefix": path}, "gateways": gateways}], "route": split(50, 50)});
    let spec = json!({
        "hosts": [host],
        "gateways": ["wide", "elsewhere"],
        "http": [
            route("/one", &["wide"]),
            route("/both", &["wide", "elsewhere"]),
            route("/no", &["other"]),
            {"match": [{"gateways": ["elsewhere"]}], "route": split(50, 50)},
            // At the other gateway all requests are taken before.
            {"route": split(50, 50)},
        ],
    });
    let objects = [wide_gateway(&namespace.host()), elsewhere, virtual_service("both", &spec)];
    namespace.apply(&objects);

    let shift = |route: &str| {
        let arguments = ["shift", "both", "v2=30", "--route", route, "--proof=require"];
        namespace.kubia(&arguments)
    };
    assert_proven(&shift("#0").exits(0), "both patched");
    assert_proven(&shift("#4").exits(0), "both patched");
    let output = shift("#1").exits(0);
    assert!(output.stdout.contains("gateway proxies 3/3 live\n"), "{output}");
    shift("#2").exits(3).says(&["no gateway serves route #2 of"]);

    let status = namespace.kubia(&["status", "both", "-o", "json"]).exits(0).json();
    let routes = status["routes"].as_array().expect("status has routes").iter();
    let shown: Vec<_> = routes.map(|route| route["proxies"].as_array().map(Vec::len)).collect();
    assert_eq!(shown, [Some(2), Some(3), Some(0), Some(1), Some(2)], "{status:#}");
}
