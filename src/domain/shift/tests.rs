//! What a shift is refused for, in its words, and what it becomes otherwise.

use serde_json::{Value, json};

use super::*;

/// A destination `HOST` or `HOST/SUBSET`, with its weight unless that is omitted.
fn to(place: &str, weight: Option<u64>) -> Value {
    let (host, subset) = place.split_once('/').map_or((place, None), |(a, b)| (a, Some(b)));
    let mut destination = json!({"destination": {"host": host}});
    if let Some(subset) = subset {
        destination["destination"]["subset"] = subset.into();
    }
    if let Some(weight) = weight {
        destination["weight"] = weight.into();
    }
    destination
}

fn route(name: &str, weights: [u64; 2]) -> Value {
    let to = ["web/a", "web/b"].into_iter().zip(weights);
    let to: Vec<_> = to.map(|(place, weight)| self::to(place, Some(weight))).collect();
    json!({"name": name, "route": to})
}

/// `reviews` in namespace `shop`. Of host `web`, subset `a` is version v1 and `b` is v2.
fn snapshot(spec: &Value) -> Snapshot {
    let metadata = json!({"namespace": "shop", "name": "reviews"});
    let subset = |name: &str, version: &str| Subset {
        host: "web.shop.svc.cluster.local".to_owned(),
        name: name.to_owned(),
        labels: [("version".to_owned(), version.to_owned())].into(),
        ..Subset::default()
    };
    Snapshot {
        named: VirtualService::new(json!({"metadata": metadata, "spec": spec})),
        delegates: vec![],
        subsets: vec![subset("a", "v1"), subset("b", "v2")],
        subsets_unread: None,
    }
}

/// The words of a command: `v2=30 --from v2=10 --route #1`.
fn wanted(command: &str) -> Wanted {
    let mut wanted = Wanted::default();
    let share = |text: &str| {
        let (version, share) = text.rsplit_once('=').unwrap();
        (version.to_owned(), share.parse().unwrap())
    };
    let mut words = command.split(' ');
    while let Some(word) = words.next() {
        match word {
            "--from" => wanted.from.push(share(words.next().unwrap())),
            "--route" => {
                wanted.route = match words.next().unwrap() {
                    "all" => RouteChoice::All,
                    name => RouteChoice::Called(name.to_owned()),
                }
            }
            word => wanted.shares.push(share(word)),
        }
    }
    wanted
}

/// The new weights of each route, or the words of the refusal.
fn outcome(snapshot: &Snapshot, command: &str) -> String {
    let shift = match plan(snapshot, &wanted(command)) {
        Ok(shift) => shift,
        Err(error) => return error.to_string(),
    };
    let weight = |weight: &Option<u64>| weight.map_or("-".to_owned(), |weight| weight.to_string());
    let routes = shift.routes.iter().map(|each| {
        let after: Vec<_> = each.after.iter().map(weight).collect();
        format!("{} {}", each.route.id, after.join("/"))
    });
    routes.collect::<Vec<_>>().join(", ")
}

#[track_caller]
fn check(routes: &Value, command: &str, expected: &str) {
    let object = "virtualservice/reviews in namespace shop";
    let expected = expected.replace("OBJECT", object);
    assert_eq!(outcome(&snapshot(&json!({"http": routes})), command), expected, "{command}");
}

#[test]
fn the_only_weighted_route_is_meant() {
    let pinned = json!({"match": [{"headers": {"end-user": {"exact": "jason"}}}],
                        "route": [to("web/b", None)]});
    let routes = json!([pinned, {"redirect": {}}, route("main", [90, 10])]);
    check(&routes, "v2=30", "#2 70/30");
    check(&routes, "v2=0.5", "#2 995/5");
    check(&routes, "b=30", "#2 70/30");
    check(&routes, "web/b=30", "#2 70/30");
    check(&routes, "#1=30 --route main", "#2 70/30");
}

#[test]
fn a_weight_that_is_omitted_stays_omitted_where_it_is_0() {
    let routes = json!([{"route": [to("web/a", Some(100)), to("web/b", None), to("c", None)]}]);
    check(&routes, "v2=30 c=0", "#0 70/30/-");
    check(&routes, "v1=100", "#0 100/-/-");
}

#[test]
fn what_is_right_already_keeps_its_weights() {
    check(&json!([route("", [7, 3])]), "v2=30", "#0 7/3");
}

#[test]
fn routes_of_connections_are_planned_like_any_other() {
    let spec = json!({"tcp": [route("", [90, 10])], "tls": [route("", [50, 50])]});
    assert_eq!(outcome(&snapshot(&spec), "v2=30 --route tcp#0"), "tcp#0 70/30");
    assert_eq!(outcome(&snapshot(&spec), "v2=30 --route all"), "tls#0 70/30, tcp#0 70/30");
}

#[test]
fn without_a_weighted_route_nothing_can_be_shifted() {
    let words = "OBJECT has no route with more than one destination";
    check(&json!([]), "v2=30", words);
    check(&json!([{"route": [to("web/b", Some(100))]}]), "v2=100", words);
}

#[test]
fn which_of_several_routes_is_meant_has_to_be_said() {
    let routes = json!([route("beta", [50, 50]), route("", [90, 10])]);
    check(
        &routes,
        "v2=30",
        "OBJECT has 2 routes that can be meant: #0 (beta): v1 50, v2 50; #1: v1 90, v2 10",
    );
    check(&routes, "v2=30 --route #1", "#1 70/30");
    check(&routes, "v2=30 --route beta", "#0 70/30");
    check(&routes, "v2=30 --route all", "#0 70/30, #1 70/30");
    check(
        &routes,
        "v2=30 --route gamma",
        "OBJECT has no weighted route gamma; it has #0 (beta), #1",
    );
    check(
        &routes,
        "v2=30 --route tcp#0",
        "OBJECT has no weighted route tcp#0; it has #0 (beta), #1",
    );
}

#[test]
fn a_route_without_the_versions_is_not_meant() {
    let other = json!({"route": [to("web/a", Some(50)), to("api", Some(50))]});
    let routes = json!([route("", [90, 10]), other]);
    check(&routes, "v2=30", "#0 70/30");
    check(&routes, "api=30", "#1 70/30");
    check(&routes, "v2=30 api=30", "OBJECT has no route to version api; it has api, v1, v2");
    check(&routes, "v2=30 --route #1", "OBJECT has no route to version v2; it has v1, api");
    check(&routes, "v3=30", "OBJECT has no route to version v3; it has api, v1, v2");
}

#[test]
fn labels_that_could_not_be_read_are_named_when_a_version_is_unknown() {
    let read = snapshot(&json!({"http": [route("", [90, 10])]}));
    let unread = Some(Unread::Denied("needs list destinationrules".to_owned()));
    let snapshot = Snapshot { subsets: vec![], subsets_unread: unread, ..read };
    for asked in ["v2=30", "v2=30 --route #0"] {
        assert_eq!(
            outcome(&snapshot, asked),
            "virtualservice/reviews in namespace shop has no route to version v2; it has a, b; not \
             checked: labels of subsets (needs list destinationrules)"
        );
    }
}

#[test]
fn a_version_of_several_destinations_is_ambiguous() {
    let routes = json!([{"route": [to("web/a", Some(50)), to("web/a", Some(50))]}]);
    check(&routes, "v1=30", "version v1 means several destinations of OBJECT");
    check(&routes, "#1=30", "#0 70/30");
    let names = |routes: Value| match plan(&snapshot(&json!({"http": routes})), &wanted("web=30")) {
        Err(ShiftError::AmbiguousVersion { names, route, .. }) => (names, route),
        other => panic!("{other:?}"),
    };
    let main = route("main", [90, 10]);
    assert_eq!(names(json!([main])), (vec!["v1".to_owned(), "v2".to_owned()], None));
    // Another route has versions of these names, or could have.
    let other = json!({"route": [to("api/a", None), to("api/b", None)]});
    assert_eq!(names(json!([other, main])).1.as_deref(), Some("--route '#1'"));
}

#[test]
fn a_destination_is_named_once() {
    let routes = json!([route("", [90, 10])]);
    check(&routes, "v2=30 b=40", "v2 and b are the same destination of OBJECT");
    check(&routes, "v2=30 v2=30", "v2 and v2 are the same destination of OBJECT");
}

#[test]
fn shares_that_are_not_as_said_are_a_conflict() {
    let routes = json!([route("", [90, 10])]);
    check(&routes, "v2=30 --from v2=10", "#0 70/30");
    check(&routes, "v2=30 --from v1=90 --from v2=10", "#0 70/30");
    check(&routes, "v2=30 --from v2=5", "OBJECT: v2 has 10 %, not 5 %; nothing was written");
}

#[test]
fn shares_have_to_make_a_whole() {
    let routes = json!([route("", [90, 10])]);
    let sum = |sum: &str| format!("OBJECT: the shares asked for sum to {sum} %, not to 100 %");
    check(&routes, "v1=30 v2=30", &sum("60"));
    check(&routes, "v1=80.5 v2=30", &sum("110.5"));
    let thirds = json!([{"route": [to("web/a", Some(100)), to("web/b", None), to("c", None)]}]);
    let words = "several other destinations have weight 0, so nothing says how to divide the rest";
    check(&thirds, "v1=40", &format!("OBJECT: {words}"));
}

#[test]
fn a_delegate_is_written_where_its_routes_stand() {
    let delegating = json!({"hosts": ["*"], "http": [{"delegate": {"name": "inner"}}]});
    let mut snapshot = snapshot(&delegating);
    let delegate = |name: &str, routes: Value| {
        let metadata = json!({"namespace": "shop", "name": name});
        VirtualService::new(json!({"metadata": metadata, "spec": {"http": routes}}))
    };
    snapshot.delegates = vec![delegate("inner", json!([route("", [90, 10])]))];
    let shift = plan(&snapshot, &wanted("v2=30")).unwrap();
    assert_eq!(shift.virtual_service.object.name, "inner");

    snapshot.delegates.push(delegate("outer", json!([route("", [50, 50])])));
    for command in ["v2=30", "v2=30 --route all"] {
        let error = plan(&snapshot, &wanted(command)).unwrap_err();
        let ShiftError::SeveralRoutes { routes, arguments, .. } = error else {
            panic!("{error:?}")
        };
        assert_eq!(
            routes,
            [
                "virtualservice/inner in namespace shop #0: v1 90, v2 10",
                "virtualservice/outer in namespace shop #0: v1 50, v2 50",
            ]
        );
        assert_eq!(arguments, ["inner -n shop --route '#0'", "outer -n shop --route '#0'"]);
    }
}

#[test]
fn the_latest_recorded_change_is_that_of_the_root_or_of_a_delegate() {
    let recorded = |name: &str, time: Option<&str>| {
        let metadata = json!({"namespace": "shop", "name": name});
        let mut object = json!({"metadata": metadata, "spec": {}});
        if let Some(time) = time {
            let entry = json!({"revision": 1, "time": time, "routes": []});
            let annotation = json!({"version": 1, "entries": [entry]}).to_string();
            object["metadata"]["annotations"] = json!({history::ANNOTATION: annotation});
        }
        VirtualService::new(object)
    };
    let check = |root: Option<&str>, delegate: Option<&str>, expected: &str| {
        let mut snapshot = snapshot(&json!({}));
        snapshot.named = recorded("root", root);
        snapshot.delegates = vec![recorded("other", None), recorded("delegate", delegate)];
        let (changed, _) = snapshot.last_changed().unwrap();
        assert_eq!(changed.object.name, expected);
    };
    let (early, late) = (Some("2026-11-25T10:00:00Z"), Some("2026-11-25T11:00:00Z"));
    check(None, None, "root");
    check(early, None, "root");
    check(None, early, "delegate");
    check(early, late, "delegate");
    check(late, early, "root");
}

#[test]
fn what_is_refused_is_said_on_one_line_without_hidden_characters() {
    let routes = json!([route("\u{1b}[2J", [1, 1]), route("a\nb\u{202e}", [1, 1])]);
    check(
        &routes,
        "v2=30",
        "OBJECT has 2 routes that can be meant: #0 (^[[2J): v1 50, v2 50; #1 (a\\nb\\u{202e}): \
         v1 50, v2 50",
    );
}

#[test]
fn what_stays_as_it_is_and_what_rises_is_known() {
    let routes = json!([route("beta", [50, 50]), route("", [90, 10])]);
    let shift = plan(&snapshot(&json!({"http": routes})), &wanted("v2=30 --route #1")).unwrap();
    let [beta] = shift.untouched.as_slice() else { panic!("{:?}", shift.untouched) };
    assert_eq!((beta.route.title().as_str(), beta.is_unchanged()), ("#0 (beta)", true));
    assert_eq!(shift.rising().map(|(version, _)| version).collect::<Vec<_>>(), ["v2"]);
}

#[test]
fn what_became_of_a_write_is_told_by_the_weights() {
    let read = snapshot(&json!({"http": [route("", [90, 10])]}));
    let shift = plan(&read, &wanted("v2=30")).unwrap();
    let now = |routes: &[Value]| snapshot(&json!({"http": routes})).named.json;
    let other = now(&[route("", [1, 1])]);
    assert_eq!(shift.aftermath(&read.named.json).0, Aftermath::NotWritten);
    assert_eq!(
        shift.aftermath(&shift.applied().json),
        (Aftermath::Written, "v1 70, v2 30".to_owned())
    );
    assert_eq!(shift.aftermath(&other), (Aftermath::Other, "v1 50, v2 50".to_owned()));
    let gone = (Aftermath::Other, "#0 is gone or leads elsewhere".to_owned());
    assert_eq!(shift.aftermath(&Value::Null), gone);
    // Another route in its place is not it, and in another place it still is.
    let beta = route("beta", [50, 50]);
    assert_eq!(shift.aftermath(&now(&[beta.clone()])), gone);
    assert_eq!(shift.aftermath(&now(&[beta, route("", [70, 30])])).0, Aftermath::Written);
}

#[test]
fn only_routes_that_change_are_recorded_and_written() {
    let routes = json!([route("beta", [70, 30]), route("", [90, 10])]);
    let shift = plan(&snapshot(&json!({"http": routes})), &wanted("v2=30 --route all")).unwrap();
    let entry = shift.entry("2026-11-25T10:00:00Z".parse().unwrap(), None, None);
    assert_eq!(entry.routes.iter().map(|route| route.place.as_str()).collect::<Vec<_>>(), ["#1"]);
    let Some(Action { operation: Operation::JsonPatch(patch), .. }) = shift.action(None) else {
        panic!("it changes something")
    };
    let paths = serde_json::to_string(&patch).unwrap();
    assert!(!paths.contains("/spec/http/0"), "{paths}");
}
