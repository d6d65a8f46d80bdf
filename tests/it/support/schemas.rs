//! Machine output against its schemas.

use std::{fs, path::Path};

use serde_json::Value;

/// Says where a command's JSON differs from the schema of its kind; nothing for other output.
pub(crate) fn violations(stdout: &str) -> Vec<String> {
    let Ok(output) = serde_json::from_str::<Value>(stdout) else { return Vec::new() };
    if output["apiVersion"] != "kubectl-kubia/v1" {
        return Vec::new();
    }
    let kind = output["kind"].as_str().unwrap_or_default();
    let path = Path::new("schemas").join(format!("{kind}.json"));
    let Ok(schema) = fs::read_to_string(&path) else {
        return vec![format!("there is no {}", path.display())];
    };
    let validator = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    validator
        .iter_errors(&output)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}
