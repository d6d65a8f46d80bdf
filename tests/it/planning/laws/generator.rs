//! VirtualServices of every kind that people have: mostly what Istio accepts, for they are sent to a
//! real API server too.

use std::{fs, path::Path};

use proptest::{collection::vec, option, prelude::*, sample::Index, sample::select};
use serde_json::{Value, json};

use super::{
    case::Case,
    command::{Command, asks},
    json::{Json, just, list, merged, object, text_of},
    reading::PROTOCOLS,
};

/// Namespace of the VirtualService that is named, and one of other people.
pub(crate) type Namespaces = [String; 2];

/// Strings that Go escapes in JSON, or that a shell or a terminal minds.
pub(crate) const TEXTS: [&str; 11] = [
    "a<b>&c",
    "line\u{2028}line\u{2029}end",
    "it's \"quoted\" \\ `here`",
    "grüße-世界-🦀",
    "naïve & <café>",
    "$(id) #1 'x'",
    "bell\u{7}esc\u{1b}[2J\u{202e}",
    "tab\there\nnewline",
    "50%% off, really?",
    "all",
    "#1",
];

/// Returns whole cases: VirtualServices, DestinationRules and a command.
pub(crate) fn cases(
    namespaces: &Namespaces,
    rules: BoxedStrategy<Vec<Value>>,
) -> BoxedStrategy<Case> {
    let [own, other] = namespaces;
    let alone = prop_oneof![
        12 => virtual_service(own, "reviews", spec(other)),
        2 => virtual_service(own, "reviews", delegate_spec(other)),
        5 => select(seeds()).prop_flat_map(seed(own, other)),
    ];
    let delegates = (
        option::weighted(0.9, virtual_service(own, "inner", delegate_spec(other))),
        option::weighted(0.9, virtual_service(other, "outer", delegate_spec(other))),
    );
    let delegating = (virtual_service(own, "reviews", delegating_spec(other)), delegates);
    let objects = prop_oneof![
        6 => alone.prop_map(|object| vec![object]),
        1 => delegating.prop_map(|(root, (inner, outer))| {
            std::iter::once(root).chain(inner).chain(outer).collect()
        }),
    ];
    (objects, rules, asks()).prop_map(Case::new).boxed()
}

/// Returns cases made of one of Istio's own VirtualServices.
pub(crate) fn cases_of(
    seed_object: Value,
    [own, other]: &Namespaces,
    rules: Vec<Value>,
) -> BoxedStrategy<Case> {
    let objects = seed(own, other)(seed_object).prop_map(|object| vec![object]);
    (objects, Just(rules), asks()).prop_map(Case::new).boxed()
}

/// Returns a plain case with a string wherever a user can put one, such as one of [`TEXTS`].
pub(crate) fn case_with(text: &str, [own, _]: &Namespaces) -> Case {
    let to = |host: &str, weight: u64| {
        // A header that is sent has no control characters.
        let headers = json!({"request": {"set": {"x-canary": text.replace(char::is_control, "")}}});
        json!({"destination": {"host": host}, "weight": weight, "headers": headers})
    };
    let object = json!({
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"namespace": own, "name": "reviews", "annotations": {"example.com/team": text}},
        "spec": {"hosts": ["web"], "http": [{
            "name": text,
            "match": [{"name": text, "uri": {"prefix": text}, "headers": {"end-user": {"exact": text}}}],
            "route": [to("web", 70), to("v1", 30)],
        }]},
    });
    Case::plain(object, Command { shares: vec![("v1".to_owned(), 2500)], ..Command::default() })
}

/// Reads the VirtualServices of `tests/virtual-services`.
pub(crate) fn seeds() -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/virtual-services");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|ending| ending == "yaml")).collect();
    files.sort();
    let objects = files.iter().flat_map(|file| -> Vec<Value> {
        serde_saphyr::from_multiple(&fs::read_to_string(file).unwrap()).unwrap()
    });
    objects.collect()
}

/// Returns the DestinationRules of both namespaces.
pub(crate) fn rules([own, other]: &Namespaces) -> BoxedStrategy<Vec<Value>> {
    let rule = |namespace: &str, host: &str| {
        let version = text_of(&["v1", "v2", "v3", "2024.1", ""]);
        let subset = |name: &'static str| {
            let labels = object(vec![("version", 90, version.clone()), ("app", 50, just("web"))]);
            object(vec![("name", 100, just(name)), ("labels", 100, labels)])
        };
        let subsets = SUBSETS.map(|name| option::weighted(0.7, subset(name)));
        let subsets = Vec::from(subsets).prop_map(|all| all.into_iter().flatten().collect());
        let name = host.replace(['.', '*'], "-");
        let metadata = json!({"namespace": namespace, "name": name});
        let spec = object(vec![("host", 100, just(host)), ("subsets", 100, subsets.boxed())]);
        let rule = object(vec![("metadata", 100, just(metadata)), ("spec", 100, spec)]);
        option::weighted(0.6, rule)
    };
    let there = format!("web.{other}.svc.cluster.local");
    let all = vec![rule(own, "web"), rule(own, "reviews"), rule(own, &there), rule(other, "web")];
    all.prop_map(|rules| rules.into_iter().flatten().collect()).boxed()
}

const SUBSETS: [&str; 5] = ["v1", "v2", "v3", "dr-v1", "canary"];

fn virtual_service(namespace: &str, name: &'static str, spec: Json) -> Json {
    let versions = ["v1", "v1beta1", "v1alpha3"];
    let versions = versions.map(|version| json!(format!("networking.istio.io/{version}")));
    object(vec![
        ("apiVersion", 100, select(versions.to_vec()).boxed()),
        ("kind", 100, just("VirtualService")),
        ("metadata", 100, metadata(namespace, name)),
        ("spec", 100, spec),
    ])
}

fn metadata(namespace: &str, name: &'static str) -> Json {
    object(vec![
        ("name", 100, just(name)),
        ("namespace", 100, just(namespace)),
        ("labels", 30, just(json!({"app": "reviews"}))),
        ("annotations", 70, annotations()),
        ("x-future", 5, anything()),
    ])
}

fn annotations() -> Json {
    let unreadable = text_of(&["", "{", "7", r#"{"version":2,"entries":[]}"#, r#"{"version":1}"#]);
    object(vec![
        ("example.com/team", 60, text()),
        ("kubectl-kubia/history", 60, prop_oneof![4 => history(), 1 => unreadable].boxed()),
    ])
}

/// A history of changes of other times, which need not fit the object.
fn history() -> Json {
    let route = json!({"route": "#0", "destinations": ["web.shop.svc.cluster.local/v1", "b:80"],
                       "from": [null, 30], "to": [0, 100]});
    let long = ["x".repeat(200), "ü<".repeat(160)].map(Value::from);
    let entry = object(vec![
        ("time", 100, just("2026-11-25T10:00:00Z")),
        ("user", 60, text()),
        ("reason", 70, prop_oneof![text(), select(long.to_vec())].boxed()),
        ("undoOf", 10, just(1)),
        ("ticket", 20, text()),
        ("routes", 100, select(vec![json!([]), json!([route]), json!([route, route])]).boxed()),
    ]);
    let entries = prop_oneof![3 => vec(entry.clone(), 1..4), 1 => vec(entry, 17..=20)];
    let last = prop_oneof![8 => 20..200_u64, 1 => Just(u64::MAX)];
    let annotation = (entries, last).prop_map(|(mut entries, last)| {
        for (entry, age) in entries.iter_mut().rev().zip(0..) {
            entry["revision"] = (last - age).into();
        }
        json!({"version": 1, "entries": entries}).to_string().into()
    });
    annotation.boxed()
}

fn spec(other: &str) -> Json {
    let bindings = [
        json!({"hosts": ["*"], "gateways": ["gateway"]}),
        json!({"hosts": ["example.com", "*.example.com"], "gateways": ["mesh", "infra/gateway"]}),
        json!({"hosts": ["example.com", "web"]}),
    ];
    let routes = object(vec![
        ("http", 85, http_routes(other)),
        ("tls", 22, list(tls_route(other), 2)),
        ("tcp", 22, list(tcp_route(other), 2)),
        ("exportTo", 8, just(json!(["."]))),
        ("x-future", 8, anything()),
    ]);
    merged(select(bindings.to_vec()).boxed(), routes)
}

fn delegate_spec(other: &str) -> Json {
    object(vec![("http", 100, http_routes(other))])
}

fn delegating_spec(other: &str) -> Json {
    let to = [
        json!({"name": "inner"}),
        json!({"name": "inner"}),
        json!({"name": "outer", "namespace": other}),
        json!({"name": "outer", "namespace": other}),
        json!({"name": "reviews"}),
        json!({"name": "gone"}),
    ];
    let delegation = object(vec![
        ("match", 80, list(object(vec![("uri", 100, just(json!({"prefix": "/x"})))]), 2)),
        ("delegate", 100, select(to.to_vec()).boxed()),
    ]);
    let delegations = list(delegation, 2);
    let also_own = (delegations.clone(), http_routes(other)).prop_map(|(mut to, own)| {
        to.as_array_mut().unwrap().extend(own.as_array().cloned().unwrap());
        to
    });
    let http = prop_oneof![3 => delegations, 1 => also_own].boxed();
    let bindings = just(json!({"hosts": ["*"], "gateways": ["gateway"]}));
    merged(bindings, object(vec![("http", 100, http)]))
}

/// One of Istio's own, mostly with one destination more in one of its routes.
fn seed(own: &str, other: &str) -> impl Fn(Value) -> Json + use<> {
    let canary = option::weighted(0.9, (any::<Index>(), destination(other)));
    let rest = virtual_service(own, "reviews", just(json!({})));
    move |seed| {
        let seeded = (rest.clone(), canary.clone()).prop_map(move |(mut object, canary)| {
            object["spec"] = seed["spec"].clone();
            let Some((pick, canary)) = canary else {
                return object;
            };
            let lists = PROTOCOLS.map(|protocol| object["spec"][protocol].is_array());
            let Some(first) = lists.iter().position(|is_there| *is_there) else {
                return object;
            };
            let routes = object["spec"][PROTOCOLS[first]].as_array_mut().unwrap();
            let route = pick.index(routes.len());
            if let Some(destinations) = routes[route]["route"].as_array_mut() {
                destinations.push(canary);
            }
            object
        });
        seeded.boxed()
    }
}

fn http_routes(other: &str) -> Json {
    let routed = object(vec![
        ("name", 40, text()),
        ("match", 45, list(http_match(), 3)),
        ("route", 100, destinations(other)),
        ("mirror", 14, object(vec![("host", 100, host(other)), ("subset", 50, subset())])),
        ("retries", 16, just(json!({"attempts": 3, "perTryTimeout": "2s", "retryOn": "5xx"}))),
        ("timeout", 16, just("7s")),
        ("fault", 8, just(json!({"abort": {"httpStatus": 503, "percentage": {"value": 0.5}}}))),
        ("headers", 10, header_operations()),
        ("x-future", 10, anything()),
    ]);
    let redirect = just(json!({"match": [{"uri": {"exact": "/"}}], "redirect": {"uri": "/home"}}));
    let answer = just(json!({"name": "teapot", "directResponse": {"status": 418}}));
    list(prop_oneof![18 => routed, 1 => redirect, 1 => answer].boxed(), 4)
}

fn http_match() -> Json {
    let strings = ["uri", "method", "authority"].map(|field| (field, 30, string_match()));
    let maps = ["headers", "queryParams"].map(|field| (field, 40, header_matches()));
    let rest = [
        ("name", 15, text()),
        ("withoutHeaders", 8, header_matches()),
        ("port", 12, just(80)),
        ("sourceLabels", 8, just(json!({"app": "web"}))),
    ];
    object(strings.into_iter().chain(maps).chain(rest).collect())
}

fn string_match() -> Json {
    let regex = text_of(&["v[0-9]+.*", "^(.*?;)?(user=<dev>&)(;.*)?$"]);
    object(vec![("exact", 100, text())])
        .prop_union(object(vec![("prefix", 100, text())]))
        .or(object(vec![("regex", 100, regex)]))
        .boxed()
}

fn header_matches() -> Json {
    object(vec![("end-user", 70, string_match()), ("x-canary", 40, string_match())])
}

fn header_operations() -> Json {
    let set = object(vec![("x-canary", 100, text())]);
    object(vec![("request", 100, object(vec![("set", 100, set)]))])
}

fn tls_route(other: &str) -> Json {
    object(vec![
        ("match", 100, just(json!([{"port": 443, "sniHosts": ["example.com"]}]))),
        ("route", 100, destinations(other)),
        ("x-future", 10, anything()),
    ])
}

fn tcp_route(other: &str) -> Json {
    object(vec![
        ("match", 60, just(json!([{"port": 31_400, "sourceLabels": {"app": "web"}}]))),
        ("route", 100, destinations(other)),
        ("x-future", 10, anything()),
    ])
}

fn destinations(other: &str) -> Json {
    let each = destination(other);
    let several = prop_oneof![
        2 => vec(each.clone(), 1),
        9 => vec(each.clone(), 2),
        5 => vec(each.clone(), 3),
        2 => vec(each, 4..=6),
    ];
    several.prop_map(Value::from).boxed()
}

fn destination(other: &str) -> Json {
    let weights = [0, 0, 1, 3, 10, 33, 50, 90, 100, 100, 1000, i32::MAX].map(Value::from);
    let port = just(json!({"number": 8080}));
    let to = object(vec![("host", 100, host(other)), ("subset", 75, subset()), ("port", 20, port)]);
    object(vec![
        ("destination", 100, to),
        ("weight", 82, select(weights.to_vec()).boxed()),
        ("headers", 8, header_operations()),
        ("x-future", 6, anything()),
    ])
}

fn host(other: &str) -> Json {
    let there = format!("web.{other}.svc.cluster.local");
    prop_oneof![
        12 => just("web"),
        3 => just("reviews"),
        3 => just(there),
        2 => just("api.example.com"),
        1 => just("v1"),
    ]
    .boxed()
}

fn subset() -> Json {
    prop_oneof![text_of(&SUBSETS), text_of(&["v1", "v2"])].boxed()
}

/// What no version of Istio knows.
fn anything() -> Json {
    let nested = json!({"deep": [1, 2.5, null, {"a<b": "c\u{2028}"}], "weight": 7, "route": []});
    select(vec![json!("text"), json!(-1), json!(true), json!([]), json!({}), nested]).boxed()
}

/// A word, or one of the strings that need care.
fn text() -> Json {
    prop_oneof![3 => text_of(&["stable", "canary", "jason", "/api/v2"]), 1 => text_of(&TEXTS)]
        .boxed()
}
