//! What kubeconfig, flags and surroundings come to together: one server, one user, one namespace.
//!
//! kube knows neither most of kubectl's flags (`KubeConfigOptions` has three) nor its order of
//! precedence, and falls back to the cluster it may run in for any error (`Config::infer`), so the
//! choice is made here, as client-go's `clientcmd.DirectClientConfig` makes it.

use std::{collections::HashMap, env, fs, path::Path};

use http::Uri;
use kube::config::{AuthInfo, Cluster, Context, Kubeconfig, NamedContext};
use secrecy::{ExposeSecret as _, SecretString};

use super::{ConnectError, Target, kubeconfig, messages::Log, problems, target::given};
use crate::cluster::{Failure, segment_problems};

/// Where a pod finds what it needs to talk to its cluster.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Whom to talk to, as whom, and about which namespace.
pub(super) struct Settings {
    /// Name of the context; without one, the server's URL, or `in-cluster`.
    pub(super) context: String,
    pub(super) namespace: String,
    pub(super) url: Uri,
    /// The cluster with all flags applied.
    pub(super) cluster: Cluster,
    /// The user with all flags applied. Of no use to a server without TLS, but for impersonation.
    pub(super) user: AuthInfo,
}

impl Settings {
    /// Reads everything, and connects to nobody.
    pub(super) fn read(target: &Target, log: &Log) -> Result<Self, ConnectError> {
        let kubeconfig = kubeconfig::read(target, log)?;
        let choice = Choice::new(target, &kubeconfig)?;
        let mut problems = choice.missing_context(&kubeconfig);
        problems.extend(problems::of_user(&choice.user_name, &choice.user));
        problems.extend(problems::of_cluster(&choice.cluster_name, &choice.cluster));
        if !problems.is_empty() {
            return Err(ConnectError::Invalid(problems));
        }
        let namespace = namespace(target, choice.context.as_ref())?;
        if let Some(server) = given(choice.cluster.server.as_ref()) {
            let (url, context) = (url(server)?, choice.context_name);
            let context = if context.is_empty() { url.to_string() } else { context };
            let Choice { cluster, user, .. } = choice;
            return Ok(Self { context, namespace, url, cluster, user });
        }
        match in_cluster(target) {
            Some((server, cluster, account)) => Ok(Self {
                context: "in-cluster".to_owned(),
                namespace,
                url: url(&server)?,
                cluster,
                user: impersonating(account, target),
            }),
            None => Err(choice.no_server(&kubeconfig)),
        }
    }

    /// Whether the server is authenticated, and so may be told who we are (client-go:
    /// `restclient.IsConfigTransportTLS`; kube sends credentials to any server, kube-rs/kube#1593).
    pub(super) fn is_secure(&self) -> bool {
        self.url.scheme_str() == Some("https")
    }
}

/// Reads the names of all contexts, clusters or users.
pub(super) fn names(target: &Target, log: &Log, kind: Named) -> Result<Vec<String>, ConnectError> {
    let kubeconfig = kubeconfig::read(target, log)?;
    Ok(match kind {
        Named::Context => kubeconfig.contexts.into_iter().map(|each| each.name).collect(),
        Named::Cluster => kubeconfig.clusters.into_iter().map(|each| each.name).collect(),
        Named::User => kubeconfig.auth_infos.into_iter().map(|each| each.name).collect(),
    })
}

/// What a kubeconfig has names for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// Contexts.
    Context,
    /// Clusters.
    Cluster,
    /// Users.
    User,
}

/// The entries that flags and the current context choose.
struct Choice {
    context_name: String,
    context: Option<Context>,
    cluster_name: String,
    cluster: Cluster,
    user_name: String,
    user: AuthInfo,
}

impl Choice {
    fn new(target: &Target, kubeconfig: &Kubeconfig) -> Result<Self, ConnectError> {
        let flag = given(target.context.as_ref());
        let context_name = flag.or(kubeconfig.current_context.as_deref()).unwrap_or_default();
        let context = kubeconfig.contexts.iter().find(|each| each.name == context_name);
        let context = context.map(|each| each.context.clone().unwrap_or_default());
        let of_context = context.as_ref().and_then(|context| context.user.as_deref());
        let user_name = given(target.user.as_ref()).or(of_context).unwrap_or_default();
        let user = kubeconfig.auth_infos.iter().find(|each| each.name == user_name);
        if user.is_none() && given(target.user.as_ref()).is_some() {
            return Err(ConnectError::Setup(format!("auth info {user_name:?} does not exist")));
        }
        if context.is_none() && flag.is_some() {
            let known = kubeconfig.contexts.iter().map(|each: &NamedContext| each.name.clone());
            let context = context_name.to_owned();
            return Err(ConnectError::UnknownContext { context, known: known.collect() });
        }
        let of_context = context.as_ref().map(|context| context.cluster.as_str());
        let cluster_name = given(target.cluster.as_ref()).or(of_context).unwrap_or_default();
        let cluster = kubeconfig.clusters.iter().find(|each| each.name == cluster_name);
        if cluster.is_none() && given(target.cluster.as_ref()).is_some() {
            return Err(ConnectError::Setup(format!("cluster {cluster_name:?} does not exist")));
        }
        let cluster = cluster.and_then(|each| each.cluster.clone()).unwrap_or_default();
        let user = user.and_then(|each| each.auth_info.clone()).unwrap_or_default();
        Ok(Self {
            context_name: context_name.to_owned(),
            cluster_name: cluster_name.to_owned(),
            cluster: with_cluster_flags(cluster, target),
            user_name: user_name.to_owned(),
            user: impersonating(with_user_flags(user, target), target),
            context,
        })
    }

    /// A current context that does not exist.
    fn missing_context(&self, kubeconfig: &Kubeconfig) -> Vec<String> {
        let name = &self.context_name;
        let is_known = kubeconfig.contexts.iter().any(|each| each.name == *name);
        let is_missing = !name.is_empty() && !is_known;
        is_missing.then(|| format!("{MISSING_CONTEXT}: {name}")).into_iter().collect()
    }

    /// Says what is missing when no server is known.
    fn no_server(self, kubeconfig: &Kubeconfig) -> ConnectError {
        let is_empty = kubeconfig.clusters.is_empty() && kubeconfig.contexts.is_empty();
        match (is_empty, self.context_name.is_empty()) {
            (true, _) => ConnectError::NoConfiguration,
            (false, true) if self.cluster_name.is_empty() => ConnectError::NoContext,
            _ => ConnectError::NoServer { cluster: self.cluster_name },
        }
    }
}

/// How the one problem begins that kubectl calls an error in the configuration even when it is alone.
pub(super) const MISSING_CONTEXT: &str = "context was not found for specified context";

fn with_cluster_flags(mut cluster: Cluster, target: &Target) -> Cluster {
    set(&mut cluster.server, target.server.as_ref());
    set(&mut cluster.proxy_url, target.proxy_url.as_ref());
    // Either flag decides alone whom to trust.
    let authority = given(target.certificate_authority.as_ref());
    if target.insecure || authority.is_some() {
        cluster.insecure_skip_tls_verify = Some(target.insecure);
        cluster.certificate_authority = authority.map(str::to_owned);
        cluster.certificate_authority_data = None;
    }
    // A name in the kubeconfig is that of another server.
    if given(target.tls_server_name.as_ref()).is_some() || given(target.server.as_ref()).is_some() {
        cluster.tls_server_name.clone_from(&target.tls_server_name);
    }
    if given(cluster.server.as_ref()).is_none() {
        cluster.server = env::var("KUBERNETES_MASTER").ok();
    }
    cluster
}

fn with_user_flags(mut user: AuthInfo, target: &Target) -> AuthInfo {
    set_secret(&mut user.token, target.token.as_ref());
    set_secret(&mut user.password, target.password.as_ref());
    set(&mut user.username, target.username.as_ref());
    if let Some(file) = given(target.client_certificate.as_ref()) {
        (user.client_certificate, user.client_certificate_data) = (Some(file.to_owned()), None);
    }
    if let Some(file) = given(target.client_key.as_ref()) {
        (user.client_key, user.client_key_data) = (Some(file.to_owned()), None);
    }
    user
}

fn impersonating(mut user: AuthInfo, target: &Target) -> AuthInfo {
    set(&mut user.impersonate, target.impersonate.as_ref());
    set(&mut user.impersonate_uid, target.impersonate_uid.as_ref());
    if !target.impersonate_groups.is_empty() {
        user.impersonate_groups = Some(target.impersonate_groups.clone());
    }
    if !target.impersonate_extra.is_empty() {
        let mut extra: HashMap<String, Vec<String>> = HashMap::new();
        for (name, value) in &target.impersonate_extra {
            extra.entry(name.clone()).or_default().push(value.clone());
        }
        let known = user.impersonate_user_extra.get_or_insert_default();
        known.extend(extra);
    }
    user
}

fn set(field: &mut Option<String>, flag: Option<&String>) {
    if let Some(value) = given(flag) {
        *field = Some(value.to_owned());
    }
}

fn set_secret(field: &mut Option<SecretString>, flag: Option<&SecretString>) {
    if let Some(value) = flag.filter(|value| !value.expose_secret().is_empty()) {
        *field = Some(value.clone());
    }
}

/// `--namespace`, else the context's, else in a pod the pod's, else `default`.
pub(super) fn namespace(
    target: &Target,
    context: Option<&Context>,
) -> Result<String, ConnectError> {
    let of_context = || context.and_then(|context| given(context.namespace.as_ref()));
    let of_pod = || if is_in_pod() { namespace_of_pod() } else { None };
    let named = given(target.namespace.as_ref()).or_else(of_context).map(str::to_owned);
    let namespace = named.or_else(of_pod).unwrap_or_else(|| "default".to_owned());
    match segment_problems(&namespace).as_slice() {
        [] => Ok(namespace),
        problems => Err(ConnectError::Setup(format!(
            "invalid namespace {namespace:?}: [{}]",
            problems.join(" ")
        ))),
    }
}

fn namespace_of_pod() -> Option<String> {
    let variable = env::var("POD_NAMESPACE").ok().filter(|name| !name.is_empty());
    variable.or_else(|| {
        let file = fs::read_to_string(format!("{SERVICE_ACCOUNT}/namespace")).ok()?;
        Some(file.trim().to_owned()).filter(|name| !name.is_empty())
    })
}

fn is_in_pod() -> bool {
    let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    is_set("KUBERNETES_SERVICE_HOST")
        && is_set("KUBERNETES_SERVICE_PORT")
        && Path::new(&format!("{SERVICE_ACCOUNT}/token")).is_file()
}

/// The server, its authority and the account of the pod this runs in.
fn in_cluster(target: &Target) -> Option<(String, Cluster, AuthInfo)> {
    if !is_in_pod() {
        return None;
    }
    let host = env::var("KUBERNETES_SERVICE_HOST").ok()?;
    let port = env::var("KUBERNETES_SERVICE_PORT").ok()?;
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    let server = format!("https://{host}:{port}");
    let authority = format!("{SERVICE_ACCOUNT}/ca.crt");
    let cluster = Cluster {
        server: Some(server.clone()),
        certificate_authority: Path::new(&authority).is_file().then_some(authority),
        ..Cluster::default()
    };
    let account =
        AuthInfo { token_file: Some(format!("{SERVICE_ACCOUNT}/token")), ..AuthInfo::default() };
    let account = match &target.token {
        Some(token) if !token.expose_secret().is_empty() => {
            AuthInfo { token: Some(token.clone()), ..AuthInfo::default() }
        }
        _ => account,
    };
    Some((server, with_cluster_flags(cluster, target), account))
}

/// Reads a URL, or `host:port` of a server without TLS, as client-go's `DefaultServerURL` does.
fn url(server: &str) -> Result<Uri, ConnectError> {
    let has_scheme = server.split_once("://").is_some_and(|(scheme, host)| {
        !scheme.is_empty() && !host.is_empty() && !host.starts_with('/')
    });
    let full = if has_scheme { server.to_owned() } else { format!("http://{server}") };
    let full = full.split(['?', '#']).next().unwrap_or_default();
    let url = full.parse::<Uri>().ok().filter(|url| {
        matches!(url.scheme_str(), Some("http" | "https"))
            && url.host().is_some_and(|host| !host.is_empty())
    });
    let url = url.ok_or_else(|| {
        ConnectError::Setup(format!("host must be a URL or a host:port pair: {server:?}"))
    })?;
    // http reads a port that is too large as none at all.
    let authority = url.authority().map_or("", |authority| authority.as_str());
    match authority.rsplit_once(':') {
        Some((_, port)) if !port.contains(']') && !port.is_empty() && url.port().is_none() => {
            let cause = format!("dial tcp: address {port}: invalid port");
            Err(ConnectError::Unreachable(Failure::unreachable(&cause, None, false)))
        }
        _ => Ok(url),
    }
}
