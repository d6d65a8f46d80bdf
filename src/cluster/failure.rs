//! What can go wrong with a request, and kubectl's sentence for it.
//!
//! kube's errors print debug output and repeat their source, so none of them is shown; each is
//! turned into a [`Failure`]. Text from a server is cut at 300 bytes and made printable.

use std::fmt::Display;

use crate::domain::{
    object::{ISTIO_GROUP, ISTIO_VERSIONS},
    text::{Printable, shorten},
};

mod answer;

pub(super) use self::answer::Place;

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
    /// Whether it is a write that may have been carried out although it failed.
    pub is_open: bool,
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
        /// Whether it may have been carried out all the same.
        is_open: bool,
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

impl ApiError {
    pub(super) fn new(verb: &'static str, subject: &dyn Display, failure: Failure) -> Self {
        Self { verb, subject: subject.to_string(), failure, is_open: false }
    }

    fn describe(&self) -> String {
        let Self { verb, subject, failure, .. } = self;
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
                | Self::Refused { is_open: true, .. }
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
}

fn printable(message: &str) -> String {
    Printable(&shorten(message, MESSAGE_LIMIT)).to_string()
}
