//! Asks the API server whom it takes us for.

use serde_json::json;

use super::{ApiError, Cluster, Failure, Intent, request_with_body};
use crate::domain::snapshot::text;

impl Cluster {
    /// Returns the name of the user the API server authenticated, behind `--as` the impersonated one.
    ///
    /// # Errors
    /// [`ApiError`]; a server older than 1.28 cannot tell.
    pub async fn user(&self) -> Result<String, ApiError> {
        let review = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
        let body = ("application/json", review.to_string().into_bytes());
        let path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
        let intent = Intent::new("create", &"selfsubjectreviews.authentication.k8s.io");
        let answer = self.send(intent, request_with_body("POST", path, Some(body))).await?;
        match text(&answer.object, "/status/userInfo/username") {
            unknown if unknown.is_empty() => {
                Err(ApiError::new(intent.verb, intent.subject, Failure::NotJson))
            }
            user => Ok(user),
        }
    }
}
