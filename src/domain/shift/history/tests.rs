//! What is written is read again; what is not is refused; a route is told from others.

use super::*;
use crate::domain::object::Kind;

fn object() -> ObjectRef {
    ObjectRef::new(Kind::VirtualService, "shop", "reviews")
}

fn annotated(annotation: &Value) -> Value {
    json!({"metadata": {"annotations": {ANNOTATION: annotation}}})
}

fn entry(reason: &str) -> Entry {
    let route = RecordedRoute {
        place: "#0".to_owned(),
        name: String::new(),
        conditions: Some("af63bd4c8601b7df".to_owned()),
        destinations: vec!["reviews.shop.svc.cluster.local/v1".to_owned(), "b:80".to_owned()],
        from: vec![None, Some(30)],
        to: vec![Some(0), Some(100)],
    };
    Entry {
        revision: 0,
        time: "2026-11-25T10:00:00Z".parse().unwrap(),
        user: Some("alice".to_owned()),
        reason: Some(reason.to_owned()),
        undo: None,
        routes: vec![route],
    }
}

fn continued(annotation: &str, entry: Entry) -> String {
    let history = History::read(&object(), &annotated(&annotation.into())).unwrap();
    history.with(&object(), entry).unwrap()
}

#[test]
fn what_is_written_is_read_again() {
    let annotation = History::default().with(&object(), entry("why")).unwrap();
    let history = History::read(&object(), &annotated(&annotation.into())).unwrap();
    assert_eq!(history.entries(), [Entry { revision: 1, ..entry("why") }]);
}

#[test]
fn the_oldest_entries_are_dropped_and_revisions_go_on() {
    let mut annotation = History::default().with(&object(), entry("first")).unwrap();
    for _ in 0..30 {
        annotation = continued(&annotation, entry("next"));
    }
    let history = History::read(&object(), &annotated(&annotation.into())).unwrap();
    let revisions: Vec<_> = history.entries().iter().map(|entry| entry.revision).collect();
    assert_eq!(revisions, (12..=31).collect::<Vec<_>>());
}

#[test]
fn the_annotation_stays_within_its_bounds() {
    let mut annotation = History::default().with(&object(), entry("first")).unwrap();
    for _ in 0..20 {
        annotation = continued(&annotation, entry(&"x".repeat(3000)));
        assert!(annotation.len() <= MAX_BYTES);
    }
    let huge = History::default().with(&object(), entry(&"x".repeat(MAX_BYTES)));
    assert_eq!(huge, Err(HistoryError::TooLarge { object: object() }));
}

#[test]
fn fields_of_later_versions_survive() {
    let mut later: Value =
        serde_json::from_str(&History::default().with(&object(), entry("a")).unwrap()).unwrap();
    later["entries"][0]["ticket"] = json!("SHOP-1");
    let annotation = continued(&later.to_string(), entry("b"));
    assert!(annotation.contains(r#""ticket":"SHOP-1""#), "{annotation}");
}

#[test]
fn what_this_program_did_not_write_is_unreadable() {
    let route = json!({"route": "#0", "destinations": ["a"], "from": [1], "to": [2, 3]});
    let incomplete = json!({"revision": 1, "time": "2026-11-25T10:00:00Z", "routes": [route]});
    let version_1 = |entries: Value| json!({"version": 1, "entries": entries}).to_string();
    let last = json!({"revision": u64::MAX, "time": "2026-11-25T10:00:00Z", "routes": []});
    for annotation in [
        json!(7),
        json!("{"),
        json!("{}"),
        json!(r#"{"version": 2, "entries": []}"#),
        json!(version_1(json!({}))),
        json!(version_1(json!([incomplete]))),
        json!(version_1(json!([{"revision": -1}]))),
        json!(version_1(json!([last]))),
        json!("x".repeat(MAX_BYTES + 1)),
    ] {
        let read = History::read(&object(), &annotated(&annotation));
        assert!(matches!(read, Err(HistoryError::Unreadable { .. })), "{annotation}");
    }
}

#[test]
fn the_digest_of_conditions_stays_what_it_is() {
    assert_eq!(digest(&[]), "");
    let one: Value = serde_json::from_str(r#"[{"uri": {"exact": "/ü"}, "port": 80}]"#).unwrap();
    let same: Value = serde_json::from_str(r#"[{"port":80,"uri":{"exact":"/\u00fc"}}]"#).unwrap();
    let digests = [&one, &same].map(|each| digest(each.as_array().unwrap()));
    assert_eq!(digests, ["7f84c817414c703b"; 2]);
    assert_ne!(digest(&[json!({"port": 81})]), digest(&[json!({"port": 80})]));
}

#[test]
fn a_route_is_found_by_its_name_its_conditions_and_its_destinations() {
    let route = |name: &str, subsets: [&str; 2]| {
        let to = subsets.map(|subset| json!({"destination": {"host": "a", "subset": subset}}));
        json!({"name": name, "route": to})
    };
    let routes = |routes: Value| Route::read_all(&json!({"spec": {"http": routes}}));
    let same = || route("", ["v1", "v2"]);
    let beta = || {
        let mut beta = same();
        beta["match"] = json!([{"uri": {"prefix": "/beta"}}]);
        beta
    };
    let record = |route: Value| RecordedRoute::new(&routes(json!([route]))[0], &[None, None]);
    let place = |recorded: &RecordedRoute, now: Value| {
        recorded.find(&routes(now)).map(|route| route.id.to_string())
    };
    let at = |place: &str| Ok(place.to_owned());
    let recorded = record(same());
    assert_eq!(place(&recorded, json!([same(), same()])), at("#0"));
    assert_eq!(place(&recorded, json!([route("new", ["v1", "v2"]), same()])), at("#1"));
    assert_eq!(place(&recorded, json!([beta(), same()])), at("#1"));
    assert_eq!(place(&record(beta()), json!([same(), beta()])), at("#1"));
    let unclear = json!([route("", ["v1", "v3"]), same(), same()]);
    assert_eq!(place(&recorded, unclear), Err(NotFound::Unclear));
    for gone in [json!([beta()]), json!([route("", ["v2", "v1"])]), json!([])] {
        assert_eq!(place(&recorded, gone), Err(NotFound::Gone));
    }

    let old = RecordedRoute { conditions: None, ..recorded };
    assert_eq!(place(&old, json!([route("", ["v1", "v3"]), beta()])), at("#1"));
    assert_eq!(place(&old, json!([same(), beta()])), Err(NotFound::Unclear));
}
