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
    #[error("{object} has no revision {revision}; it has {}", numbers(.known))]
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

fn numbers(revisions: &[u64]) -> String {
    let revisions: Vec<_> = revisions.iter().map(ToString::to_string).collect();
    revisions.join(", ")
}

/// Plans the way back: to the weights before the last recorded change, or to those a revision wrote.
///
/// # Errors
/// [`UndoError`].
pub fn plan(
    virtual_service: &VirtualService,
    history: &History,
    to_revision: Option<u64>,
    subsets: &[Subset],
) -> Result<Undo, UndoError> {
    let object = || virtual_service.object.clone();
    let last = history.entries().last().ok_or_else(|| UndoError::Empty { object: object() })?;
    let target = match to_revision {
        None => last,
        Some(revision) => {
            let found = history.entries().iter().find(|entry| entry.revision == revision);
            found.ok_or_else(|| UndoError::UnknownRevision {
                object: object(),
                revision,
                known: history.entries().iter().map(|entry| entry.revision).collect(),
            })?
        }
    };
    let routes = virtual_service.routes();
    let (mut shifts, mut edited) = (Vec::new(), Vec::new());
    for recorded in &target.routes {
        let route = find(virtual_service, &routes, target, recorded)?;
        let after = if to_revision.is_some() { &recorded.to } else { &recorded.from };
        edited.extend(edit(history, &routes, route, after));
        shifts.push(RouteShift {
            route: route.clone(),
            versions: route.versions(subsets),
            after: after.clone(),
        });
    }
    let shift =
        Shift { virtual_service: virtual_service.clone(), routes: shifts, untouched: vec![] };
    let undone = match to_revision {
        None => Undone::Revision(target.revision),
        Some(revision) => Undone::Since(revision),
    };
    Ok(Undo { shift, undone, edited })
}

fn find<'a>(
    virtual_service: &VirtualService,
    routes: &'a [Route],
    entry: &Entry,
    recorded: &RecordedRoute,
) -> Result<&'a Route, UndoError> {
    recorded.find(routes).map_err(|why| {
        let (object, revision) = (virtual_service.object.clone(), entry.revision);
        let route = recorded.title();
        match why {
            NotFound::Gone => UndoError::OtherRoute { object, route, revision },
            NotFound::Unclear => UndoError::UnclearRoute { object, route, revision },
        }
    })
}

/// Says how the weights of a route differ from those last recorded, unless they are as wanted.
fn edit(
    history: &History,
    routes: &[Route],
    route: &Route,
    after: &[Option<u64>],
) -> Option<String> {
    let entries = history.entries().iter().rev().flat_map(|entry| &entry.routes);
    let mut of_route = entries.filter(|recorded| recorded.find(routes) == Ok(route));
    let recorded: &RecordedRoute = of_route.next()?;
    let now = route.raw_weights();
    if now == recorded.to || now == after {
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
    let weights: Vec<_> = weights.iter().map(|weight| weight.unwrap_or(0)).collect();
    let shares: Vec<_> = split::shares(&weights).into_iter().map(split::display).collect();
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
        for [from, to] in changes {
            let read = VirtualService::new(object.clone());
            let route =
                RecordedRoute { from: from.to_vec(), ..RecordedRoute::new(&read.routes()[0], to) };
            let entry = Entry {
                revision: 0,
                time: "2026-11-25T10:00:00Z".parse().unwrap(),
                user: None,
                reason: None,
                undo: None,
                routes: vec![route],
            };
            let history = History::read(&read.object, &object).unwrap();
            let annotation = history.with(&read.object, entry).unwrap();
            object["metadata"]["annotations"] = json!({ANNOTATION: annotation});
        }
        VirtualService::new(object)
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
