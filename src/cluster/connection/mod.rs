//! From flags and kubeconfig to one warm connection.

use std::{path::PathBuf, time::Duration};

use kube::{Client, Config, config::KubeconfigError};

use super::Cluster;
use crate::domain::text::Printable;

mod kubeconfig;
mod tls;
mod transport;

pub(super) use self::transport::Link;

/// Where to connect to, as the command line says.
#[derive(Clone, Debug)]
pub struct Target {
    /// The only kubeconfig file to read.
    pub kubeconfig: Option<PathBuf>,
    /// The context to use instead of the current one.
    pub context: Option<String>,
    /// The namespace to use instead of the context's.
    pub namespace: Option<String>,
    /// The deadline of each request.
    pub timeout: Duration,
}

/// What a kubeconfig says, before anything is connected.
pub struct Settings {
    /// Name of the context.
    pub context: String,
    /// The namespace commands act on.
    pub namespace: String,
    config: Config,
    timeout: Duration,
}

/// How a command comes to its cluster.
pub enum Connection {
    /// As the command line and the kubeconfig say.
    Target(Target),
    /// A client that exists already, with the names of its context and namespace.
    Ready(Client, String, String),
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// No kubeconfig, and not in a pod.
    #[error("no cluster is configured: no kubeconfig file was found")]
    NoConfiguration,
    /// The kubeconfig names no current context, and none was given.
    #[error("the kubeconfig has no current context")]
    NoContext,
    /// The context does not exist.
    #[error("context {:?} does not exist", Printable(.context).to_string())]
    UnknownContext {
        /// The context asked for.
        context: String,
        /// The contexts there are.
        known: Vec<String>,
    },
    /// The kubeconfig cannot be read.
    #[error("the kubeconfig cannot be used")]
    Kubeconfig(#[source] KubeconfigError),
    /// The kubeconfig is not YAML. The text around the place may hold secrets, so it is not shown.
    #[error("the kubeconfig is not valid YAML{}", .line.map_or_else(String::new, |line| format!(" (line {line})")))]
    Syntax {
        /// Where.
        line: Option<u64>,
    },
    /// A file or value with credentials cannot be read.
    #[error("cannot use {what}: {cause}")]
    Credentials {
        /// Which one.
        what: &'static str,
        /// Why.
        cause: String,
    },
    /// A way to connect that is not there yet.
    #[error("{what} is not supported")]
    Unsupported {
        /// The kubeconfig's field.
        what: &'static str,
    },
    /// The API server cannot be reached.
    #[error("cannot connect to {url}: {failure}")]
    Unreachable {
        /// The server's URL.
        url: String,
        /// Why.
        failure: super::Failure,
    },
}

impl From<KubeconfigError> for ConnectError {
    fn from(error: KubeconfigError) -> Self {
        match error {
            KubeconfigError::Parse(error) => {
                Self::Syntax { line: error.location().map(|location| location.line()) }
            }
            error => Self::Kubeconfig(error),
        }
    }
}

impl Connection {
    /// Returns the namespace commands act on, without connecting; `default` without a kubeconfig.
    ///
    /// # Errors
    /// [`ConnectError`] when the kubeconfig is wrong.
    pub async fn namespace(&self) -> Result<String, ConnectError> {
        match self {
            Self::Target(target) => match Settings::read(target).await {
                Ok(settings) => Ok(settings.namespace),
                Err(ConnectError::NoConfiguration) => {
                    Ok(target.namespace.clone().unwrap_or_else(|| "default".to_owned()))
                }
                Err(error) => Err(error),
            },
            Self::Ready(_, _, namespace) => Ok(namespace.clone()),
        }
    }

    /// Connects.
    ///
    /// # Errors
    /// [`ConnectError`] when the settings are wrong or the server cannot be reached.
    pub async fn open(&self) -> Result<Cluster, ConnectError> {
        match self {
            Self::Target(target) => Settings::read(target).await?.connect().await,
            Self::Ready(client, context, namespace) => {
                let link = Link::ready(client.clone());
                Ok(Cluster::new(link, context.clone(), namespace.clone(), Duration::from_secs(10)))
            }
        }
    }

    /// Reads the names of the kubeconfig's contexts, without connecting.
    ///
    /// # Errors
    /// [`ConnectError`] when the kubeconfig cannot be read.
    pub fn contexts(&self) -> Result<Vec<String>, ConnectError> {
        match self {
            Self::Target(target) => kubeconfig::contexts(target),
            Self::Ready(_, context, _) => Ok(vec![context.clone()]),
        }
    }
}

impl Settings {
    async fn read(target: &Target) -> Result<Self, ConnectError> {
        let selected = kubeconfig::select(target).await?;
        let flag = target.namespace.clone().filter(|namespace| !namespace.is_empty());
        let namespace = flag.unwrap_or_else(|| match selected.config.default_namespace.as_str() {
            "" => "default".to_owned(),
            namespace => namespace.to_owned(),
        });
        let (context, config) = (selected.context, selected.config);
        Ok(Self { context, namespace, config, timeout: target.timeout })
    }

    async fn connect(self) -> Result<Cluster, ConnectError> {
        let url = Printable(&self.config.cluster_url.to_string()).to_string();
        let unreachable = |failure| ConnectError::Unreachable { url, failure };
        let connecting = Link::connect(self.config);
        let link = match tokio::time::timeout(self.timeout, connecting).await {
            Ok(Ok(link)) => link,
            Ok(Err(transport::TransportError::Setup(error))) => return Err(error),
            Ok(Err(transport::TransportError::Dial(failure))) => return Err(unreachable(failure)),
            Err(_) => {
                let seconds = self.timeout.as_secs_f64();
                return Err(unreachable(super::Failure::TimedOut { seconds }));
            }
        };
        Ok(Cluster::new(link, self.context, self.namespace, self.timeout))
    }
}
