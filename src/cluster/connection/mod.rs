//! From flags and kubeconfig to one warm connection, the way kubectl goes.
//!
//! The rest of the program knows [`Connection`], which opens, and the `Link` it opens, which sends.
//! What kube, hyper, hyper-util and rustls do well is theirs; where they differ from kubectl, the
//! module that stands in names the line or the issue that made it necessary.
//!
//! - `target`: what the flags say · `kubeconfig`: which files, and what is in them
//! - `settings`, `problems`: what both come to · `credentials`, `exec`, `oidc`: who we are
//! - `proxy`, `tls`, `certificate`, `transport`: the way to the server
//! - `link`, `retry`, `warnings`, `log`: requests and answers · `cause`, `error`: what can go wrong

use std::sync::Arc;

use kube::Client;

use super::Cluster;

mod cause;
mod certificate;
mod credentials;
mod error;
mod exec;
mod kubeconfig;
mod link;
mod log;
mod messages;
mod oidc;
mod problems;
mod proxy;
mod retry;
mod settings;
mod target;
mod tls;
mod transport;
mod warnings;

pub use self::{
    error::ConnectError,
    messages::{Messages, Silence},
    settings::Named,
    target::Target,
};
use self::{
    exec::Terms,
    link::Timeout,
    messages::Log,
    settings::Settings,
    transport::{DialError, Recipe},
};
pub(super) use self::{
    link::{Call, Link, Reply},
    retry::Repeat,
};

/// What reads the bytes of strangers, for fuzzers.
pub(super) mod hostile {
    pub(in crate::cluster) use super::{
        certificate::common_names,
        exec::credential,
        oidc::id_token,
        proxy::{check, is_exempt},
        warnings::texts as warnings,
    };
}

/// How a command comes to its cluster.
pub enum Connection {
    /// As the command line and the kubeconfig say; what happens on the way is told to somebody.
    Target(Box<Target>, Arc<dyn Messages>),
    /// A client that exists already, with the names of its context and namespace.
    Ready(Client, String, String),
}

impl Connection {
    /// Returns the namespace commands act on, without connecting; `default` without a kubeconfig.
    ///
    /// # Errors
    /// [`ConnectError`] when the kubeconfig is wrong.
    pub fn namespace(&self) -> Result<String, ConnectError> {
        match self {
            Self::Target(target, messages) => {
                match Settings::read(target, &log(target, messages)) {
                    Ok(settings) => Ok(settings.namespace),
                    Err(ConnectError::NoConfiguration) => settings::namespace(target, None),
                    Err(error) => Err(error),
                }
            }
            Self::Ready(_, _, namespace) => Ok(namespace.clone()),
        }
    }

    /// Reads the names of the kubeconfig's contexts, clusters or users, without connecting.
    ///
    /// # Errors
    /// [`ConnectError`] when the kubeconfig cannot be read.
    pub fn names(&self, kind: Named) -> Result<Vec<String>, ConnectError> {
        match self {
            Self::Target(target, messages) => settings::names(target, &log(target, messages), kind),
            Self::Ready(_, context, _) => Ok(vec![context.clone()]),
        }
    }

    /// Connects.
    ///
    /// # Errors
    /// [`ConnectError`] when the settings are wrong or the server cannot be reached.
    pub async fn open(&self) -> Result<Cluster, ConnectError> {
        let (target, messages) = match self {
            Self::Target(target, messages) => (target, messages),
            Self::Ready(client, context, namespace) => {
                let link = Link::ready(client.clone());
                return Ok(Cluster::new(link, context.clone(), namespace.clone()));
            }
        };
        let log = log(target, messages);
        let settings = Settings::read(target, &log)?;
        let (context, namespace) = (settings.context.clone(), settings.namespace.clone());
        let timeout = Timeout { limit: target.deadline(), is_told: target.timeout.is_some() };
        let terms = Terms { timeout: target.timeout, is_unattended: target.is_unattended };
        let recipe = Recipe::new(settings, terms, log.clone())?;
        let link = Link::open(recipe, timeout, log).await.map_err(|error| match error {
            DialError::Setup(error) => error,
            DialError::Failed(failure) => ConnectError::Unreachable(failure),
        })?;
        Ok(Cluster::new(link, context, namespace))
    }
}

fn log(target: &Target, messages: &Arc<dyn Messages>) -> Log {
    Log { messages: Arc::clone(messages), verbosity: target.verbosity }
}
