//! Decides how a VirtualService changes when shares are asked for.

mod choice;
pub mod guard;
pub mod history;
mod ignore_rule;
pub mod owner;
pub mod patch;
#[cfg(test)]
mod tests;
pub mod undo;

use jiff::Timestamp;
use serde_json::Value;

use self::{
    history::{Entry, History, HistoryError, RecordedRoute},
    patch::NewWeights,
};
use crate::domain::{
    backends::Unread,
    object::ObjectRef,
    plan::{Action, Operation},
    route::{Destination, Route},
    snapshot::Subset,
    split::{self, Percent, SplitError},
    text::{Printable, listed},
    virtual_service::VirtualService,
};

/// What was read before a shift is planned.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// The VirtualService that was named.
    pub named: VirtualService,
    /// Those its routes delegate to.
    pub delegates: Vec<VirtualService>,
    /// Subsets of the DestinationRules that can apply.
    pub subsets: Vec<Subset>,
    /// Why not all DestinationRules could be read.
    pub subsets_unread: Option<Unread>,
}

impl Snapshot {
    /// Returns the VirtualService whose recorded change is the latest, with its history: the one that
    /// was named or, as a shift writes them, one of its delegates.
    ///
    /// # Errors
    /// [`HistoryError::Unreadable`].
    pub fn last_changed(&self) -> Result<(&VirtualService, History), HistoryError> {
        let time = |history: &History| history.entries().last().map(|entry| entry.time);
        let mut last = (&self.named, History::read(&self.named.object, &self.named.json)?);
        for delegate in &self.delegates {
            let history = History::read(&delegate.object, &delegate.json)?;
            if time(&history) > time(&last.1) {
                last = (delegate, history);
            }
        }
        Ok(last)
    }
}

/// What a shift was asked to do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wanted {
    /// Shares for versions, in the order given.
    pub shares: Vec<(String, Percent)>,
    /// Shares the versions must have now.
    pub from: Vec<(String, Percent)>,
    /// Which route is meant.
    pub route: RouteChoice,
}

/// Which route of a VirtualService is meant: `--route`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum RouteChoice {
    /// The only one that has the versions.
    #[default]
    Only,
    /// The one of this name, or at this place.
    Called(String),
    /// Every one that has the versions.
    All,
}

/// New weights that have been decided.
#[derive(Clone, Debug, PartialEq)]
pub struct Shift {
    /// The VirtualService that is written: the one that was named, or a delegate.
    pub virtual_service: VirtualService,
    /// The routes that were meant.
    pub routes: Vec<RouteShift>,
    /// The other weighted routes of the object, which stay as they are.
    pub untouched: Vec<RouteShift>,
}

/// The new weights of one route.
#[derive(Clone, Debug, PartialEq)]
pub struct RouteShift {
    /// The route as it was read.
    pub route: Route,
    /// What each destination is called, in order.
    pub versions: Vec<String>,
    /// `weight` of each destination after, absent where it stays omitted.
    pub after: Vec<Option<u64>>,
}

/// What became of a change of weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aftermath {
    /// The old weights, and the write may still be carried out.
    NotWrittenYet,
    /// The object has the new weights.
    Written,
    /// It has the old ones.
    NotWritten,
    /// It has others.
    Other,
}

/// Why a shift cannot be planned.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum ShiftError {
    /// No route divides requests or connections.
    #[error("{object} has no route with more than one destination")]
    NoWeightedRoute {
        /// The VirtualService.
        object: ObjectRef,
    },
    /// More than one weighted route can be meant.
    #[error("{object} has {} routes that can be meant: {}", .routes.len(), listed(.routes, "; "))]
    SeveralRoutes {
        /// The VirtualService.
        object: ObjectRef,
        /// The routes, in words.
        routes: Vec<String>,
        /// The argument for each.
        arguments: Vec<String>,
        /// Whether they can all be meant, for they stand in one object.
        are_together: bool,
    },
    /// No weighted route has this name or place.
    #[error("{object} has no weighted route {}; it has {}", Printable(.route), listed(.known, ", "))]
    UnknownRoute {
        /// The VirtualService.
        object: ObjectRef,
        /// What was asked for.
        route: String,
        /// The weighted routes it has.
        known: Vec<String>,
    },
    /// A version that no destination stands for.
    #[error(
        "{object} has no route to version {}; it has {}{}",
        Printable(.version), listed(.known, ", "), because(.unread.as_ref())
    )]
    UnknownVersion {
        /// The VirtualService.
        object: ObjectRef,
        /// What was asked for.
        version: String,
        /// The versions there are.
        known: Vec<String>,
        /// Why not all labels of versions are known.
        unread: Option<String>,
    },
    /// A version that several destinations stand for.
    #[error("version {} means several destinations of {object}", Printable(.version))]
    AmbiguousVersion {
        /// The VirtualService.
        object: ObjectRef,
        /// What was asked for.
        version: String,
        /// The name of each.
        names: Vec<String>,
        /// The argument for their route, where others could be meant by these names.
        route: Option<String>,
    },
    /// A destination that was named twice.
    #[error("{} and {} are the same destination of {object}", Printable(&.names.0), Printable(&.names.1))]
    NamedTwice {
        /// The VirtualService.
        object: ObjectRef,
        /// Both names.
        names: (String, String),
    },
    /// A share that is not what `--from` says.
    #[error("{object}: {} has {found} %, not {wanted} %; nothing was written", Printable(.version))]
    FromDiffers {
        /// The VirtualService.
        object: ObjectRef,
        /// The version.
        version: String,
        /// Its share in percent.
        found: f64,
        /// What it should have been.
        wanted: Percent,
    },
    /// Shares that do not lead to weights.
    #[error("{object}: {source}")]
    Split {
        /// The VirtualService.
        object: ObjectRef,
        /// Why.
        source: SplitError,
    },
}

fn because(why: Option<&String>) -> String {
    why.map_or_else(String::new, |why| format!("; not checked: labels of subsets ({why})"))
}

/// Plans new weights.
///
/// # Errors
/// [`ShiftError`] when it is not clear what is meant, or the shares cannot be met.
pub fn plan(snapshot: &Snapshot, wanted: &Wanted) -> Result<Shift, ShiftError> {
    let (virtual_service, routes) = choice::routes(snapshot, wanted)?;
    let shifts = routes.iter().map(|route| shift_route(snapshot, virtual_service, route, wanted));
    let shifts = shifts.collect::<Result<Vec<_>, _>>()?;
    Ok(Shift::new(virtual_service, shifts, &snapshot.subsets))
}

fn shift_route(
    snapshot: &Snapshot,
    virtual_service: &VirtualService,
    route: &Route,
    wanted: &Wanted,
) -> Result<RouteShift, ShiftError> {
    check_from(snapshot, virtual_service, route, wanted)?;
    let object = &virtual_service.object;
    let mut named: Vec<(usize, Percent)> = Vec::new();
    for (version, share) in &wanted.shares {
        let index = choice::version(snapshot, virtual_service, route, version)?;
        if let Some(twice) = named.iter().position(|(named, _)| *named == index) {
            let both = (wanted.shares[twice].0.clone(), version.clone());
            return Err(ShiftError::NamedTwice { object: object.clone(), names: both });
        }
        named.push((index, *share));
    }
    let after = split::divide(&route.weights(), &named)
        .map_err(|source| ShiftError::Split { object: object.clone(), source })?;
    let after = after.into_iter().zip(&route.destinations);
    Ok(RouteShift {
        versions: route.versions(&snapshot.subsets),
        // What is omitted counts as 0, and may stay omitted.
        after: after
            .map(|(after, before)| {
                before.weight.or(Some(after).filter(|_| after > 0)).map(|_| after)
            })
            .collect(),
        route: route.clone(),
    })
}

/// Checks that the versions have the shares that `--from` names.
fn check_from(
    snapshot: &Snapshot,
    virtual_service: &VirtualService,
    route: &Route,
    wanted: &Wanted,
) -> Result<(), ShiftError> {
    for (version, share) in &wanted.from {
        let index = choice::version(snapshot, virtual_service, route, version)?;
        if !share.is_share_of(index, &route.weights()) {
            return Err(ShiftError::FromDiffers {
                object: virtual_service.object.clone(),
                version: version.clone(),
                found: route.shares()[index],
                wanted: *share,
            });
        }
    }
    Ok(())
}

impl Shift {
    /// Returns what is so before it is written.
    #[must_use]
    pub fn before(&self) -> (Aftermath, String) {
        self.aftermath(&self.virtual_service.json)
    }

    /// Returns the change of these routes of `virtual_service`, and of no others.
    #[must_use]
    pub fn new(
        virtual_service: &VirtualService,
        routes: Vec<RouteShift>,
        subsets: &[Subset],
    ) -> Self {
        let is_meant = |route: &Route| routes.iter().any(|each| each.route.id == route.id);
        let others = virtual_service.routes().into_iter();
        let others = others.filter(|route| route.is_weighted() && !is_meant(route));
        let untouched = others.map(|route| RouteShift {
            versions: route.versions(subsets),
            after: route.raw_weights(),
            route,
        });
        Self { virtual_service: virtual_service.clone(), untouched: untouched.collect(), routes }
    }

    /// Returns whether every weight is right already.
    #[must_use]
    pub fn is_unchanged(&self) -> bool {
        self.routes.iter().all(RouteShift::is_unchanged)
    }

    /// Returns the versions and destinations that get more than before.
    pub fn rising(&self) -> impl Iterator<Item = (&str, &Destination)> {
        self.routes.iter().flat_map(|route| {
            let (before, after) = (route.route.shares(), route.shares());
            let rising = (0..after.len()).filter(move |index| after[*index] > before[*index]);
            rising.map(|index| (route.versions[index].as_str(), &route.route.destinations[index]))
        })
    }

    /// Returns what became of the change when the object is `now`, and the shares it has, in words.
    #[must_use]
    pub fn aftermath(&self, now: &Value) -> (Aftermath, String) {
        let now = Route::read_all(now);
        let found = |route: &RouteShift| route.find(&now);
        let is = |wanted: &dyn Fn(&RouteShift) -> Vec<Option<u64>>| {
            self.routes
                .iter()
                .all(|route| found(route).is_some_and(|now| now.raw_weights() == wanted(route)))
        };
        let shares = self.routes.iter().map(|route| match found(route) {
            Some(now) => split::in_words(route.versions.iter().zip(now.shares())),
            None => format!("{} is gone or leads elsewhere", route.route.title()),
        });
        let shares = shares.collect::<Vec<_>>().join("; ");
        let aftermath = if is(&|route| route.after.clone()) {
            Aftermath::Written
        } else if is(&|route| route.route.raw_weights()) {
            Aftermath::NotWritten
        } else {
            Aftermath::Other
        };
        (aftermath, shares)
    }

    /// Returns the VirtualService as it is after the change.
    #[must_use]
    pub fn applied(&self) -> VirtualService {
        let mut after = self.virtual_service.clone();
        for route in &self.routes {
            let place = format!("{}/route", route.route.id.pointer());
            for (index, weight) in route.after.iter().enumerate() {
                let destination = after.json.pointer_mut(&format!("{place}/{index}"));
                let Some(destination) = destination.and_then(Value::as_object_mut) else {
                    continue;
                };
                match weight {
                    Some(weight) => destination.insert("weight".to_owned(), (*weight).into()),
                    None => destination.remove("weight"),
                };
            }
        }
        after
    }

    /// Returns the entry of the history for this change.
    #[must_use]
    pub fn entry(&self, time: Timestamp, user: Option<String>, reason: Option<String>) -> Entry {
        let changed = self.routes.iter().filter(|each| !each.is_unchanged());
        let routes = changed.map(|each| RecordedRoute::new(&each.route, &each.after)).collect();
        Entry { revision: 0, time, user, reason, undo: None, routes }
    }

    /// Returns the write; nothing when nothing changes. `history` is the annotation after it.
    #[must_use]
    pub fn action(&self, history: Option<String>) -> Option<Action> {
        let changed = self.routes.iter().filter(|each| !each.is_unchanged());
        let weights: Vec<_> = changed
            .map(|each| NewWeights { route: each.route.id, weights: each.after.clone() })
            .collect();
        (!weights.is_empty()).then(|| Action {
            object: self.virtual_service.object.clone(),
            operation: Operation::JsonPatch(patch::guarded(
                &self.virtual_service.json,
                &weights,
                history,
            )),
        })
    }
}

impl RouteShift {
    /// Returns the route among those of now, wherever it stands; one that takes other requests only where
    /// it stood.
    fn find<'a>(&self, now: &'a [Route]) -> Option<&'a Route> {
        let recorded = RecordedRoute::new(&self.route, &self.after);
        let is_it = |each: &&Route| {
            (each.id, &each.name) == (self.route.id, &self.route.name) && recorded.leads_as(each)
        };
        recorded.find(now).ok().or_else(|| now.iter().find(is_it))
    }

    /// Returns whether every weight is right already.
    #[must_use]
    pub fn is_unchanged(&self) -> bool {
        self.route.raw_weights() == self.after
    }

    /// Returns the weights after the change as Istio reads them.
    #[must_use]
    pub fn weights(&self) -> Vec<u64> {
        split::counted(&self.after)
    }

    /// Returns each destination's share after the change, in percent.
    #[must_use]
    pub fn shares(&self) -> Vec<f64> {
        split::shares(&self.weights())
    }
}
