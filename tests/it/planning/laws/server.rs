//! What the API server does with a JSON Patch.

use json_patch::{Patch, PatchErrorKind, PatchOperation, jsonptr::Pointer};
use serde_json::Value;

/// Returns the object after the patch.
///
/// A `test` for null passes where the field is absent: there, and only there, the server differs from
/// the crate.
pub(crate) fn patched(object: &Value, Patch(operations): &Patch) -> Result<Value, PatchErrorKind> {
    let mut object = object.clone();
    for operation in operations {
        if let PatchOperation::Test(test) = operation
            && test.value.is_null()
            && is_absent_field(&object, &test.path)
        {
            continue;
        }
        json_patch::patch(&mut object, std::slice::from_ref(operation))
            .map_err(|error| error.kind)?;
    }
    Ok(object)
}

/// Whether the object that would have the field is there, and does not have it.
fn is_absent_field(object: &Value, path: &Pointer) -> bool {
    let parent = path.parent().and_then(|parent| object.pointer(parent.as_str()));
    parent.is_some_and(Value::is_object) && object.pointer(path.as_str()).is_none()
}
