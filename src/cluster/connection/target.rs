//! What the command line says about where to connect to, and as whom.

use std::{path::PathBuf, time::Duration};

use secrecy::SecretString;

/// kubectl's connection flags. An empty text is a flag that was not given, as in kubectl.
#[derive(Clone, Debug, Default)]
pub struct Target {
    /// The only kubeconfig file to read.
    pub kubeconfig: Option<PathBuf>,
    /// The context to use instead of the current one.
    pub context: Option<String>,
    /// The cluster to use instead of the context's.
    pub cluster: Option<String>,
    /// The user to use instead of the context's.
    pub user: Option<String>,
    /// The namespace to use instead of the context's.
    pub namespace: Option<String>,
    /// URL or `host:port` of the server, instead of the cluster's.
    pub server: Option<String>,
    /// File with the authority that signed the server's certificate.
    pub certificate_authority: Option<String>,
    /// Whether the server's certificate is accepted whatever it is.
    pub insecure: bool,
    /// The name the server's certificate has to be for.
    pub tls_server_name: Option<String>,
    /// URL of a proxy.
    pub proxy_url: Option<String>,
    /// A bearer token.
    pub token: Option<SecretString>,
    /// User of basic authentication.
    pub username: Option<String>,
    /// Password of basic authentication.
    pub password: Option<SecretString>,
    /// File with our own certificate.
    pub client_certificate: Option<String>,
    /// File with its key.
    pub client_key: Option<String>,
    /// Whom to impersonate.
    pub impersonate: Option<String>,
    /// In which groups.
    pub impersonate_groups: Vec<String>,
    /// With which uid.
    pub impersonate_uid: Option<String>,
    /// With what else: names and values, of which one name may have several.
    pub impersonate_extra: Vec<(String, String)>,
    /// The deadline of each request, when it was given.
    pub timeout: Option<Duration>,
    /// How much of the connection is logged: 6 requests, 7 their headers, 8 bodies too.
    pub verbosity: u8,
    /// Whether nobody is there to be asked or told anything: then a credential plugin gets no terminal.
    pub is_unattended: bool,
}

impl Target {
    /// The deadline of a request when none is given.
    const TIMEOUT: Duration = Duration::from_secs(30);

    /// The deadline of each request.
    pub(super) fn deadline(&self) -> Duration {
        self.timeout.unwrap_or(Self::TIMEOUT)
    }
}

/// Returns a text unless it is missing or empty.
pub(super) fn given(text: Option<&String>) -> Option<&str> {
    text.map(String::as_str).filter(|text| !text.is_empty())
}
