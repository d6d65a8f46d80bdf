//! Where the way back leads, and when there is none.

use serde_json::{Value, json};

use super::*;
use crate::domain::shift::history::{ANNOTATION, Entry};

type Weights = [Option<u64>; 2];

/// A VirtualService with one route, to subsets `a` and `b` of `web`.
fn object(weights: Weights) -> Value {
    let route = ["a", "b"].iter().zip(weights).map(|(subset, weight)| {
        let mut to = json!({"destination": {"host": "web", "subset": subset}});
        if let Some(weight) = weight {
            to["weight"] = weight.into();
        }
        to
    });
    json!({"metadata": {"namespace": "shop", "name": "reviews"},
           "spec": {"http": [{"route": route.collect::<Vec<_>>()}]}})
}

/// The same, with a history of these changes.
fn recorded(weights: Weights, changes: &[[Weights; 2]]) -> VirtualService {
    let mut object = object(weights);
    let route = VirtualService::new(object.clone()).routes().remove(0);
    for [from, to] in changes {
        let route = RecordedRoute { from: from.to_vec(), ..RecordedRoute::new(&route, to) };
        object = with_entry(object, route);
    }
    VirtualService::new(object)
}

/// The same, with one more entry in its history.
fn with_entry(mut object: Value, route: RecordedRoute) -> Value {
    let entry = Entry {
        revision: 0,
        time: "2026-11-25T10:00:00Z".parse().unwrap(),
        user: None,
        reason: None,
        undo: None,
        routes: vec![route],
    };
    let read = VirtualService::new(object.clone());
    let history = History::read(&read.object, &object).unwrap();
    let annotation = history.with(&read.object, entry).unwrap();
    object["metadata"]["annotations"] = json!({ANNOTATION: annotation});
    object
}

fn undo(object: &VirtualService, to_revision: Option<u64>) -> Result<Undo, UndoError> {
    let history = History::read(&object.object, &object.json).unwrap();
    plan(object, &history, to_revision, &[])
}

const WHOLE: Weights = [Some(100), None];
const CANARY: Weights = [Some(95), Some(5)];
const HALF: Weights = [Some(50), Some(50)];

#[track_caller]
fn check(now: Weights, to_revision: Option<u64>, weights: Weights, undone: Undone) {
    let object = recorded(now, &[[WHOLE, CANARY], [CANARY, HALF]]);
    let undo = undo(&object, to_revision).unwrap();
    assert_eq!(undo.shift.routes[0].after, weights);
    assert_eq!((undo.undone, undo.edited), (undone, vec![]));
}

#[test]
fn the_last_change_is_taken_back_or_a_revision_is_returned_to() {
    check(HALF, None, CANARY, Undone::Revision(2));
    check(HALF, Some(1), CANARY, Undone::Since(1));
    check(HALF, Some(2), HALF, Undone::Since(2));
}

#[test]
fn what_is_as_wanted_already_was_edited_by_nobody() {
    check(CANARY, None, CANARY, Undone::Revision(2));
}

#[test]
fn a_weight_that_was_omitted_is_omitted_again() {
    let object = recorded(CANARY, &[[WHOLE, CANARY]]);
    assert_eq!(undo(&object, None).unwrap().shift.routes[0].after, WHOLE);
}

#[test]
fn weights_that_somebody_else_changed_since_are_told() {
    let object = recorded([Some(7), Some(3)], &[[WHOLE, CANARY], [CANARY, HALF]]);
    assert_eq!(
        undo(&object, None).unwrap().edited,
        ["route #0 was edited since: recorded 50/50, live 70/30, wanted 95/5"]
    );
}

#[test]
fn there_is_no_way_back_without_a_record() {
    let error = undo(&VirtualService::new(object(HALF)), None).unwrap_err();
    let words = "virtualservice/reviews in namespace shop has no recorded change of weights";
    assert_eq!(error.to_string(), words);
}

#[test]
fn a_revision_that_is_not_there_is_refused_with_those_that_are() {
    let object = recorded(HALF, &[[WHOLE, CANARY], [CANARY, HALF]]);
    assert_eq!(
        undo(&object, Some(7)).unwrap_err().to_string(),
        "virtualservice/reviews in namespace shop has no revision 7; it has 1, 2"
    );
}

#[test]
fn a_revision_that_was_dropped_is_refused_with_those_that_are_kept() {
    let object = recorded(HALF, &[[CANARY, HALF]; 22]);
    let kept = (3..=22).map(|revision| revision.to_string()).collect::<Vec<_>>().join(", ");
    for revision in [0, 2] {
        assert_eq!(
            undo(&object, Some(revision)).unwrap_err().to_string(),
            format!(
                "virtualservice/reviews in namespace shop has no revision {revision} any more, \
                 as only the latest are kept; it has {kept}"
            )
        );
    }
    assert_eq!(undo(&object, Some(3)).unwrap().shift.routes[0].after, CANARY);
}

/// Changes of two routes that lead to the same destinations: `#0` and `/beta`, `#1`.
fn of_two(now: [Weights; 2], changes: &[(usize, [Weights; 2])]) -> VirtualService {
    let mut now = now.map(|weights| object(weights)["spec"]["http"][0].clone());
    now[1]["match"] = json!([{"uri": {"prefix": "/beta"}}]);
    let mut object = object(WHOLE);
    object["spec"]["http"] = json!(now);
    let routes = VirtualService::new(object.clone()).routes();
    let changes = changes.iter().map(|(index, [from, to])| {
        let route = RecordedRoute::new(&routes[*index], to);
        RecordedRoute { from: from.to_vec(), ..route }
    });
    VirtualService::new(changes.fold(object, with_entry))
}

/// What each route becomes, by its place.
fn outcome(object: &VirtualService, to_revision: u64) -> Vec<(String, Vec<Option<u64>>)> {
    let undo = undo(object, Some(to_revision)).unwrap();
    let routes = undo.shift.routes.iter();
    routes.map(|each| (each.route.id.to_string(), each.after.clone())).collect()
}

#[test]
fn every_route_that_changed_since_a_revision_returns() {
    let changes =
        [(0, [WHOLE, CANARY]), (1, [WHOLE, HALF]), (0, [CANARY, HALF]), (0, [HALF, WHOLE])];
    let object = of_two([WHOLE, HALF], &changes);
    let is = |first: Weights, second: Weights| {
        vec![("#0".to_owned(), first.to_vec()), ("#1".to_owned(), second.to_vec())]
    };
    assert_eq!(outcome(&object, 0), is(WHOLE, WHOLE));
    assert_eq!(outcome(&object, 1), is(CANARY, WHOLE));
    assert_eq!(outcome(&object, 2), is(CANARY, HALF));
    assert_eq!(outcome(&object, 3), is(HALF, HALF)[..1]);
    assert_eq!(undo(&object, Some(1)).unwrap().undone, Undone::Since(1));
}

#[test]
fn what_only_that_revision_changed_returns_when_it_was_edited_since() {
    let object = of_two([[Some(7), Some(3)], HALF], &[(0, [WHOLE, CANARY]), (1, [WHOLE, HALF])]);
    let undo = undo(&object, Some(1)).unwrap();
    assert_eq!(undo.shift.routes[0].after, CANARY);
    assert_eq!(undo.shift.routes[1].after, WHOLE);
    let edited = "route #0 was edited since: recorded 95/5, live 70/30, wanted 95/5";
    assert_eq!(undo.edited, [edited]);
}

#[test]
fn a_route_that_leads_elsewhere_is_not_undone() {
    let mut object = recorded(HALF, &[[CANARY, HALF]]);
    object.json["spec"]["http"][0]["route"][1]["destination"]["subset"] = json!("c");
    assert_eq!(
        undo(&object, None).unwrap_err().to_string(),
        "no route of virtualservice/reviews in namespace shop has the name, match and \
         destinations that #0 had in revision 1"
    );
}

#[test]
fn a_route_that_took_the_place_of_another_is_not_undone_for_it() {
    let mut object = recorded(CANARY, &[[WHOLE, CANARY]]);
    let mut beta = object.json["spec"]["http"][0].clone();
    beta["match"] = json!([{"uri": {"prefix": "/beta"}}]);
    object.json["spec"]["http"].as_array_mut().unwrap().insert(0, beta);
    let undo = undo(&object, None).unwrap();
    let places = undo.shift.routes.iter().map(|each| each.route.id.to_string());
    assert_eq!(places.collect::<Vec<_>>(), ["#1"]);
    assert_eq!(undo.shift.routes[0].after, WHOLE);
}

#[test]
fn which_route_an_old_entry_means_is_not_guessed() {
    let mut object = recorded(CANARY, &[[WHOLE, CANARY]]);
    let annotation = object.json["metadata"]["annotations"][ANNOTATION].as_str().unwrap();
    let old = annotation.replace("\"match\":\"\",", "");
    assert_ne!(annotation, old);
    object.json["metadata"]["annotations"][ANNOTATION] = old.into();
    assert_eq!(undo(&object, None).unwrap().shift.routes[0].after, WHOLE);

    let mut beta = object.json["spec"]["http"][0].clone();
    beta["match"] = json!([{"uri": {"prefix": "/beta"}}]);
    object.json["spec"]["http"].as_array_mut().unwrap().push(beta);
    assert_eq!(
        undo(&object, None).unwrap_err().to_string(),
        "several routes of virtualservice/reviews in namespace shop can be the one that #0 was \
         in revision 1"
    );
}
