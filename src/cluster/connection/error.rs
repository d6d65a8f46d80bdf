//! Why there is no connection.

use std::fmt;

use super::{exec::LoginError, settings::MISSING_CONTEXT};
use crate::{cluster::Failure, domain::text::Printable};

/// Why there is no connection, before a request is sent.
#[derive(Debug)]
pub enum ConnectError {
    /// No kubeconfig, and not in a pod.
    NoConfiguration,
    /// The kubeconfig names no current context, and none was given.
    NoContext,
    /// The cluster of the context does not exist, or has no server.
    NoServer {
        /// The cluster's name.
        cluster: String,
    },
    /// The context that was asked for does not exist.
    UnknownContext {
        /// The context asked for.
        context: String,
        /// The contexts there are.
        known: Vec<String>,
    },
    /// Something that is named cannot be used.
    Setup(String),
    /// Parts of the kubeconfig and the flags do not go together.
    Invalid(Vec<String>),
    /// Nobody could be logged in.
    Login {
        /// Why, in kubectl's words.
        reason: String,
        /// What the credential plugin's author says to those who do not have it.
        install_hint: Option<String>,
    },
    /// The user's `auth-provider` is not part of kubectl any more.
    ProviderGone {
        /// Its name.
        name: String,
        /// The credential plugin that took its place.
        plugin: &'static str,
    },
    /// The id-token of the user's `auth-provider` has expired.
    Expired {
        /// Whether kubectl could refresh it.
        can_refresh: bool,
    },
    /// The API server cannot be reached.
    Unreachable(Failure),
}

impl ConnectError {
    /// Returns kubectl's sentence, which may have several lines.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::Invalid(problems) => match problems.as_slice() {
                [problem] if !problem.starts_with(MISSING_CONTEXT) => format!("error: {problem}"),
                [problem] => format!("Error in configuration: {problem}"),
                problems => format!("Error in configuration:\n* {}", problems.join("\n* ")),
            },
            Self::Login { reason, .. } => format!("Unable to connect to the server: {reason}"),
            Self::Expired { can_refresh: false } => {
                format!("Unable to connect to the server: {self}")
            }
            Self::Unreachable(failure) => failure.sentence(),
            error => format!("error: {error}"),
        }
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoConfiguration => {
                formatter.write_str("no cluster is configured: no kubeconfig file was found")
            }
            Self::NoContext => formatter.write_str("the kubeconfig has no current context"),
            Self::NoServer { cluster } => {
                write!(formatter, "no server found for cluster {cluster:?}")
            }
            Self::UnknownContext { context, .. } => {
                write!(formatter, "context \"{}\" does not exist", Printable(context))
            }
            Self::Setup(reason) | Self::Login { reason, .. } => formatter.write_str(reason),
            Self::Invalid(problems) => formatter.write_str(&problems.join("; ")),
            Self::ProviderGone { name, .. } => {
                write!(formatter, "The {name} auth plugin has been removed.")
            }
            Self::Expired { can_refresh: false } => {
                formatter.write_str("No valid id-token, and cannot refresh without refresh-token")
            }
            Self::Expired { can_refresh: true } => {
                formatter.write_str("the id-token has expired, and only kubectl may refresh it")
            }
            Self::Unreachable(failure) => failure.fmt(formatter),
        }
    }
}

impl std::error::Error for ConnectError {}

impl From<LoginError> for ConnectError {
    fn from(error: LoginError) -> Self {
        Self::Login { reason: error.to_string(), install_hint: error.install_hint }
    }
}
