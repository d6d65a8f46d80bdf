//! Objects that are not what their definitions say: nothing that is read may panic.

use kubia::{
    domain::{
        plan::Operation,
        shift::{
            RouteChoice, Shift, Snapshot, Wanted,
            guard::{self, Facts},
            history::{History, POINTER},
            owner, patch, plan, undo,
        },
        status,
        virtual_service::VirtualService,
    },
    error::Error,
};
use proptest::{collection::vec, prelude::*, sample::Index, sample::select};
use serde_json::{Value, json};

use super::laws::case::Case;

/// Something put in the place of a part of an object.
type Damage = (Index, Value);

/// Returns cases with parts of their objects, and of the history in them, replaced by any JSON.
pub(crate) fn misshapen(cases: BoxedStrategy<Case>) -> impl Strategy<Value = Case> {
    let damages = vec((any::<Index>(), json()), 0..3).boxed();
    (cases, [damages.clone(), damages.clone(), damages]).prop_map(
        |(mut case, [objects, histories, rules])| {
            for object in &mut case.objects {
                histories.iter().for_each(|damage| damage_history(object, damage));
                objects.iter().for_each(|each| damage(object, each));
            }
            for rule in &mut case.rules {
                rules.iter().for_each(|each| damage(rule, each));
            }
            case
        },
    )
}

/// Any JSON, with the words and numbers that are most likely to be taken for something.
fn json() -> impl Strategy<Value = Value> {
    let words =
        ["", "#0", "=", "/", ":", ".", "..", "a.b.svc", "*", "\0", "\u{2028}", "web:/", "é"];
    let leaf = prop_oneof![
        select(words.map(Value::from).to_vec()),
        select(vec![json!(null), json!(true), json!(-1), json!(0.5), json!(1e300)]),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        vec(any::<char>(), 0..6).prop_map(|text| text.into_iter().collect::<String>().into()),
    ];
    let fields = ["host", "weight", "route", "name", "match", "version", "entries", "routes"];
    leaf.prop_recursive(3, 12, 4, move |inner| {
        let field = (select(fields.to_vec()), inner.clone());
        prop_oneof![
            vec(inner, 0..4).prop_map(Value::from),
            vec(field, 0..4).prop_map(|fields| fields.into_iter().collect()),
        ]
    })
}

/// Replaces one value, chosen among all there are, the whole object included.
fn damage(object: &mut Value, (pick, value): &Damage) {
    let mut pointers = vec![String::new()];
    collect(object, "", &mut pointers);
    let pointer: &String = pick.get(&pointers);
    *object.pointer_mut(pointer).unwrap() = value.clone();
}

fn collect(value: &Value, at: &str, pointers: &mut Vec<String>) {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(fields) => {
            let escaped = |field: &str| field.replace('~', "~0").replace('/', "~1");
            fields.iter().map(|(field, value)| (escaped(field), value)).collect()
        }
        Value::Array(values) => {
            values.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect()
        }
        _ => vec![],
    };
    for (name, value) in inner {
        let pointer = format!("{at}/{name}");
        pointers.push(pointer.clone());
        collect(value, &pointer, pointers);
    }
}

/// Damages the history where it is written as text, so that it still is JSON.
fn damage_history(object: &mut Value, each: &Damage) {
    let Some(annotation) = object.pointer_mut(POINTER) else {
        return;
    };
    let history = annotation.as_str().and_then(|text| serde_json::from_str(text).ok());
    let Some(mut history) = history else { return };
    damage(&mut history, each);
    *annotation = history.to_string().into();
}

/// Does with a case all that `shift`, `undo`, `history` and `status` do with what they read.
pub(crate) fn use_all(case: &Case) {
    let snapshot = case.snapshot();
    let asked = case.wanted();
    let routes = ["#0", "tls#0", "tcp#0", ""].map(|name| RouteChoice::Called(name.to_owned()));
    for route in
        [RouteChoice::Only, RouteChoice::All, asked.route.clone()].into_iter().chain(routes)
    {
        match plan(&snapshot, &Wanted { route, ..asked.clone() }) {
            Ok(shift) => use_shift(&shift, &snapshot, case),
            Err(error) => use_error(&error.into()),
        }
    }
    let objects: Vec<_> =
        std::iter::once(&snapshot.named).chain(&snapshot.delegates).cloned().collect();
    for object in &objects {
        use_object(object, &snapshot, case);
    }
    let _ = status::lines(&objects, &snapshot.subsets);
}

fn use_object(object: &VirtualService, snapshot: &Snapshot, case: &Case) {
    let _ = (object.hosts(), object.gateways(), object.is_for_mesh());
    for owner in owner::owners(&object.json) {
        let _ = (owner.consequence(), owner.snippet(&object.json));
    }
    let history = match History::read(&object.object, &object.json) {
        Ok(history) => history,
        Err(error) => return use_error(&error.into()),
    };
    let revisions = history.entries().iter().map(|entry| Some(entry.revision));
    for revision in revisions.chain([None, Some(0)]) {
        match undo::plan(object, &history, revision, &snapshot.subsets) {
            Ok(undo) => use_shift(&undo.shift, snapshot, case),
            Err(error) => use_error(&error.into()),
        }
    }
}

fn use_shift(shift: &Shift, snapshot: &Snapshot, case: &Case) {
    let facts = Facts { owners: owner::owners(&shift.virtual_service.json), ..Facts::default() };
    let mut findings = guard::check(shift, &facts);
    if let Err(error) = findings.allow(&shift.virtual_service.object, &[]) {
        use_error(&error.into());
    }
    shift.rising().count();
    let entry = shift.entry("2026-11-25T10:00:00Z".parse().unwrap(), None, None);
    let history = History::read(&shift.virtual_service.object, &shift.virtual_service.json)
        .and_then(|history| history.with(&shift.virtual_service.object, entry));
    let others = case.objects.iter().chain(&case.rules).chain([&snapshot.named.json]);
    for now in others.chain([&shift.applied().json]) {
        let _ = shift.aftermath(now);
        if let Some(action) = shift.action(history.as_ref().ok().cloned())
            && let Operation::JsonPatch(patch) = action.operation
        {
            let _ = patch::conflict(&patch, now);
        }
    }
}

/// Says what is wrong, and what to do.
fn use_error(error: &Error) {
    let said = format!("{:?}: {error} {:?}", error.exit_code(), error.hint());
    assert!(!said.chars().any(char::is_control), "{said:?}");
}
