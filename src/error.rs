//! Everything that can fail, what the reader can do about it, and the exit code.

mod hint;

use std::{io, path::PathBuf};

use crate::{
    cluster::{ApiError, ConnectError, Failure},
    domain::{
        deploy::DeployError,
        gateway_url::GatewayUrlError,
        object::ObjectRef,
        shift::{Aftermath, ShiftError, guard::GuardError, history::HistoryError, undo::UndoError},
        text::{Printable, listed},
    },
};

/// The process's exit code. One enum, one README table, one test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// Done, or nothing to do.
    Done = 0,
    /// Failed: API, network, not found, forbidden, refused by the server.
    Failed = 1,
    /// The command line is wrong.
    Usage = 2,
    /// Refused by a guard; nothing was written.
    Refused = 3,
    /// Written, but a proxy runs something else; or, where a proof is required, it is not proven.
    NotLive = 4,
    /// Somebody changed the object meanwhile; nothing was written.
    Conflict = 6,
    /// Ctrl-C.
    Interrupted = 130,
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// A request failed.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// There is no address.
    #[error(transparent)]
    GatewayUrl(#[from] GatewayUrlError),
    /// A deploy that is refused.
    #[error(transparent)]
    Deploy(#[from] DeployError),
    /// A shift that cannot be planned.
    #[error(transparent)]
    Shift(#[from] ShiftError),
    /// A shift that a guard refuses.
    #[error(transparent)]
    Guard(#[from] GuardError),
    /// A history that cannot be read.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// There is no way back.
    #[error(transparent)]
    Undo(#[from] UndoError),
    /// A command line that is wrong in a way its parser cannot see.
    #[error("{0}")]
    Usage(String),
    /// A proof was required, and is not possible; nothing was written.
    #[error("{object} cannot be proven: {}; nothing was written", listed(.reasons, "; "))]
    NotProvable {
        /// The VirtualService.
        object: ObjectRef,
        /// Why.
        reasons: Vec<String>,
    },
    /// A proof was required, and is not there in time.
    #[error("{object} is written, but not proven after {seconds} s: {}", listed(.reasons, "; "))]
    NotProven {
        /// The VirtualService.
        object: ObjectRef,
        /// How long was waited.
        seconds: f64,
        /// Whether it was an undo.
        is_undo: bool,
        /// Why.
        reasons: Vec<String>,
    },
    /// Proxies run other weights.
    #[error("{object} is written, but not live after {seconds} s: {}", listed(.proxies, "; "))]
    NotLive {
        /// The VirtualService.
        object: ObjectRef,
        /// How long was waited.
        seconds: f64,
        /// Whether it was an undo.
        is_undo: bool,
        /// Which proxies, and what they run.
        proxies: Vec<String>,
    },
    /// Somebody else changed the weights while they were proven.
    #[error("{object} is written, but {}", Printable(.how))]
    Overtaken {
        /// The VirtualService.
        object: ObjectRef,
        /// What it has now.
        how: String,
    },
    /// Ctrl-C while weights were written or proven.
    #[error("interrupted: {}", became(.object, .now.as_ref()))]
    Interrupted {
        /// The VirtualService.
        object: ObjectRef,
        /// What it has now; nothing when it could not be read.
        now: Option<(Aftermath, String)>,
    },
    /// The VirtualService does not exist.
    #[error("{object} does not exist")]
    NoVirtualService {
        /// The one asked for.
        object: ObjectRef,
    },
    /// The API server refused a write although nothing that was tested differs.
    #[error(transparent)]
    Refused(ApiError),
    /// The API server refused a write, and what the object is like now could not be read.
    #[error(transparent)]
    Unexplained(ApiError),
    /// The object changed between reading and writing.
    #[error("{object} was changed meanwhile at {}; nothing was written", Printable(.path))]
    Changed {
        /// The object.
        object: ObjectRef,
        /// JSON path of what differs.
        path: String,
    },
    /// Pods did not become ready in time.
    #[error("{object} is not ready after {seconds} s: {ready} of {wanted} pods{}", because(.waiting.as_ref()))]
    NotReady {
        /// The Deployment.
        object: ObjectRef,
        /// How long was waited.
        seconds: u64,
        /// Pods that are available.
        ready: u64,
        /// Pods that are wanted.
        wanted: u64,
        /// Why one of them waits: reason and message.
        waiting: Option<(String, String)>,
    },
    /// An output format this command does not have.
    #[error("unable to match a printer suitable for the output format {format:?}, allowed formats are: {}", .allowed.join(","))]
    Format {
        /// The format asked for.
        format: &'static str,
        /// The formats the command has, sorted.
        allowed: Vec<&'static str>,
    },
    /// A load balancer that got no address in time.
    #[error("the load balancer of {service} is still pending after {seconds} s")]
    Pending {
        /// The Service.
        service: ObjectRef,
        /// How long was waited.
        seconds: u64,
    },
    /// There are addresses, but from here none of them answers.
    #[error("nothing answers at {}", .tried.join(", "))]
    NoAnswer {
        /// The addresses that were tried.
        tried: Vec<String>,
        /// What leads to the gateway on this kind of cluster.
        advice: Option<String>,
    },
    /// A directory where a file of ours would break krew.
    #[error("{} is krew's own: a file that krew did not put there makes krew refuse every command", .directory.display())]
    KrewDirectory {
        /// The directory.
        directory: PathBuf,
    },
    /// A file in the way that this program did not write.
    #[error("{} was not written by kubectl-kubia, so it is left alone", .path.display())]
    ForeignFile {
        /// The file.
        path: PathBuf,
    },
    /// A file cannot be read, written or removed.
    #[error("cannot {action} {}", .path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The home directory is not known.
    #[error("there is no home directory")]
    NoHome,
    /// The server warned, and `--warnings-as-errors` was given.
    #[error("{count} {} received", if *.count == 1 { "warning" } else { "warnings" })]
    Warnings {
        /// How many different warnings.
        count: usize,
    },
    /// Output could not be written.
    #[error("cannot write the output")]
    Output(#[source] io::Error),
}

fn became(object: &ObjectRef, now: Option<&(Aftermath, String)>) -> String {
    let Some((aftermath, shares)) = now else {
        return format!("it is not known whether {object} was written");
    };
    let what = match aftermath {
        Aftermath::Written => "is written",
        Aftermath::NotWritten => "is not written",
        Aftermath::NotWrittenYet => "is not written so far, and may be yet",
        Aftermath::Other => "was changed by somebody else",
    };
    format!("{object} {what}: {}", Printable(shares))
}

fn because(waiting: Option<&(String, String)>) -> String {
    let Some((reason, message)) = waiting else { return String::new() };
    format!("; {}: {}", Printable(reason), Printable(message))
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl Error {
    /// Returns the exit code.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Api(ApiError { failure: Failure::Conflict { .. }, .. })
            | Self::Shift(ShiftError::FromDiffers { .. })
            | Self::Changed { .. }
            | Self::Overtaken { .. } => ExitCode::Conflict,
            Self::NotProven { .. } | Self::NotLive { .. } => ExitCode::NotLive,
            Self::Interrupted { .. } => ExitCode::Interrupted,
            Self::Deploy(
                DeployError::HostTaken { .. }
                | DeployError::OtherGateway { .. }
                | DeployError::History(_),
            )
            | Self::Shift(
                ShiftError::SeveralRoutes { .. }
                | ShiftError::NoWeightedRoute { .. }
                | ShiftError::UnknownVersion { .. }
                | ShiftError::UnknownRoute { .. }
                | ShiftError::AmbiguousVersion { .. }
                | ShiftError::NamedTwice { .. }
                | ShiftError::Split { .. },
            )
            | Self::Guard(_)
            | Self::History(_)
            | Self::Undo(_)
            | Self::NotProvable { .. }
            | Self::KrewDirectory { .. }
            | Self::ForeignFile { .. } => ExitCode::Refused,
            Self::Format { .. } | Self::Usage(_) => ExitCode::Usage,
            Self::Connect(_)
            | Self::Warnings { .. }
            | Self::Pending { .. }
            | Self::NoAnswer { .. }
            | Self::Api(_)
            | Self::Refused(_)
            | Self::Unexplained(_)
            | Self::GatewayUrl(_)
            | Self::Deploy(DeployError::Gateway(_))
            | Self::NoVirtualService { .. }
            | Self::NotReady { .. }
            | Self::File { .. }
            | Self::NoHome
            | Self::Output(_) => ExitCode::Failed,
        }
    }

    /// Returns what to commit so that the same is not refused again: YAML of several lines each.
    #[must_use]
    pub fn snippets(&self) -> Vec<&str> {
        match self {
            Self::Guard(error) => error.snippets(),
            _ => vec![],
        }
    }

    /// Returns what to print first: kubectl's own sentence, where it has one, and what was tried where
    /// that does not say it.
    #[must_use]
    pub fn headline(&self) -> String {
        match self {
            Self::Connect(error) => error.sentence(),
            Self::Api(error) | Self::Refused(error) | Self::Unexplained(error) => {
                api_headline(error)
            }
            // One line, whatever strings of the cluster it holds.
            error => format!("error: {}", Printable(&error.to_string())),
        }
    }
}

fn api_headline(error: &ApiError) -> String {
    let sentence = error.failure.sentence();
    let words =
        error.subject.split([' ', '/']).skip(1).filter(|word| !["in", "namespace"].contains(word));
    let is_said = words.clone().count() > 0 && words.clone().all(|word| sentence.contains(word));
    match error.failure {
        Failure::NoIstio => sentence,
        _ if is_said => sentence,
        _ => format!("{sentence}\ncannot {} {}", error.verb, Printable(&error.subject)),
    }
}
