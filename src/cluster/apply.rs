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
        Operation::JsonPatch(patch) => {
            let patch = serde_json::to_vec(patch).expect("a patch is JSON");
            (("application/json-patch+json", patch), "")
        }
    }
}
