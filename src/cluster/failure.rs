//! What can go wrong with a request, in words of our own.
//!
//! kube's errors print debug output and repeat their source, so none of them is shown; each is
//! turned into a [`Failure`] here. Text from a server is cut at 300 bytes and made printable.

use std::{error::Error as StdError, fmt::Display, io};

use http::StatusCode;
use kube::client::AuthError;
use serde_json::Value;

use crate::domain::{
    object::{ISTIO_GROUP, ISTIO_VERSIONS},
    snapshot::{list, text},
    text::{Printable, shorten},
};

/// The most bytes of a server's message that are shown; some messages carry whole objects.
const MESSAGE_LIMIT: usize = 300;

/// A request that failed: what was asked, and why it did not work.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.describe())]
pub struct ApiError {
    /// The verb as RBAC names it.
    pub verb: &'static str,
    /// The object or resource.
    pub subject: String,
    /// Why.
    pub failure: Failure,
}

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The object, or its namespace, does not exist.
    #[error("{message}")]
    NotFound {
        /// The server's words, which name what is missing.
        message: String,
    },
    /// The server knows no such API group, version or kind.
    #[error("the server has no such resource")]
    NotServed,
    /// The server has none of Istio's networking kinds at a version this program understands.
    #[error("Istio is not installed: the server has no {ISTIO_GROUP} at {}", ISTIO_VERSIONS.join(", "))]
    NoIstio,
    /// The credentials are missing or not accepted.
    #[error("the server does not accept these credentials")]
    Unauthorized,
    /// The user may not do this.
    #[error("forbidden: {message}")]
    Forbidden {
        /// The server's words, which name user, verb and resource.
        message: String,
    },
    /// The object changed since it was read.
    #[error("conflict: {message}")]
    Conflict {
        /// The server's words.
        message: String,
    },
    /// Fields are owned by other field managers.
    #[error("fields belong to others: {}", .fields.join("; "))]
    Owned {
        /// Each conflict in the server's words: manager and field.
        fields: Vec<String>,
    },
    /// A JSON Patch could not be applied: a failed `test`, or a path that is gone.
    #[error("the patch does not fit the object: {message}")]
    PatchDoesNotFit {
        /// The server's words, which name nothing.
        message: String,
    },
    /// The server refused, or failed.
    #[error("{message} (HTTP {code})")]
    Refused {
        /// The HTTP status.
        code: u16,
        /// The server's words.
        message: String,
    },
    /// The answer is not JSON.
    #[error("the answer is not JSON; is this a Kubernetes API server?")]
    NotJson,
    /// Nothing listens there.
    #[error("the connection to the server was refused")]
    ConnectionRefused,
    /// No connection, or a broken one.
    #[error("no connection to the server: {cause}")]
    Unreachable {
        /// The innermost cause.
        cause: String,
    },
    /// No answer in time.
    #[error("no answer within {seconds} s")]
    TimedOut {
        /// The request's deadline.
        seconds: f64,
    },
}

impl ApiError {
    pub(super) fn new(verb: &'static str, subject: &dyn Display, failure: Failure) -> Self {
        Self { verb, subject: subject.to_string(), failure }
    }

    fn describe(&self) -> String {
        let Self { verb, subject, failure } = self;
        match failure {
            Failure::NoIstio => failure.to_string(),
            _ => format!("cannot {verb} {subject}: {failure}"),
        }
    }
}

impl Failure {
    /// Returns whether the object does not exist.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    /// Returns whether the user may not do this.
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        matches!(self, Self::Forbidden { .. })
    }

    /// Returns whether the request may have been carried out although it failed.
    #[must_use]
    pub fn leaves_open(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::TimedOut { .. } | Self::NotJson)
    }

    /// Returns whether the server knows no such group, version or kind.
    #[must_use]
    pub fn is_not_served(&self) -> bool {
        matches!(self, Self::NotServed)
    }

    /// Reads the answer to a request that was not successful.
    pub(super) fn from_status(code: StatusCode, body: &[u8]) -> Self {
        let status: Value = serde_json::from_slice(body).unwrap_or_default();
        if status["kind"] != "Status" {
            return Self::from_foreign_answer(code, body);
        }
        let message = printable(&text(&status, "/message"));
        let causes = list(&status, "/details/causes");
        let owned = |cause: &&Value| cause["reason"] == "FieldManagerConflict";
        match code {
            StatusCode::NOT_FOUND => Self::NotFound { message },
            StatusCode::UNAUTHORIZED => Self::Unauthorized,
            StatusCode::FORBIDDEN => Self::Forbidden { message },
            StatusCode::CONFLICT if causes.iter().any(|cause| owned(&cause)) => {
                let field = |cause: &Value| {
                    printable(&format!("{} {}", text(cause, "/message"), text(cause, "/field")))
                };
                Self::Owned { fields: causes.iter().filter(owned).map(field).collect() }
            }
            StatusCode::CONFLICT => Self::Conflict { message },
            // The server drops the reason of a failed `test`; an invalid object has causes.
            StatusCode::UNPROCESSABLE_ENTITY if causes.is_empty() => {
                Self::PatchDoesNotFit { message }
            }
            _ => Self::Refused { code: code.as_u16(), message },
        }
    }

    /// Reads an answer that is no Status: from a proxy, or about a path the server does not have.
    fn from_foreign_answer(code: StatusCode, body: &[u8]) -> Self {
        match code {
            StatusCode::NOT_FOUND => Self::NotServed,
            StatusCode::UNAUTHORIZED => Self::Unauthorized,
            _ => {
                let message = String::from_utf8_lossy(body);
                let message = match message.trim() {
                    "" => code.canonical_reason().unwrap_or("no reason given"),
                    message => message,
                };
                Self::Refused { code: code.as_u16(), message: printable(message) }
            }
        }
    }

    /// Reads an error of kube's client.
    pub(super) fn from_kube(error: kube::Error) -> Self {
        match error {
            kube::Error::Service(error) => Self::from_cause(error.as_ref()),
            error => Self::from_cause(&error),
        }
    }

    /// Reads the innermost cause of a connection error.
    pub(super) fn from_cause(error: &(dyn StdError + 'static)) -> Self {
        let mut cause = error;
        loop {
            if let Some(error) = cause.downcast_ref::<AuthError>() {
                return Self::Unreachable { cause: describe_auth(error) };
            }
            if let Some(error) = cause.downcast_ref::<io::Error>() {
                if error.kind() == io::ErrorKind::ConnectionRefused {
                    return Self::ConnectionRefused;
                }
                // `io::Error::source` skips the error it wraps, and TLS errors come wrapped.
                if let Some(inner) = error.get_ref() {
                    cause = inner;
                    continue;
                }
            }
            match cause.source() {
                Some(source) => cause = source,
                None => return Self::Unreachable { cause: printable(&cause.to_string()) },
            }
        }
    }
}

/// Describes why there are no credentials. kube's own words hold the credential plugin's environment
/// and output, which may be secrets.
pub(super) fn describe_auth(error: &AuthError) -> String {
    match error {
        AuthError::AuthExecStart(error) => format!("its credential plugin does not start: {error}"),
        AuthError::AuthExecRun { out, .. } => {
            format!("its credential plugin failed with {}", out.status)
        }
        AuthError::AuthExecParse(_) | AuthError::ExecPluginFailed => {
            "its credential plugin printed no credential".to_owned()
        }
        AuthError::AuthExec(_) => "its credential plugin cannot be used".to_owned(),
        error => {
            let mut cause: &dyn StdError = error;
            while let Some(source) = cause.source() {
                cause = source;
            }
            printable(&cause.to_string())
        }
    }
}

fn printable(message: &str) -> String {
    Printable(&shorten(message, MESSAGE_LIMIT)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(code: u16, body: &str, expected: &str) {
        let code = StatusCode::from_u16(code).unwrap();
        assert_eq!(Failure::from_status(code, body.as_bytes()).to_string(), expected);
    }

    #[test]
    fn answers_are_told_apart_by_their_status_and_causes() {
        let status = |rest: &str| format!(r#"{{"kind":"Status",{rest}}}"#);
        check(404, &status(r#""message":"pods \"a\" not found""#), "pods \"a\" not found");
        check(404, "404 page not found\n", "the server has no such resource");
        check(403, &status(r#""message":"no\u001b[2J""#), "forbidden: no^[[2J");
        check(409, &status(r#""message":"modified""#), "conflict: modified");
        check(
            409,
            &status(
                r#""details":{"causes":[{"reason":"FieldManagerConflict","message":"conflict with \"helm\"","field":".spec.http"}]}"#,
            ),
            "fields belong to others: conflict with \"helm\" .spec.http",
        );
        check(422, &status(r#""message":"m""#), "the patch does not fit the object: m");
        check(422, &status(r#""message":"m","details":{"causes":[{}]}"#), "m (HTTP 422)");
        check(400, &status(r#""message":"denied""#), "denied (HTTP 400)");
    }

    #[test]
    fn answers_of_strangers_are_cut_and_made_printable() {
        check(502, "", "Bad Gateway (HTTP 502)");
        check(502, "<html>\nno", "<html>\\nno (HTTP 502)");
        let long = Failure::from_status(StatusCode::BAD_GATEWAY, &[b'x'; 5000]).to_string();
        assert!(long.len() < 330, "{}", long.len());
    }
}
