//! Decides which routes are meant, and which of their destinations.

use super::{RouteChoice, ShiftError, Snapshot, Wanted};
use crate::domain::{
    route::{Route, RouteId},
    snapshot::Subset,
    split,
    virtual_service::VirtualService,
};

/// A weighted route and the object it stands in.
type Candidate<'a> = (&'a VirtualService, Route);

/// Returns the routes that are meant, all of them in one object.
///
/// # Errors
/// When no route or more than one can be meant.
pub(super) fn routes<'a>(
    snapshot: &'a Snapshot,
    wanted: &Wanted,
) -> Result<(&'a VirtualService, Vec<Route>), ShiftError> {
    let object = || snapshot.named.object.clone();
    let all = weighted(snapshot);
    if all.is_empty() {
        return Err(ShiftError::NoWeightedRoute { object: object() });
    }
    let candidates: Vec<_> = match &wanted.route {
        RouteChoice::Called(name) => {
            all.iter().filter(|each| is_called(each, name, snapshot)).collect()
        }
        _ => all.iter().filter(|(_, route)| has_versions(route, snapshot, wanted)).collect(),
    };
    match (candidates.as_slice(), &wanted.route) {
        ([], RouteChoice::Called(route)) => Err(ShiftError::UnknownRoute {
            object: object(),
            route: route.clone(),
            known: all.iter().map(|each| at(each, each.1.title(), snapshot)).collect(),
        }),
        ([], _) => Err(unknown_version(snapshot, &all, wanted)),
        ([(first, route)], _) => Ok((*first, vec![route.clone()])),
        ([(first, _), ..], RouteChoice::All) if are_together(&candidates) => {
            Ok((*first, candidates.iter().map(|(_, route)| route.clone()).collect()))
        }
        (several, _) => Err(ShiftError::SeveralRoutes {
            object: object(),
            routes: several.iter().map(|each| title(each, snapshot)).collect(),
            arguments: several.iter().map(|each| argument(each, snapshot)).collect(),
            are_together: are_together(several),
        }),
    }
}

/// Whether routes stand in one object, so that one write can change them all.
fn are_together(routes: &[&Candidate<'_>]) -> bool {
    routes.windows(2).all(|two| two[0].0.object == two[1].0.object)
}

fn weighted(snapshot: &Snapshot) -> Vec<Candidate<'_>> {
    std::iter::once(&snapshot.named)
        .chain(&snapshot.delegates)
        .flat_map(|each| each.routes().into_iter().map(move |route| (each, route)))
        .filter(|(_, route)| route.is_weighted())
        .collect()
}

/// Whether a route has this name or, in the object that was named, this place.
fn is_called((at, route): &Candidate<'_>, name: &str, snapshot: &Snapshot) -> bool {
    let is_named = at.object == snapshot.named.object;
    name.parse::<RouteId>().map_or(route.name == name, |id| is_named && route.id == id)
}

fn has_versions(route: &Route, snapshot: &Snapshot, wanted: &Wanted) -> bool {
    let mut names = wanted.shares.iter().chain(&wanted.from).map(|(version, _)| version);
    names.all(|version| !route.find(version, &snapshot.subsets).is_empty())
}

fn unknown_version(snapshot: &Snapshot, all: &[Candidate<'_>], wanted: &Wanted) -> ShiftError {
    let subsets = &snapshot.subsets;
    let is_known =
        |version: &str| all.iter().any(|(_, route)| !route.find(version, subsets).is_empty());
    let mut names = wanted.shares.iter().chain(&wanted.from).map(|(version, _)| version.clone());
    // When each is known but no route has them all, the last one is what does not go with the others.
    let version = names.clone().find(|version| !is_known(version)).or_else(|| names.next_back());
    let mut known: Vec<_> = all.iter().flat_map(|(_, route)| route.versions(subsets)).collect();
    known.sort();
    known.dedup();
    ShiftError::UnknownVersion {
        object: snapshot.named.object.clone(),
        version: version.unwrap_or_default(),
        known,
        unread: snapshot.subsets_unread.as_ref().map(ToString::to_string),
    }
}

/// The route in words: `#1 (main): v1 70, v2 30`.
fn describe(route: &Route, subsets: &[Subset]) -> String {
    let shares = route.versions(subsets).into_iter().zip(route.shares());
    format!("{}: {}", route.title(), split::in_words(shares))
}

fn title(route: &Candidate<'_>, snapshot: &Snapshot) -> String {
    at(route, describe(&route.1, &snapshot.subsets), snapshot)
}

/// Puts the object a route stands in before its title, unless that is the one that was named.
fn at((at, _): &Candidate<'_>, title: String, snapshot: &Snapshot) -> String {
    if at.object == snapshot.named.object { title } else { format!("{} {title}", at.object) }
}

/// The arguments that mean this route and no other.
fn argument((at, route): &Candidate<'_>, snapshot: &Snapshot) -> String {
    let (object, place) = (&at.object, format!("--route '{}'", route.id));
    if *object == snapshot.named.object {
        return place;
    }
    format!("{} -n {} {place}", object.name, object.namespace)
}

/// Returns the place of the destination that a VERSION means.
///
/// # Errors
/// When none or more than one is meant.
pub(super) fn version(
    snapshot: &Snapshot,
    virtual_service: &VirtualService,
    route: &Route,
    version: &str,
) -> Result<usize, ShiftError> {
    let subsets = &snapshot.subsets;
    let (object, version) = (virtual_service.object.clone(), version.to_owned());
    match route.find(&version, subsets).as_slice() {
        [index] => Ok(*index),
        [] => {
            let known = route.versions(subsets);
            let unread = snapshot.subsets_unread.as_ref().map(ToString::to_string);
            Err(ShiftError::UnknownVersion { object, version, known, unread })
        }
        several => {
            let names = several.iter().map(|index| route.argument(*index, subsets)).collect();
            let others = weighted(snapshot).len() > 1;
            let route = others.then(|| argument(&(virtual_service, route.clone()), snapshot));
            Err(ShiftError::AmbiguousVersion { object, version, names, route })
        }
    }
}
