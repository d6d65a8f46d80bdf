//! What somebody else may do to an object between our reading and our writing.

use kubia::domain::shift::{
    Shift,
    history::{ANNOTATIONS, POINTER},
};
use proptest::{prelude::*, sample::Index};
use serde_json::{Value, json};

use super::reading::{PROTOCOLS, weighted};

/// A JSON pointer, and what is put there; nothing where something is taken away.
pub(crate) type Edit = (String, Option<Value>);

/// Which of all edits are tried out on a case.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Picks {
    pub(crate) tested: Index,
    pub(crate) other: Index,
    /// Which of the arguments that a refusal offers is followed to the end.
    pub(crate) argument: Index,
}

pub(crate) fn picks() -> impl Strategy<Value = Picks> {
    any::<[Index; 3]>().prop_map(|[tested, other, argument]| Picks { tested, other, argument })
}

/// Returns the object after an edit.
pub(crate) fn edited(object: &Value, (pointer, value): &Edit) -> Value {
    let mut object = object.clone();
    let (parent, last) = pointer.rsplit_once('/').unwrap();
    let last = last.replace("~1", "/");
    match (object.pointer_mut(parent), value) {
        (Some(Value::Object(fields)), Some(value)) => drop(fields.insert(last, value.clone())),
        (Some(Value::Object(fields)), None) => drop(fields.remove(&last)),
        (Some(Value::Array(items)), Some(value)) => items.push(value.clone()),
        (Some(Value::Array(items)), None) => drop(items.remove(last.parse().unwrap())),
        (parent, _) => panic!("{pointer} cannot be edited: {parent:?}"),
    }
    object
}

/// Returns the edits of what the shift was planned from.
pub(crate) fn tested(shift: &Shift, is_recorded: bool) -> Vec<Edit> {
    let object = &shift.virtual_service.json;
    let mut edits = Vec::new();
    for route in changed(shift) {
        let is_there = |pointer: &str| object.pointer(pointer).is_some();
        let mut optional = vec![(format!("{route}/match"), json!([{"port": 81}]))];
        if route.starts_with("/spec/http/") {
            optional.push((format!("{route}/name"), json!("renamed")));
        }
        let destinations = object.pointer(&format!("{route}/route")).unwrap().as_array().unwrap();
        for (index, destination) in destinations.iter().enumerate() {
            let place = format!("{route}/route/{index}");
            let weight = destination["weight"].as_u64().unwrap_or(0);
            optional.push((format!("{place}/weight"), json!(weight + 1)));
            edits.push((format!("{place}/destination"), Some(json!({"host": "elsewhere"}))));
            edits.push((place, None));
        }
        edits.push((format!("{route}/route/-"), Some(json!({"destination": {"host": "new"}}))));
        for (pointer, value) in optional {
            if is_there(&pointer) {
                edits.push((pointer.clone(), None));
            }
            edits.push((pointer, Some(value)));
        }
    }
    if is_recorded {
        edits.extend(history_edits(object));
    }
    edits
}

fn history_edits(object: &Value) -> Vec<Edit> {
    if object.pointer(ANNOTATIONS).is_none() {
        return vec![(ANNOTATIONS.to_owned(), Some(json!({"example.com/new": "1"})))];
    }
    let mut edits = vec![(POINTER.to_owned(), Some(json!("another history")))];
    edits.extend(object.pointer(POINTER).map(|_| (POINTER.to_owned(), None)));
    edits
}

/// Returns edits of what the shift does not depend on.
pub(crate) fn others(shift: &Shift, is_recorded: bool) -> Vec<Edit> {
    let object = &shift.virtual_service.json;
    let changed: Vec<_> = changed(shift).collect();
    let mut edits = vec![
        ("/metadata/labels".to_owned(), Some(json!({"new": "label"}))),
        ("/metadata/resourceVersion".to_owned(), Some(json!("42"))),
        ("/spec/hosts".to_owned(), Some(json!(["elsewhere.example.com"]))),
    ];
    edits.extend(changed.iter().map(|route| (format!("{route}/timeout"), Some(json!("9s")))));
    let lists = PROTOCOLS.iter().filter(|protocol| object["spec"][protocol].is_array());
    edits.extend(lists.map(|list| (format!("/spec/{list}/-"), Some(json!({"route": []})))));
    let untouched = weighted(object).into_iter().map(|route| route.pointer());
    edits.extend(
        untouched
            .filter(|route| !changed.contains(route))
            .map(|route| (format!("{route}/route/0/weight"), Some(json!(77)))),
    );
    if object.pointer(ANNOTATIONS).is_some() {
        let new = format!("{ANNOTATIONS}/example.com~1new");
        edits.push((new, Some(json!("1"))));
    }
    if !is_recorded {
        edits.extend(history_edits(object));
    }
    edits
}

fn changed(shift: &Shift) -> impl Iterator<Item = String> {
    let changed = shift.routes.iter().filter(|route| !route.is_unchanged());
    changed.map(|route| route.route.id.pointer())
}
