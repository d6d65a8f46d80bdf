//! The recorded objects of this folder, for `tests/it` and `tests/e2e`.

#![expect(clippy::unwrap_used, reason = "a recorded object that is not as it should be has failed")]

use std::{fs, path::Path};

use serde::Deserialize;
use serde_json::Value;

/// One file: what is expected, then the VirtualService.
pub(crate) struct Recorded {
    /// The file's name without its ending.
    pub(crate) name: String,
    pub(crate) expected: Expected,
    pub(crate) object: Value,
}

/// The first document.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expected {
    pub(crate) about: String,
    pub(crate) source: String,
    pub(crate) owners: Vec<ExpectedOwner>,
}

/// An owner that has to be recognised.
#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExpectedOwner {
    pub(crate) says: String,
    pub(crate) evidence: String,
    pub(crate) stance: String,
}

/// Reads all of them, in the order of their names.
pub(crate) fn all() -> Vec<Recorded> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/owners");
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|ending| ending == "yaml")).collect();
    files.sort();
    files.iter().map(|file| read(file)).collect()
}

fn read(file: &Path) -> Recorded {
    let text = fs::read_to_string(file).unwrap();
    let (expected, object) = text.split_once("\n---\n").unwrap();
    let expected = serde_saphyr::from_str(expected);
    Recorded {
        name: file.file_stem().unwrap().to_str().unwrap().to_owned(),
        expected: expected.unwrap_or_else(|error| panic!("{}: {error}", file.display())),
        object: serde_saphyr::from_str(object).unwrap(),
    }
}

/// The two documents of a snippet: the owner's object, and the VirtualService.
pub(crate) fn documents(snippet: &str) -> [Value; 2] {
    let documents: Vec<Value> = serde_saphyr::from_multiple(snippet).unwrap();
    documents.try_into().unwrap()
}

/// Takes away our history, and the weights of all routes with at least so many destinations.
pub(crate) fn without_weights(object: &Value, destinations: usize) -> Value {
    let mut object = object.clone();
    for protocol in ["http", "tcp", "tls"] {
        let routes = object.pointer_mut(&format!("/spec/{protocol}"));
        for route in routes.and_then(Value::as_array_mut).into_iter().flatten() {
            let route = route.pointer_mut("/route").and_then(Value::as_array_mut);
            for each in route.into_iter().filter(|all| all.len() >= destinations).flatten() {
                each.as_object_mut().unwrap().remove("weight");
            }
        }
    }
    if let Some(annotations) = object.pointer_mut("/metadata/annotations") {
        annotations.as_object_mut().unwrap().remove("kubectl-kubia/history");
    }
    object
}

/// Removes what JSON pointers point to; what is not there is left out, as Argo CD and Flux do.
pub(crate) fn without(object: &Value, pointers: &Value) -> Value {
    let mut object = object.clone();
    for pointer in pointers.as_array().unwrap() {
        let pointer = pointer.as_str().unwrap();
        if object.pointer(pointer).is_some() {
            let remove = serde_json::json!([{"op": "remove", "path": pointer}]);
            let remove: json_patch::Patch = serde_json::from_value(remove).unwrap();
            json_patch::patch(&mut object, &remove).unwrap();
        }
    }
    object
}
