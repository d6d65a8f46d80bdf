//! What must hold of every refusal: it has its reason in the objects, and the arguments that it offers
//! lead on.

use kubia::domain::{
    object::ObjectRef,
    shift::{RouteChoice, Shift, ShiftError, Snapshot, plan},
    split::SplitError,
};
use proptest::{prelude::*, test_runner::TestCaseError};

use super::{
    Law, Outcome,
    case::{Case, address},
    edits::Picks,
    reading::{Weighted, weighted},
};

/// Returns the routes that a command can mean.
pub(crate) fn candidates<'a>(case: &'a Case, snapshot: &'a Snapshot) -> Vec<Weighted<'a>> {
    let names = || case.command.shares.iter().chain(&case.command.from).map(|(name, _)| name);
    let has_all = |route: &Weighted<'_>| {
        let mut names = names();
        names.all(|name| !route.meant(name, &case.rules).is_empty())
    };
    let is_called = |route: &Weighted<'_>, name: &str| {
        let place = name.strip_prefix("http").unwrap_or(name);
        let is_place = ["#", "tls#", "tcp#"].iter().any(|list| {
            place.strip_prefix(list).is_some_and(|index| index.parse::<usize>().is_ok())
        });
        if is_place {
            route.place() == place && address(route.object) == case.named
        } else {
            route.name() == name
        }
    };
    let all = all_weighted(snapshot).into_iter();
    let meant = all.filter(|route| match &case.command.route {
        RouteChoice::Called(name) => is_called(route, name),
        RouteChoice::Only | RouteChoice::All => has_all(route),
    });
    meant.collect()
}

fn all_weighted(snapshot: &Snapshot) -> Vec<Weighted<'_>> {
    let objects = std::iter::once(&snapshot.named).chain(&snapshot.delegates);
    objects.flat_map(|each| weighted(&each.json)).collect()
}

/// Checks that a refusal is right.
pub(crate) fn check(
    case: &Case,
    snapshot: &Snapshot,
    error: &ShiftError,
    picks: &Picks,
) -> Result<Vec<Outcome>, TestCaseError> {
    let (candidates, all) = (candidates(case, snapshot), all_weighted(snapshot));
    let meant = |route: &Weighted<'_>, name: &str| route.meant(name, &case.rules);
    let any = |is: &dyn Fn(&Weighted<'_>) -> bool| candidates.iter().any(is);
    match error {
        ShiftError::NoWeightedRoute { .. } => prop_assert!(all.is_empty()),
        ShiftError::UnknownRoute { .. } => {
            prop_assert!(candidates.is_empty() && !all.is_empty());
            prop_assert!(matches!(case.command.route, RouteChoice::Called(_)));
        }
        ShiftError::UnknownVersion { version, .. } => prop_assert!(
            candidates.is_empty() || any(&|route| meant(route, version).is_empty()),
            "{error}"
        ),
        ShiftError::NamedTwice { names: (one, other), .. } => {
            prop_assert!(any(&|route| meant(route, one) == meant(route, other)), "{error}");
        }
        ShiftError::FromDiffers { version, .. } => {
            let (_, wanted) = &case.command.from[0];
            let differs = |route: &Weighted<'_>| {
                let (index, weights) = (meant(route, version)[0], route.weights());
                let sum: u64 = weights.iter().sum();
                sum == 0 || weights[index] * 10_000 != wanted * sum
            };
            prop_assert!(any(&differs), "{error}");
        }
        ShiftError::Split { source, .. } => {
            prop_assert!(any(&|route| cannot_be_divided(case, route, source)), "{error}");
        }
        ShiftError::SeveralRoutes { arguments, .. } => {
            prop_assert_eq!(arguments.len(), candidates.len());
            return routes_are_offered(case, &candidates, arguments, picks)
                .map(|also| [vec![refusal(error)], also].concat());
        }
        ShiftError::AmbiguousVersion { version, names, route: argument, .. } => {
            let is_ambiguous = |route: &&Weighted<'_>| meant(route, version).len() > 1;
            let route = candidates.iter().find(is_ambiguous);
            prop_assert!(route.is_some(), "{error}");
            prop_assert_eq!(names.len(), meant(route.unwrap(), version).len());
            let case = argument.iter().fold(case.clone(), |case, each| with_route(&case, each));
            return versions_are_offered(&case, version, names, picks)
                .map(|also| [vec![refusal(error)], also].concat());
        }
    }
    Ok(vec![refusal(error)])
}

/// Returns what kind of refusal it is.
pub(crate) fn refusal(error: &ShiftError) -> Outcome {
    match error {
        ShiftError::NoWeightedRoute { .. } => "refused: no weighted route",
        ShiftError::SeveralRoutes { .. } => "refused: several routes",
        ShiftError::UnknownRoute { .. } => "refused: unknown route",
        ShiftError::UnknownVersion { .. } => "refused: unknown version",
        ShiftError::AmbiguousVersion { .. } => "refused: ambiguous version",
        ShiftError::NamedTwice { .. } => "refused: named twice",
        ShiftError::FromDiffers { .. } => "refused: --from differs",
        ShiftError::Split { .. } => "refused: no such division",
    }
}

fn cannot_be_divided(case: &Case, route: &Weighted<'_>, why: &SplitError) -> bool {
    let asked = case.command.shares.iter();
    let asked: Vec<_> =
        asked.map(|(name, share)| (route.meant(name, &case.rules)[0], *share)).collect();
    let sum: u64 = asked.iter().map(|(_, share)| share).sum();
    let weights = route.weights();
    let others: Vec<_> = (0..weights.len())
        .filter(|index| asked.iter().all(|(each, _)| each != index))
        .map(|index| weights[index])
        .collect();
    match why {
        SplitError::Sum { .. } => sum > 10_000 || (sum < 10_000 && others.is_empty()),
        SplitError::UndividedRest => {
            sum < 10_000 && others.len() > 1 && others.iter().all(|weight| *weight == 0)
        }
    }
}

/// Each argument means the route it stands for, and the command line takes it.
fn routes_are_offered(
    case: &Case,
    candidates: &[Weighted<'_>],
    arguments: &[String],
    picks: &Picks,
) -> Result<Vec<Outcome>, TestCaseError> {
    let mut resolved = Vec::new();
    for (argument, route) in arguments.iter().zip(candidates) {
        let case = with_route(case, argument);
        match plan(&case.snapshot(), &case.wanted()) {
            Ok(shift) => is_the_route(&shift, route)?,
            Err(error) => prop_assert!(
                !matches!(
                    error,
                    ShiftError::SeveralRoutes { .. }
                        | ShiftError::UnknownRoute { .. }
                        | ShiftError::NoWeightedRoute { .. }
                ),
                "{argument} is no way on: {error}"
            ),
        }
        resolved.push(case);
    }
    is_followed(picks.argument.get(&resolved), picks)
}

fn is_the_route(shift: &Shift, route: &Weighted<'_>) -> Law {
    prop_assert_eq!(&shift.virtual_service.json, route.object);
    let places: Vec<_> = shift.routes.iter().map(|each| each.route.id.to_string()).collect();
    prop_assert_eq!(places, [route.place()]);
    Ok(())
}

/// Each argument means one destination, and the command line takes it.
fn versions_are_offered(
    case: &Case,
    version: &str,
    names: &[String],
    picks: &Picks,
) -> Result<Vec<Outcome>, TestCaseError> {
    let mut resolved = Vec::new();
    for name in names {
        let mut case = case.clone();
        let command = &mut case.command;
        for (asked, _) in command.shares.iter_mut().chain(&mut command.from) {
            if asked == version {
                name.clone_into(asked);
            }
        }
        let error = plan(&case.snapshot(), &case.wanted()).err();
        let is_in_the_way = match &error {
            Some(ShiftError::AmbiguousVersion { version, .. }) => version == name,
            Some(ShiftError::SeveralRoutes { .. } | ShiftError::UnknownRoute { .. }) => true,
            _ => false,
        };
        prop_assert!(!is_in_the_way, "{name} is no way on: {error:?}");
        resolved.push(case);
    }
    is_followed(picks.argument.get(&resolved), picks)
}

/// The command line takes it, and all laws hold of what it leads to.
fn is_followed(case: &Case, picks: &Picks) -> Result<Vec<Outcome>, TestCaseError> {
    let words = std::iter::once("kubectl-kubia".to_owned()).chain(case.arguments());
    prop_assert!(kubia::parse(&words.map(Into::into).collect::<Vec<_>>()).is_ok());
    let mut outcomes = super::check(case, picks)?;
    outcomes.push("an offered argument used");
    Ok(outcomes)
}

/// Types an argument for a route, such as `--route '#1'` or `NAME -n NAMESPACE --route '#1'`.
fn with_route(case: &Case, argument: &str) -> Case {
    let mut case = case.clone();
    let words: Vec<_> = argument.split(' ').map(|word| word.trim_matches('\'')).collect();
    let route = match words.as_slice() {
        ["--route", route] => route,
        [name, "-n", namespace, "--route", route] => {
            case.named = ObjectRef::new(case.named.kind, namespace, name);
            route
        }
        _ => panic!("{argument} is no argument for a route"),
    };
    case.command.route = RouteChoice::Called((*route).to_owned());
    case
}
