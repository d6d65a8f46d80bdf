//! What a command is about to do: actions on objects, decided before any of them is sent.

use serde_json::Value;

use super::object::ObjectRef;

/// Owner of what this program writes, in `metadata.managedFields`.
pub const FIELD_MANAGER: &str = "kubectl-kubia";

/// How a mutating command treats the cluster: `--dry-run`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DryRun {
    /// Writes.
    #[default]
    None,
    /// Only shows the plan.
    Client,
    /// Lets the server check everything, and write nothing.
    Server,
}

/// One write: an object and what is sent to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Action {
    /// The object written to.
    pub object: ObjectRef,
    /// What is sent.
    pub operation: Operation,
}

/// What is sent to an object.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// Server-side apply of a manifest.
    Apply {
        /// The manifest; `metadata.resourceVersion` makes it conditional.
        manifest: Value,
        /// Takes over fields other managers own.
        force: bool,
    },
    /// A JSON Patch (RFC 6902) that opens with `test` operations on what was read.
    JsonPatch(json_patch::Patch),
}

/// What a write did to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It did not exist before.
    Created,
    /// Its spec or labels changed.
    Configured,
    /// A patch changed it.
    Patched,
    /// Nothing had to change.
    Unchanged,
}

impl Outcome {
    /// Returns the verb of kubectl's mutation lines.
    #[must_use]
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Configured => "configured",
            Self::Patched => "patched",
            Self::Unchanged => "unchanged",
        }
    }
}
