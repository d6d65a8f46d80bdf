//! Sends what was planned, one result per action.

use super::{Answer, ApiError, Cluster, Intent, connection::Repeat, encode, request_with_body};
use crate::domain::{
    deploy,
    object::ObjectRef,
    plan::{Action, DryRun, FIELD_MANAGER, Operation, Outcome},
};

impl Cluster {
    /// Sends one action. `before` is the object as it was read, absent when there was none.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn apply(
        &self,
        action: &Action,
        before: Option<&serde_json::Value>,
        dry_run: DryRun,
    ) -> Result<Outcome, ApiError> {
        let (body, query) = content(&action.operation);
        let repeat = match (&action.operation, dry_run) {
            (_, DryRun::Client | DryRun::Server) => Repeat::Always,
            // Opened by a `test`, it changes nothing a second time.
            (Operation::JsonPatch(_), DryRun::None) => Repeat::IfRefused,
            (Operation::Apply { .. }, DryRun::None) => Repeat::Never,
        };
        let answer = self.patch(&action.object, body, query, dry_run, repeat).await?;
        Ok(match &action.operation {
            Operation::JsonPatch(_) => Outcome::Patched,
            Operation::Apply { .. } if answer.created => Outcome::Created,
            Operation::Apply { .. } => deploy::outcome(before, &answer.object),
        })
    }

    async fn patch(
        &self,
        object: &ObjectRef,
        body: (&'static str, Vec<u8>),
        query: &str,
        dry_run: DryRun,
        repeat: Repeat,
    ) -> Result<Answer, ApiError> {
        let path = format!(
            "/namespaces/{}/{}/{}?fieldManager={FIELD_MANAGER}{query}{}",
            encode(&object.namespace),
            object.kind.plural(),
            encode(&object.name),
            if dry_run == DryRun::None { "" } else { "&dryRun=All" },
        );
        let intent = Intent::new("patch", object).repeated(repeat);
        let build = |prefix: &str| {
            request_with_body("PATCH", &format!("{prefix}{path}"), Some(body.clone()))
        };
        self.send_versioned(object.kind, intent, build).await
    }
}

/// Returns content type and body of a PATCH request, and what its query adds.
fn content(operation: &Operation) -> ((&'static str, Vec<u8>), &'static str) {
    match operation {
        Operation::Apply { manifest, force } => {
            let body = ("application/apply-patch+yaml", manifest.to_string().into_bytes());
            let query = if *force {
                "&fieldValidation=Strict&force=true"
            } else {
                "&fieldValidation=Strict"
            };
            (body, query)
        }
        Operation::JsonPatch(patch) => (("application/json-patch+json", json_as_go(patch)), ""),
    }
}

/// Writes JSON as the API server does: it compares the strings of a `test` in their escaped form
/// (evanphx/json-patch v4, `lazyNode.equal`), and Go escapes `<`, `>`, `&` and two line separators.
fn json_as_go(patch: &json_patch::Patch) -> Vec<u8> {
    let json = serde_json::to_string(patch).expect("a patch is JSON");
    let mut bytes = Vec::with_capacity(json.len());
    for character in json.chars() {
        match character {
            // None of them stands outside of a string.
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                bytes.extend(format!("\\u{:04x}", u32::from(character)).into_bytes());
            }
            _ => bytes.extend(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}
