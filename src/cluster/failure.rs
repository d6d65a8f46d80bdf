//! What can go wrong with a request, and kubectl's sentence for it.
//!
//! kube's errors print debug output and repeat their source, so none of them is shown; each is
//! turned into a [`Failure`]. Text from a server is cut at 300 bytes and made printable.

use std::fmt::{self, Display, Write as _};

use serde_json::Value;

use super::connection::Reply;
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
    Unauthorized {
        /// The server's words.
        message: String,
    },
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
    /// The object is invalid.
    #[error("{} is invalid: {}", .object, .causes.join("; "))]
    Invalid {
        /// What is: kind and name, as the server has them.
        object: String,
        /// Field and reason of each fault.
        causes: Vec<String>,
    },
    /// The server refused, or failed.
    #[error("{message} (HTTP {code})")]
    Refused {
        /// The HTTP status.
        code: u16,
        /// The server's word for it, if it has one.
        reason: String,
        /// The server's words.
        message: String,
    },
    /// The answer is not JSON.
    #[error("the answer is not JSON; is this a Kubernetes API server?")]
    NotJson,
    /// Nothing listens there.
    #[error("the connection to {server} was refused")]
    ConnectionRefused {
        /// `host:port`.
        server: String,
    },
    /// No connection, or a broken one.
    #[error("no connection to the server: {cause}")]
    Unreachable {
        /// The innermost cause.
        cause: String,
        /// What the reader can do, if that is known.
        advice: Option<String>,
        /// Whether the connection broke, so that it may work the next time.
        is_broken: bool,
    },
    /// The answer began, and broke off.
    #[error("the answer broke off: {cause}")]
    Interrupted {
        /// The innermost cause.
        cause: String,
    },
    /// No answer in time.
    #[error("no answer within {seconds} s")]
    TimedOut {
        /// The request's deadline.
        seconds: f64,
        /// How far it had come.
        phase: Phase,
    },
}

/// How far a request had come at its deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// There was no connection yet.
    Dialling,
    /// The answer had not begun.
    Headers,
    /// The answer had not ended.
    Body,
}

/// How kubectl says that an answer broke off.
const INTERRUPTED: &str =
    "error: unexpected error when reading response body. Please retry. Original error: ";

/// What a request asks for, in kubectl's words: `get services kubia`.
pub(super) struct Place {
    verb: String,
    resource: String,
    name: String,
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
    /// Returns kubectl's sentence, which may have several lines.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::NotFound { message } => format!("Error from server (NotFound): {message}"),
            Self::NotServed => "Error from server (NotFound): the server could not find the \
                                requested resource"
                .to_owned(),
            Self::Unauthorized { message } => {
                format!("error: You must be logged in to the server ({message})")
            }
            Self::Forbidden { message } => format!("Error from server (Forbidden): {message}"),
            Self::Conflict { message } => format!("Error from server (Conflict): {message}"),
            Self::Owned { .. } => format!("Error from server (Conflict): {self}"),
            Self::PatchDoesNotFit { message } => format!("The request is invalid: {message}"),
            Self::Invalid { object, causes } => match causes.as_slice() {
                [] => format!("{object} is invalid"),
                [cause] => format!("{object} is invalid: {cause}"),
                causes => format!("{object} is invalid:\n* {}", causes.join("\n* ")),
            },
            Self::Refused { reason, message, .. } if reason.is_empty() => {
                format!("Error from server: {message}")
            }
            Self::Refused { reason, message, .. } => {
                format!("Error from server ({reason}): {message}")
            }
            Self::ConnectionRefused { server } => format!(
                "The connection to the server {server} was refused - did you specify the right \
                 host or port?"
            ),
            Self::Unreachable { cause, .. } => format!("Unable to connect to the server: {cause}"),
            Self::Interrupted { cause } => format!("{INTERRUPTED}{cause}"),
            Self::TimedOut { phase: Phase::Dialling, .. } => {
                "Unable to connect to the server: context deadline exceeded".to_owned()
            }
            Self::TimedOut { phase: Phase::Headers, .. } => {
                "Unable to connect to the server: net/http: request canceled (Client.Timeout \
                 exceeded while awaiting headers)"
                    .to_owned()
            }
            Self::TimedOut { phase: Phase::Body, .. } => format!(
                "{INTERRUPTED}net/http: request canceled (Client.Timeout or context cancellation \
                 while reading body)"
            ),
            Self::NoIstio | Self::NotJson => format!("error: {self}"),
        }
    }

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
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::Interrupted { .. }
                | Self::TimedOut { .. }
                | Self::NotJson
        )
    }

    /// Returns whether the server knows no such group, version or kind.
    #[must_use]
    pub fn is_not_served(&self) -> bool {
        matches!(self, Self::NotServed)
    }

    /// Returns whether whoever waits for something anyway may go on waiting: the server is busy or
    /// silent, starts again, or the connection broke.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Refused { code, .. } => matches!(code, 429 | 502..=504),
            Self::ConnectionRefused { .. } | Self::TimedOut { .. } => true,
            failure => failure.is_broken(),
        }
    }

    /// Returns whether a connection broke.
    pub(super) fn is_broken(&self) -> bool {
        matches!(self, Self::Unreachable { is_broken: true, .. } | Self::Interrupted { .. })
    }

    /// Says that it happened after the answer had begun.
    pub(super) fn within_the_body(self) -> Self {
        match self {
            Self::Unreachable { cause, .. } if cause == "EOF" => {
                Self::Interrupted { cause: "unexpected EOF".to_owned() }
            }
            Self::Unreachable { cause, .. } => Self::Interrupted { cause },
            failure => failure,
        }
    }

    pub(super) fn unreachable(cause: &str, advice: Option<String>, is_broken: bool) -> Self {
        Self::Unreachable { cause: printable(cause), advice, is_broken }
    }

    /// Reads the answer to a request that was not successful.
    pub(super) fn from_reply(reply: &Reply, place: Option<&Place>) -> Self {
        let code = reply.status.as_u16();
        match serde_json::from_slice::<Value>(&reply.body) {
            Ok(status) if status["kind"] == "Status" => Self::from_status(code, &status),
            _ => Self::from_stranger(code, reply, place),
        }
    }

    /// Reads a Status, which may also come with a code of success.
    pub(super) fn from_status(code: u16, status: &Value) -> Self {
        let message = printable(&text(status, "/message"));
        let reason = printable(&text(status, "/reason"));
        let causes = list(status, "/details/causes");
        let owned = |cause: &&Value| cause["reason"] == "FieldManagerConflict";
        match (reason.as_str(), code) {
            ("NotFound", _) => Self::NotFound { message },
            ("Unauthorized", _) => Self::Unauthorized { message },
            ("Forbidden", _) => Self::Forbidden { message },
            (_, 409) if causes.iter().any(|cause| owned(&cause)) => {
                let field = |cause: &Value| {
                    printable(&format!("{} {}", text(cause, "/message"), text(cause, "/field")))
                };
                Self::Owned { fields: causes.iter().filter(owned).map(field).collect() }
            }
            ("Conflict", _) => Self::Conflict { message },
            ("Invalid", _) => invalid(status, message),
            _ => Self::Refused { code, reason, message },
        }
    }

    /// Reads an answer that is no Status: from a proxy, or about a path the server does not have.
    /// The words are those client-go has for each code (`errors.NewGenericServerResponse`).
    fn from_stranger(code: u16, reply: &Reply, place: Option<&Place>) -> Self {
        let body = String::from_utf8_lossy(&reply.body);
        let body = if reply.is_text { body.trim() } else { "unknown" };
        let body = shorten(body, MESSAGE_LIMIT);
        let (reason, words) = match code {
            404 => return Self::NotServed,
            400 => ("BadRequest", "the server rejected our request for an unknown reason"),
            401 => ("Unauthorized", "the server has asked for the client to provide credentials"),
            405 => (
                "MethodNotAllowed",
                "the server does not allow this method on the requested resource",
            ),
            406 if ["", "unknown"].contains(&body.as_str()) => (
                "NotAcceptable",
                "the server was unable to respond with a content type that the client supports",
            ),
            409 => ("Conflict", "the server reported a conflict"),
            403 => ("Forbidden", body.as_str()),
            406 => ("NotAcceptable", body.as_str()),
            415 => ("UnsupportedMediaType", body.as_str()),
            422 => ("Invalid", "the server rejected our request due to an error in our request"),
            429 => (
                "TooManyRequests",
                "the server has received too many requests and has asked us to try again later",
            ),
            503 => ("ServiceUnavailable", "the server is currently unable to handle the request"),
            504 => (
                "Timeout",
                "the server was unable to return a response in the time allotted, but may still be \
                 processing the request",
            ),
            _ => ("", ""),
        };
        let (reason, words) = match (words, code) {
            ("", 500..) => {
                let words = format!(
                    "an error on the server ({}) has prevented the request from succeeding",
                    quoted(&body)
                );
                ("InternalError", words)
            }
            ("", 0..500) if reason.is_empty() => {
                let words = format!(
                    "the server responded with the status code {code} but did not return more \
                     information"
                );
                ("", words)
            }
            (words, _) => (reason, printable(words)),
        };
        let message = match place {
            Some(place) => format!("{words} ({place})"),
            None => words,
        };
        match code {
            401 => Self::Unauthorized { message },
            403 => Self::Forbidden { message },
            409 => Self::Conflict { message },
            422 => Self::PatchDoesNotFit { message },
            code => Self::Refused { code, reason: reason.to_owned(), message },
        }
    }
}

/// Reads a Status about something invalid. The server drops the reason of a failed `test`, so one
/// that names nothing is about the patch.
fn invalid(status: &Value, message: String) -> Failure {
    let (kind, name) = (text(status, "/details/kind"), text(status, "/details/name"));
    let mut causes: Vec<String> = Vec::new();
    for cause in list(status, "/details/causes") {
        let cause = printable(&format!("{}: {}", text(cause, "/field"), text(cause, "/message")));
        if !causes.contains(&cause) {
            causes.push(cause);
        }
    }
    match (kind.is_empty() && name.is_empty(), causes.is_empty()) {
        (true, true) => Failure::PatchDoesNotFit { message },
        (true, false) => Failure::Invalid { object: "The request".to_owned(), causes },
        (false, _) => {
            let object = format!("The {} \"{}\"", printable(&kind), printable(&name));
            Failure::Invalid { object, causes }
        }
    }
}

impl Place {
    /// Reads what a request to the path of an object or a collection asks for.
    pub(super) fn of(verb: &str, path: &str) -> Option<Self> {
        let path = path.split('?').next()?;
        let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let (group, rest) = match segments.as_slice() {
            ["api", _version, rest @ ..] => ("", rest),
            ["apis", group, _version, rest @ ..] => (*group, rest),
            _ => return None,
        };
        let (plural, name) = match rest {
            ["namespaces", _, plural, name @ ..] | [plural, name @ ..] => (*plural, name.first()),
            [] => return None,
        };
        let resource =
            if group.is_empty() { plural.to_owned() } else { format!("{plural}.{group}") };
        let name = name.copied().unwrap_or_default().to_owned();
        Some(Self { verb: verb.to_lowercase(), resource, name })
    }
}

impl Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.verb, Printable(&self.resource))?;
        if self.name.is_empty() {
            return Ok(());
        }
        write!(formatter, " {}", Printable(&self.name))
    }
}

fn printable(message: &str) -> String {
    Printable(&shorten(message, MESSAGE_LIMIT)).to_string()
}

/// Puts a text in quotes as Go does (`%q`).
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for letter in text.chars() {
        // Writing to a String cannot fail.
        let _ = match letter {
            '"' | '\\' => write!(quoted, "\\{letter}"),
            '\n' => write!(quoted, "\\n"),
            '\r' => write!(quoted, "\\r"),
            '\t' => write!(quoted, "\\t"),
            letter if letter.is_ascii_control() => write!(quoted, "\\x{:02x}", u32::from(letter)),
            letter => write!(quoted, "{}", Printable(letter.encode_utf8(&mut [0; 4]))),
        };
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    fn reply(code: u16, body: &[u8]) -> Failure {
        let status = StatusCode::from_u16(code).unwrap();
        let place = Place::of("GET", "/apis/a.b/v1/namespaces/n/things/x?y=z");
        Failure::from_reply(&Reply::new(status, true, body), place.as_ref())
    }

    #[track_caller]
    fn check(code: u16, body: &str, expected: &str) {
        assert_eq!(reply(code, body.as_bytes()).to_string(), expected);
    }

    #[test]
    fn answers_are_told_apart_by_their_reasons_and_causes() {
        let status = |rest: &str| format!(r#"{{"kind":"Status",{rest}}}"#);
        check(
            404,
            &status(r#""reason":"NotFound","message":"pods \"a\" not found""#),
            "pods \"a\" not found",
        );
        check(404, "404 page not found\n", "the server has no such resource");
        check(
            403,
            &status(r#""reason":"Forbidden","message":"no\u001b[2J""#),
            "forbidden: no^[[2J",
        );
        check(409, &status(r#""reason":"Conflict","message":"modified""#), "conflict: modified");
        check(
            409,
            &status(
                r#""details":{"causes":[{"reason":"FieldManagerConflict","message":"conflict with \"helm\"","field":".spec.http"}]}"#,
            ),
            "fields belong to others: conflict with \"helm\" .spec.http",
        );
        let invalid = r#""reason":"Invalid","message":"m""#;
        check(422, &status(invalid), "the patch does not fit the object: m");
        check(
            422,
            &status(&format!(
                r#"{invalid},"details":{{"causes":[{{"field":"a","message":"b"}}]}}"#
            )),
            "The request is invalid: a: b",
        );
        check(400, &status(r#""message":"denied""#), "denied (HTTP 400)");
    }

    #[test]
    fn answers_of_strangers_are_cut_and_made_printable() {
        let failed = |body: &str| {
            format!(
                "an error on the server ({body}) has prevented the request from succeeding (get \
                 things.a.b x) (HTTP 502)"
            )
        };
        check(502, "", &failed("\"\""));
        check(502, "<html>\nno\u{1b}\u{202e}", &failed("\"<html>\\nno\\x1b\\u{202e}\""));
        let long = reply(502, &[b'x'; 5000]).to_string();
        assert!(long.len() < 450, "{}", long.len());
        let binary = reply(500, &[0xff; 1000]).to_string();
        assert!(binary.len() < 1500, "{}", binary.len());
    }

    #[test]
    fn places_are_named_as_in_kubectl() {
        let place = |path: &str| Place::of("GET", path).map(|place| place.to_string());
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(place("/api/v1/namespaces/n/pods?a=b"), some("get pods"));
        assert_eq!(place("/api/v1/nodes/a"), some("get nodes a"));
        assert_eq!(place("/api/v1/namespaces/n/services/a"), some("get services a"));
        assert_eq!(place("/apis/networking.istio.io"), None);
        assert_eq!(place("/"), None);
    }
}
