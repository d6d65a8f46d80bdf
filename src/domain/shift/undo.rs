//! Decides how weights go back to what the history says they were.

use crate::domain::{
    object::ObjectRef,
    route::Route,
    shift::{
        RouteShift, Shift,
        history::{Entry, History, NotFound, RecordedRoute, Undone},
    },
    snapshot::Subset,
    split,
    text::Printable,
    virtual_service::VirtualService,
};

/// A way back that has been decided.
#[derive(Clone, Debug, PartialEq)]
pub struct Undo {
    /// The new weights.
    pub shift: Shift,
    /// What is taken back.
    pub undone: Undone,
    /// Where somebody changed weights since they were recorded, in words.
    pub edited: Vec<String>,
}

/// Why there is no way back.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum UndoError {
    /// Nothing was recorded.
    #[error("{object} has no recorded change of weights")]
    Empty {
        /// The VirtualService.
        object: ObjectRef,
    },
    /// There is no such revision.
    #[error("{object} has no revision {revision}{}; it has {}", dropped(*.revision, .known), numbers(.known))]
    UnknownRevision {
        /// The VirtualService.
        object: ObjectRef,
        /// What was asked for.
        revision: u64,
        /// The revisions there are.
        known: Vec<u64>,
    },
    /// A recorded route is not there any more, or is for other requests or destinations.
    #[error(
        "no route of {object} has the name, match and destinations that {} had in revision \
         {revision}",
        Printable(.route)
    )]
    OtherRoute {
        /// The VirtualService.
        object: ObjectRef,
        /// The route, as it was recorded.
        route: String,
        /// The revision.
        revision: u64,
    },
    /// Several routes can be a recorded one.
    #[error(
        "several routes of {object} can be the one that {} was in revision {revision}",
        Printable(.route)
    )]
    UnclearRoute {
        /// The VirtualService.
        object: ObjectRef,
        /// The route, as it was recorded.
        route: String,
        /// The revision.
        revision: u64,
    },
}

/// Says that a revision was there, when it was.
fn dropped(revision: u64, known: &[u64]) -> &'static str {
    let is_dropped = known.first().is_some_and(|first| revision < *first);
    if is_dropped { " any more, as only the latest are kept" } else { "" }
}

fn numbers(revisions: &[u64]) -> String {
    let revisions: Vec<_> = revisions.iter().map(ToString::to_string).collect();
    revisions.join(", ")
}

/// Weights that an entry has of one of its routes.
type Recorded<'a> = (&'a Entry, &'a RecordedRoute, &'a [Option<u64>]);

/// Plans the way back: to the weights before the last recorded change, or before all that came after a
/// revision.
///
/// # Errors
/// [`UndoError`].
pub fn plan(
    virtual_service: &VirtualService,
    history: &History,
    to_revision: Option<u64>,
    subsets: &[Subset],
) -> Result<Undo, UndoError> {
    let (object, entries) = (&virtual_service.object, history.entries());
    let last = entries.last().ok_or_else(|| UndoError::Empty { object: object.clone() })?;
    let wanted = match to_revision {
        None => before(std::slice::from_ref(last)).collect(),
        Some(revision) => since(object, entries, revision)?,
    };
    let routes = virtual_service.routes();
    let mut shifts: Vec<RouteShift> = Vec::new();
    for (entry, recorded, after) in wanted {
        let route = find(object, &routes, entry, recorded)?;
        if shifts.iter().all(|each| each.route.id != route.id) {
            let versions = route.versions(subsets);
            shifts.push(RouteShift { route: route.clone(), versions, after: after.to_vec() });
        }
    }
    shifts.sort_by_key(|each| each.route.id);
    let edited = shifts.iter().filter_map(|shift| edit(history, &routes, shift)).collect();
    let shift = Shift::new(virtual_service, shifts, subsets);
    let undone = to_revision.map_or(Undone::Revision(last.revision), Undone::Since);
    Ok(Undo { shift, undone, edited })
}

/// The weights before each of these changes, oldest first.
fn before(entries: &[Entry]) -> impl Iterator<Item = Recorded<'_>> {
    let of_entry = |entry| weights(entry, |route| &route.from);
    entries.iter().flat_map(of_entry)
}

/// The weights before all that came after a revision, and then those that it wrote itself: of a route
/// that occurs several times, the first ones count.
fn since<'a>(
    object: &ObjectRef,
    entries: &'a [Entry],
    revision: u64,
) -> Result<Vec<Recorded<'a>>, UndoError> {
    let is_start = revision == 0 && entries.first().is_some_and(|first| first.revision == 1);
    let found = entries.iter().position(|entry| entry.revision == revision);
    let kept = found.map(|index| index + 1).or(is_start.then_some(0));
    let kept = kept.ok_or_else(|| UndoError::UnknownRevision {
        object: object.clone(),
        revision,
        known: entries.iter().map(|entry| entry.revision).collect(),
    })?;
    let (kept, taken_back) = entries.split_at(kept);
    let written = kept.last().into_iter().flat_map(|entry| weights(entry, |route| &route.to));
    Ok(before(taken_back).chain(written).collect())
}

fn weights<'a>(
    entry: &'a Entry,
    which: fn(&RecordedRoute) -> &Vec<Option<u64>>,
) -> impl Iterator<Item = Recorded<'a>> {
    entry.routes.iter().map(move |route| (entry, route, which(route).as_slice()))
}

fn find<'a>(
    object: &ObjectRef,
    routes: &'a [Route],
    entry: &Entry,
    recorded: &RecordedRoute,
) -> Result<&'a Route, UndoError> {
    recorded.find(routes).map_err(|why| {
        let (object, route, revision) = (object.clone(), recorded.title(), entry.revision);
        match why {
            NotFound::Gone => UndoError::OtherRoute { object, route, revision },
            NotFound::Unclear => UndoError::UnclearRoute { object, route, revision },
        }
    })
}

/// Says how the weights of a route differ from those last recorded, unless they are as wanted.
fn edit(history: &History, routes: &[Route], shift: &RouteShift) -> Option<String> {
    let (route, after) = (&shift.route, &shift.after);
    let entries = history.entries().iter().rev().flat_map(|entry| &entry.routes);
    let mut of_route = entries.filter(|recorded| recorded.find(routes) == Ok(route));
    let recorded = of_route.next()?;
    let now = route.raw_weights();
    if now == recorded.to || now == *after {
        return None;
    }
    Some(format!(
        "route {} was edited since: recorded {}, live {}, wanted {}",
        route.title(),
        shares(&recorded.to),
        shares(&now),
        shares(after)
    ))
}

/// Shares in percent: `70/30`.
fn shares(weights: &[Option<u64>]) -> String {
    let shares = split::shares(&split::counted(weights));
    let shares: Vec<_> = shares.into_iter().map(split::display).collect();
    shares.join("/")
}

#[cfg(test)]
mod tests {
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
        let object =
            of_two([[Some(7), Some(3)], HALF], &[(0, [WHOLE, CANARY]), (1, [WHOLE, HALF])]);
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
}
