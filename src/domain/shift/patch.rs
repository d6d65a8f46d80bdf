//! The one JSON Patch that changes weights: it first tests what the plan was made from.
//!
//! The API server carries the tests out against the stored object, so the patch is a true
//! compare-and-set; whatever it does not name survives.

use json_patch::{
    AddOperation, Patch, PatchOperation, RemoveOperation, TestOperation,
    jsonptr::{PointerBuf, Token},
};
use serde_json::{Value, json};

use crate::domain::{
    route::{Protocol, RouteId},
    shift::history::{ANNOTATION, ANNOTATIONS, POINTER},
};

/// The new weights of one route; an absent weight is removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewWeights {
    /// The route.
    pub route: RouteId,
    /// `weight` of each destination, in order.
    pub weights: Vec<Option<u64>>,
}

/// Returns the patch from `read` to the new weights and, if given, the new history.
///
/// Tested are of each route what says which requests it is for (`match`, `name`) and where they go
/// (`route`), and the history; so a route that was edited, moved or replaced meanwhile is a conflict,
/// and so is a change of weights by anybody who keeps the history.
#[must_use]
pub fn guarded(read: &Value, changes: &[NewWeights], history: Option<String>) -> Patch {
    let mut operations = Vec::new();
    for change in changes {
        let place = change.route.pointer();
        let fields: &[&str] = match change.route.protocol {
            Protocol::Http => &["match", "name", "route"],
            Protocol::Tls | Protocol::Tcp => &["match", "route"],
        };
        operations.extend(fields.iter().map(|field| test(read, &format!("{place}/{field}"))));
    }
    if history.is_some() {
        operations.push(match read.pointer(ANNOTATIONS) {
            None => test(read, ANNOTATIONS),
            Some(_) => test(read, POINTER),
        });
    }
    operations.extend(changes.iter().flat_map(|change| weights(read, change)));
    operations.extend(history.map(|history| match read.pointer(ANNOTATIONS) {
        // `add` needs what it adds to.
        None => add(ANNOTATIONS, json!({ANNOTATION: history})),
        Some(_) => add(POINTER, history.into()),
    }));
    Patch(operations)
}

/// Returns the path of the first tested value that differs in the object as it is now.
///
/// A failed `test` is answered by a 422 that names nothing, so a conflict has to be found by reading again.
#[must_use]
pub fn conflict(Patch(operations): &Patch, now: &Value) -> Option<String> {
    operations.iter().find_map(|operation| match operation {
        PatchOperation::Test(test) => {
            let now = now.pointer(test.path.as_str()).unwrap_or(&Value::Null);
            difference(&test.value, now, test.path.as_str())
        }
        _ => None,
    })
}

/// Returns whether the object has all that the patch writes, down to its entry of the history: it is
/// as this very patch has left it.
#[must_use]
pub fn is_written(patch: &Patch, now: &Value) -> bool {
    is_recorded(patch, now) && patch.0.iter().filter_map(|each| is_done(each, now)).all(|done| done)
}

/// Returns whether the object has the history that the patch writes. Nobody else writes the same: it
/// has the time, the user and all weights; so this very patch was carried out.
#[must_use]
pub fn is_recorded(Patch(operations): &Patch, now: &Value) -> bool {
    let mut history =
        operations.iter().filter(|each| [ANNOTATIONS, POINTER].contains(&place(each)));
    history.find_map(|each| is_done(each, now)).unwrap_or(false)
}

fn place(operation: &PatchOperation) -> &str {
    operation.path().as_str()
}

/// Returns whether the object is as an operation leaves it; nothing for one that changes nothing.
fn is_done(operation: &PatchOperation, now: &Value) -> Option<bool> {
    match operation {
        PatchOperation::Add(add) if place(operation) == ANNOTATIONS => {
            // There may be others by now.
            Some(add.value.get(ANNOTATION) == now.pointer(POINTER))
        }
        PatchOperation::Add(add) => Some(now.pointer(place(operation)) == Some(&add.value)),
        PatchOperation::Remove(_) => Some(now.pointer(place(operation)).is_none()),
        _ => None,
    }
}

/// Returns the path of the innermost value that holds all that differs.
fn difference(before: &Value, now: &Value, path: &str) -> Option<String> {
    if before == now {
        return None;
    }
    let inner: Vec<_> = match (before, now) {
        (Value::Array(before), Value::Array(now)) if before.len() == now.len() => {
            let pairs = before.iter().zip(now).enumerate();
            pairs
                .filter_map(|(at, (one, other))| difference(one, other, &format!("{path}/{at}")))
                .collect()
        }
        (Value::Object(before), Value::Object(now)) if before.keys().eq(now.keys()) => {
            let place = |key: &str| format!("{path}/{}", Token::new(key).encoded());
            let fields = before.iter();
            fields.filter_map(|(key, one)| difference(one, &now[key], &place(key))).collect()
        }
        _ => vec![],
    };
    match <[String; 1]>::try_from(inner) {
        Ok([inner]) => Some(inner),
        Err(_) => Some(path.to_owned()),
    }
}

/// Tests a value as it was read; the API server takes null for a value that is absent.
fn test(read: &Value, path: &str) -> PatchOperation {
    let value = read.pointer(path).cloned().unwrap_or_default();
    PatchOperation::Test(TestOperation { path: pointer(path), value })
}

fn weights(read: &Value, change: &NewWeights) -> Vec<PatchOperation> {
    let place = format!("{}/route", change.route.pointer());
    let paths = (0..change.weights.len()).map(|index| format!("{place}/{index}/weight"));
    let changed = paths.zip(&change.weights).filter_map(|(path, weight)| {
        match (read.pointer(&path).and_then(Value::as_u64), *weight) {
            (before, after) if before == after => None,
            (_, None) => Some(PatchOperation::Remove(RemoveOperation { path: pointer(&path) })),
            // `add` sets a weight whether or not there is one; `replace` fails where it is omitted.
            (_, Some(weight)) => Some(add(&path, weight.into())),
        }
    });
    changed.collect()
}

fn add(path: &str, value: Value) -> PatchOperation {
    PatchOperation::Add(AddOperation { path: pointer(path), value })
}

fn pointer(path: &str) -> PointerBuf {
    PointerBuf::parse(path.to_owned()).expect("a path of field names and numbers is a JSON pointer")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(weights: [u64; 2]) -> Value {
        let route = weights.map(|weight| json!({"destination": {"host": "a"}, "weight": weight}));
        json!({"metadata": {}, "spec": {"http": [{"fault": {}}, {"name": "main", "route": route}]}})
    }

    fn change(weights: [Option<u64>; 2]) -> NewWeights {
        NewWeights { route: "#1".parse().unwrap(), weights: weights.to_vec() }
    }

    #[track_caller]
    fn check(read: &Value, history: Option<&str>, weights: [Option<u64>; 2], expected: &Value) {
        let patch = guarded(read, &[change(weights)], history.map(str::to_owned));
        assert_eq!(&serde_json::to_value(&patch).unwrap(), expected);
    }

    #[test]
    fn weights_are_set_and_removed_behind_tests_of_what_was_read() {
        let read = object([70, 30]);
        let route = &read["spec"]["http"][1]["route"];
        check(
            &read,
            None,
            [Some(50), None],
            &json!([
                {"op": "test", "path": "/spec/http/1/match", "value": null},
                {"op": "test", "path": "/spec/http/1/name", "value": "main"},
                {"op": "test", "path": "/spec/http/1/route", "value": route},
                {"op": "add", "path": "/spec/http/1/route/0/weight", "value": 50},
                {"op": "remove", "path": "/spec/http/1/route/1/weight"},
            ]),
        );
    }

    #[test]
    fn the_history_is_written_with_them_whether_or_not_there_are_annotations() {
        let mut read = object([70, 30]);
        let of_metadata = |read: &Value| {
            let patch = guarded(read, &[change([Some(70), Some(30)])], Some("new".to_owned()));
            serde_json::to_value(&patch.0[3..]).unwrap()
        };
        assert_eq!(
            of_metadata(&read),
            json!([
                {"op": "test", "path": ANNOTATIONS, "value": null},
                {"op": "add", "path": ANNOTATIONS, "value": {ANNOTATION: "new"}},
            ])
        );
        for (annotations, before) in
            [(json!({}), json!(null)), (json!({ANNOTATION: "old"}), json!("old"))]
        {
            read["metadata"]["annotations"] = annotations;
            assert_eq!(
                of_metadata(&read),
                json!([
                    {"op": "test", "path": POINTER, "value": before},
                    {"op": "add", "path": POINTER, "value": "new"},
                ])
            );
        }
    }

    #[test]
    fn a_conflict_is_named_by_the_innermost_path() {
        let read = object([70, 30]);
        let patch = guarded(&read, &[change([Some(50), Some(50)])], Some("new".to_owned()));
        assert_eq!(conflict(&patch, &read), None);
        let edited = |edit: &dyn Fn(&mut Value)| {
            let mut now = read.clone();
            edit(&mut now);
            conflict(&patch, &now).unwrap_or_default()
        };
        let route = "/spec/http/1/route";
        assert_eq!(
            edited(&|now| now["spec"]["http"][1]["route"][0]["weight"] = json!(71)),
            format!("{route}/0/weight")
        );
        assert_eq!(
            edited(&|now| for index in [0, 1] {
                now["spec"]["http"][1]["route"][index]["weight"] = json!(50);
            }),
            route
        );
        assert_eq!(edited(&|now| now["spec"]["http"][1]["name"] = json!("b")), "/spec/http/1/name");
        assert_eq!(edited(&|now| now["metadata"]["annotations"] = json!({"a": "b"})), ANNOTATIONS);
        assert_eq!(edited(&|now| now["spec"]["http"][0]["fault"] = json!(1)), "");
    }

    fn carry_out(Patch(operations): &Patch, object: &mut Value) {
        let changes = operations.iter().filter(|each| !matches!(each, PatchOperation::Test(_)));
        json_patch::patch(object, &changes.cloned().collect::<Vec<_>>()).unwrap();
    }

    #[test]
    fn what_the_patch_itself_has_written_is_told_by_its_history() {
        let mut read = object([70, 30]);
        for annotations in [None, Some(json!({})), Some(json!({ANNOTATION: "old"}))] {
            if let Some(annotations) = annotations {
                read["metadata"]["annotations"] = annotations;
            }
            let patch = guarded(&read, &[change([Some(50), None])], Some("new".to_owned()));
            let told = |now: &Value| (is_written(&patch, now), is_recorded(&patch, now));
            assert_eq!(told(&read), (false, false));
            let mut now = read.clone();
            carry_out(&patch, &mut now);
            assert_eq!(told(&now), (true, true));
            now["metadata"]["annotations"]["other"] = json!("added later");
            now["spec"]["http"][0]["fault"] = json!(1);
            assert_eq!(told(&now), (true, true));
            let mut overtaken = now.clone();
            overtaken["spec"]["http"][1]["route"][0]["weight"] = json!(51);
            assert_eq!(told(&overtaken), (false, true));
            let mut overtaken = now.clone();
            overtaken["spec"]["http"][1]["route"][1]["weight"] = json!(50);
            assert_eq!(told(&overtaken), (false, true));
            // The same weights by somebody else.
            now["metadata"]["annotations"][ANNOTATION] = json!("another");
            assert_eq!(told(&now), (false, false));
        }
    }

    #[test]
    fn without_a_history_nobody_knows_who_wrote() {
        let read = object([70, 30]);
        let patch = guarded(&read, &[change([Some(50), Some(50)])], None);
        let mut now = read;
        carry_out(&patch, &mut now);
        assert!(!is_written(&patch, &now) && !is_recorded(&patch, &now));
    }

    #[test]
    fn the_path_of_a_conflict_is_a_json_pointer_whatever_the_keys_are() {
        let mut read = object([70, 30]);
        let key = "a/b~c";
        read["spec"]["http"][1]["match"] = json!([{"queryParams": {key: {"exact": "1"}}}]);
        let patch = guarded(&read, &[change([Some(50), Some(50)])], None);
        let mut now = read.clone();
        now["spec"]["http"][1]["match"][0]["queryParams"][key]["exact"] = json!("2");
        let named = conflict(&patch, &now).unwrap();
        assert_eq!(named, "/spec/http/1/match/0/queryParams/a~1b~0c/exact");
        assert_eq!(now.pointer(&named), Some(&json!("2")));
    }
}
