//! What must hold of every shift and every undo.

#![expect(clippy::unwrap_used, reason = "a case that cannot go on has failed")]

pub(crate) mod case;
mod command;
pub(crate) mod edits;
pub(crate) mod features;
pub(crate) mod generator;
mod json;
mod reading;
pub(crate) mod refusals;
pub(crate) mod server;

use json_patch::Patch;
use kubia::domain::{
    plan::Operation,
    shift::{
        Aftermath, RouteChoice, Shift, Snapshot, Wanted,
        history::{ANNOTATION, ANNOTATIONS, Entry, History, MAX_BYTES, MAX_ENTRIES, Undone},
        patch, plan, undo,
    },
    split::Percent,
    virtual_service::VirtualService,
};
use proptest::{prelude::*, test_runner::TestCaseError};
use serde_json::Value;

use self::{
    case::Case,
    edits::{Picks, edited},
    reading::{Weighted, weighted},
    refusals::candidates,
    server::patched,
};

pub(crate) type Law = Result<(), TestCaseError>;

/// What a case led to, in words.
pub(crate) type Outcome = &'static str;

/// Plans a case, and checks all that follows from it.
pub(crate) fn check(case: &Case, picks: &Picks) -> Result<Vec<Outcome>, TestCaseError> {
    let snapshot = case.snapshot();
    match plan(&snapshot, &case.wanted()) {
        Ok(shift) => planned(case, &snapshot, &shift, picks),
        Err(error) => refusals::check(case, &snapshot, &error, picks),
    }
}

fn planned(
    case: &Case,
    snapshot: &Snapshot,
    shift: &Shift,
    picks: &Picks,
) -> Result<Vec<Outcome>, TestCaseError> {
    let before = &shift.virtual_service.json;
    let routes = candidates(case, snapshot);
    let meant: Vec<_> = routes.iter().map(Weighted::place).collect();
    let found: Vec<_> = shift.routes.iter().map(|each| each.route.id.to_string()).collect();
    prop_assert_eq!(found, meant);
    prop_assert!(routes.iter().all(|route| route.object == before));
    if shift.is_unchanged() {
        prop_assert!(shift.action(Some("history".to_owned())).is_none());
        shares_are_as_asked(case, before, before, &routes)?;
        return Ok(vec!["unchanged"]);
    }
    let stored = Stored::new(before.clone());
    let annotation = stored.next_annotation(shift, None);
    let is_recorded = annotation.is_some();
    let patch = patch_of(shift, annotation);
    let after = patched(before, &patch);
    prop_assert!(after.is_ok(), "{after:?}: {patch:#?}");
    let after = after.unwrap();
    nothing_else_differs(before, &after, shift)?;
    shares_are_as_asked(case, before, &after, &routes)?;
    prop_assert_eq!(&shift.applied().json["spec"], &after["spec"]);
    prop_assert_eq!(shift.aftermath(&after).0, Aftermath::Written);
    prop_assert_eq!(shift.aftermath(before).0, Aftermath::NotWritten);
    planning_again_is_empty(case, snapshot, &after)?;
    edits_are_told_apart(shift, &patch, &after, is_recorded, picks)?;
    if is_recorded {
        let written = Stored::new(after);
        history_goes_on(&stored, &written)?;
        undo_restores(snapshot, &stored, &written)?;
    }
    Ok(outcomes(snapshot, shift, is_recorded))
}

/// Returns where a shift was written.
pub(crate) fn outcomes(snapshot: &Snapshot, shift: &Shift, is_recorded: bool) -> Vec<Outcome> {
    let is_of = |list: &str| shift.routes[0].route.id.pointer().starts_with(list);
    let all = [
        ("written", true),
        ("written to a delegate", shift.virtual_service != snapshot.named),
        ("written to tls", is_of("/spec/tls/")),
        ("written to tcp", is_of("/spec/tcp/")),
        ("written to several routes", shift.routes.len() > 1),
        ("written, not recorded", !is_recorded),
    ];
    all.into_iter().filter(|(_, holds)| *holds).map(|(outcome, _)| outcome).collect()
}

/// An object with its history; none where it cannot be read.
pub(crate) struct Stored {
    object: VirtualService,
    history: Option<History>,
}

impl Stored {
    pub(crate) fn new(json: Value) -> Self {
        let object = VirtualService::new(json);
        let history = History::read(&object.object, &object.json).ok();
        Self { object, history }
    }

    /// The annotation with one more entry.
    fn next_annotation(&self, shift: &Shift, undone: Option<Undone>) -> Option<String> {
        let entry = shift.entry(
            "2026-11-25T10:00:00Z".parse().unwrap(),
            Some("alice".to_owned()),
            Some("a<b & \"c\"".to_owned()),
        );
        let entry = Entry { undo: undone, ..entry };
        self.history.as_ref()?.with(&self.object.object, entry).ok()
    }
}

fn patch_of(shift: &Shift, annotation: Option<String>) -> Patch {
    match shift.action(annotation).unwrap().operation {
        Operation::JsonPatch(patch) => patch,
        operation @ Operation::Apply { .. } => panic!("{operation:?}"),
    }
}

/// What may differ is taken away: weights of these routes, and our annotation.
fn without_weights_and_history(object: &Value, shift: &Shift) -> Value {
    let mut object = object.clone();
    for route in &shift.routes {
        let destinations = object.pointer_mut(&format!("{}/route", route.route.id.pointer()));
        for destination in destinations.and_then(Value::as_array_mut).into_iter().flatten() {
            destination.as_object_mut().unwrap().remove("weight");
        }
    }
    if let Some(annotations) = object.pointer_mut(ANNOTATIONS).and_then(Value::as_object_mut) {
        annotations.remove(ANNOTATION);
        if annotations.is_empty() {
            object["metadata"].as_object_mut().unwrap().remove("annotations");
        }
    }
    object
}

/// Only weights of the routes that are meant differ, and our annotation.
pub(crate) fn nothing_else_differs(before: &Value, after: &Value, shift: &Shift) -> Law {
    prop_assert_eq!(
        without_weights_and_history(after, shift),
        without_weights_and_history(before, shift)
    );
    Ok(())
}

/// Each share that was asked for is met, and the others keep their proportions.
pub(crate) fn shares_are_as_asked(
    case: &Case,
    before: &Value,
    after: &Value,
    routes: &[Weighted<'_>],
) -> Law {
    let total = case.command.shares.iter().map(|(_, share)| total_for(*share)).max().unwrap();
    let (all_before, all_after) = (weighted(before), weighted(after));
    for route in routes {
        let here = |all: &[Weighted<'_>]| {
            all.iter().find(|each| each.place() == route.place()).unwrap().weights()
        };
        let (before, after) = (here(&all_before), here(&all_after));
        let asked = case.command.shares.iter();
        let asked: Vec<_> =
            asked.map(|(name, share)| (route.meant(name, &case.rules)[0], *share)).collect();
        let sum: u64 = after.iter().sum();
        for (index, share) in &asked {
            // A distance of 1/(2·sum) in shares is one of half a unit in weights.
            let distance = (after[*index] * 10_000).abs_diff(share * sum);
            // What is as it is shown already stays.
            let limit = if before == after { sum } else { 10_000 };
            prop_assert!(sum > 0 && distance * 2 <= limit, "{before:?} → {after:?}: {asked:?}");
        }
        if before == after {
            continue;
        }
        let others: Vec<_> =
            (0..before.len()).filter(|index| asked.iter().all(|(each, _)| each != index)).collect();
        let of_others = |weights: &[u64]| others.iter().map(|index| weights[*index]).sum::<u64>();
        let (sum_before, sum_after) = (of_others(&before), of_others(&after));
        // Sums are larger where otherwise somebody would be rounded to nothing, if that helps.
        let had = || others.iter().filter(|index| before[**index] > 0);
        let is_lost = |total: u64| {
            let part = |index: &usize| sum_after * total / sum * before[*index];
            sum_after > 0 && had().any(|index| part(index) < sum_before)
        };
        prop_assert!([total, 10 * total, 100 * total].contains(&sum) && sum <= 10_000);
        prop_assert!(sum == total || is_lost(sum / 10), "{before:?} → {after:?}");
        let is_kept = sum_after == 0 || had().all(|index| after[*index] > 0);
        prop_assert!(is_kept || is_lost(10_000), "{before:?} → {after:?}");
        for index in others.iter().filter(|_| others.len() > 1 && sum_after > 0) {
            let exact = sum_after * before[*index];
            let distance = (after[*index] * sum_before).abs_diff(exact);
            prop_assert!(distance < sum_before, "{before:?} → {after:?}: {asked:?}");
        }
    }
    Ok(())
}

/// The smallest sum of weights that has a share, given in hundredths of a percent.
fn total_for(share: u64) -> u64 {
    match share {
        _ if share.is_multiple_of(100) => 100,
        _ if share.is_multiple_of(10) => 1000,
        _ => 10_000,
    }
}

fn planning_again_is_empty(case: &Case, snapshot: &Snapshot, after: &Value) -> Law {
    let mut now = snapshot.clone();
    let after = VirtualService::new(after.clone());
    for each in std::iter::once(&mut now.named).chain(&mut now.delegates) {
        if each.object == after.object {
            each.clone_from(&after);
        }
    }
    // `--from` says what was, not what is.
    let mut wanted = case.wanted();
    wanted.from.clear();
    let again = plan(&now, &wanted);
    prop_assert!(again.as_ref().is_ok_and(Shift::is_unchanged), "{again:?}");
    Ok(())
}

/// What was tested is a conflict when it changes, and named; what was not goes through and survives.
fn edits_are_told_apart(
    shift: &Shift,
    patch: &Patch,
    after: &Value,
    is_recorded: bool,
    picks: &Picks,
) -> Law {
    let before = &shift.virtual_service.json;
    let all = edits::tested(shift, is_recorded);
    let edit = picks.tested.get(&all);
    let now = edited(before, edit);
    let Some(named) = patch::conflict(patch, &now) else {
        return Err(TestCaseError::fail(format!("{edit:?} is no conflict")));
    };
    prop_assert!(before.pointer(&named) != now.pointer(&named), "{edit:?}: {named} is the same");
    prop_assert!(patched(&now, patch).is_err(), "{edit:?} is overwritten");

    let all = edits::others(shift, is_recorded);
    let edit = picks.other.get(&all);
    let now = edited(before, edit);
    prop_assert_eq!(patch::conflict(patch, &now), None, "{:?}", edit);
    let written = patched(&now, patch);
    prop_assert!(written.is_ok(), "{edit:?}: {written:?}");
    prop_assert_eq!(written.unwrap(), edited(after, edit), "{:?}", edit);
    Ok(())
}

/// The annotation has one entry more, is as long as it may be, and lost only the oldest.
pub(crate) fn history_goes_on(before: &Stored, after: &Stored) -> Law {
    let annotation = after.object.json["metadata"]["annotations"][ANNOTATION].as_str();
    prop_assert!(annotation.unwrap().len() <= MAX_BYTES);
    let (Some(old), Some(new)) = (&before.history, &after.history) else {
        return Err(TestCaseError::fail(format!("unreadable: {annotation:?}")));
    };
    prop_assert!(new.entries().len() <= MAX_ENTRIES);
    let (last, kept) = new.entries().split_last().unwrap();
    prop_assert!(old.entries().ends_with(kept));
    let revision = old.entries().last().map_or(0, |entry| entry.revision);
    prop_assert_eq!(last.revision, revision + 1);
    Ok(())
}

/// Undo gives back the very routes, undo of undo the shifted ones, and so does their revision.
fn undo_restores(snapshot: &Snapshot, before: &Stored, after: &Stored) -> Law {
    let spec = |stored: &Stored| stored.object.json["spec"].clone();
    let restored = undone(snapshot, after, None)?;
    prop_assert_eq!(spec(&restored), spec(before));
    let again = undone(snapshot, &restored, None)?;
    prop_assert_eq!(spec(&again), spec(after));
    let last = after.history.as_ref().unwrap().entries().last();
    let last = last.map(|entry| entry.revision);
    let by_revision = undone(snapshot, &restored, last)?;
    prop_assert_eq!(spec(&by_revision), spec(after));
    let Some(later) = with_another_route_shifted(snapshot, after) else { return Ok(()) };
    prop_assert_eq!(spec(&undone(snapshot, &later, last)?), spec(after));
    if last == Some(1) {
        prop_assert_eq!(spec(&undone(snapshot, &later, Some(0))?), spec(before));
    }
    Ok(())
}

/// The object after one more recorded shift, of another route than the last one; nothing when none of
/// them can be shifted, or the last one is not recorded any more.
fn with_another_route_shifted(snapshot: &Snapshot, now: &Stored) -> Option<Stored> {
    let last = now.history.as_ref()?.entries().last()?;
    let is_other = |place: &String| last.routes.iter().all(|route| route.place != *place);
    let place = weighted(&now.object.json).iter().map(Weighted::place).find(is_other)?;
    let share = Percent::new(37).unwrap();
    let wanted = Wanted {
        shares: vec![("#0".to_owned(), share)],
        from: vec![],
        route: RouteChoice::Called(place),
    };
    let snapshot = Snapshot { named: now.object.clone(), delegates: vec![], ..snapshot.clone() };
    let shift = plan(&snapshot, &wanted).ok().filter(|shift| !shift.is_unchanged())?;
    let patch = patch_of(&shift, Some(now.next_annotation(&shift, None)?));
    let later = Stored::new(patched(&now.object.json, &patch).unwrap());
    later.history.as_ref()?.entries().iter().any(|entry| entry == last).then_some(later)
}

fn undone(
    snapshot: &Snapshot,
    now: &Stored,
    revision: Option<u64>,
) -> Result<Stored, TestCaseError> {
    let history = now.history.as_ref().unwrap();
    let undo = undo::plan(&now.object, history, revision, &snapshot.subsets);
    prop_assert!(undo.is_ok(), "{undo:?}");
    let undo = undo.unwrap();
    prop_assert_eq!(&undo.edited, &[""; 0]);
    let patch = patch_of(&undo.shift, now.next_annotation(&undo.shift, Some(undo.undone)));
    let after = patched(&now.object.json, &patch);
    prop_assert!(after.is_ok(), "{after:?}");
    let after = Stored::new(after.unwrap());
    nothing_else_differs(&now.object.json, &after.object.json, &undo.shift)?;
    history_goes_on(now, &after)?;
    Ok(after)
}
