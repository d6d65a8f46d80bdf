//! Decides how weights go back to what the history says they were.

#[cfg(test)]
mod tests;

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
