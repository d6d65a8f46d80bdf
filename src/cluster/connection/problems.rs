//! What does not go together in a cluster or a user, in the words of client-go's `clientcmd` (`validation.go`).
//!
//! kube checks none of it; a user without a key, say, would be nobody in particular.

use std::fs;

use kube::config::{AuthInfo, Cluster};
use secrecy::{ExposeSecret as _, SecretString};

use super::{exec, messages::reason, proxy, target::given};

/// What is wrong with a cluster, as client-go's `validateClusterInfo` says it.
pub(super) fn of_cluster(name: &str, cluster: &Cluster) -> Vec<String> {
    let mut problems = Vec::new();
    if let Some(text) = given(cluster.proxy_url.as_ref())
        && let Err(reason) = proxy::check(text)
    {
        let shown = proxy::without_user(text);
        problems.push(format!("invalid 'proxy-url' {shown:?} for cluster {name:?}: {reason}"));
    }
    let file = given(cluster.certificate_authority.as_ref());
    if file.is_some() && given(cluster.certificate_authority_data.as_ref()).is_some() {
        problems.push(format!(
            "certificate-authority-data and certificate-authority are both specified for {name}. \
             certificate-authority-data will override."
        ));
    }
    problems.extend(unreadable("certificate-authority", file, name));
    problems
}

/// What is wrong with a user, as client-go's `validateAuthInfo` says it.
pub(super) fn of_user(name: &str, user: &AuthInfo) -> Vec<String> {
    let mut problems = Vec::new();
    let certificate = given(user.client_certificate.as_ref());
    let has_data = given(user.client_certificate_data.as_ref()).is_some();
    if certificate.is_some() || has_data {
        let (key, has_key_data) =
            (given(user.client_key.as_ref()), has_secret(user.client_key_data.as_ref()));
        if certificate.is_some() && has_data {
            problems.push(format!(
                "client-cert-data and client-cert are both specified for {name}. \
                 client-cert-data will override."
            ));
        }
        if key.is_some() && has_key_data {
            problems.push(format!(
                "client-key-data and client-key are both specified for {name}; \
                 client-key-data will override"
            ));
        }
        if key.is_none() && !has_key_data {
            problems.push(format!(
                "client-key-data or client-key must be specified for {name} to use the \
                 clientCert authentication method."
            ));
        }
        problems.extend(unreadable("client-cert", certificate, name));
        problems.extend(unreadable("client-key", key, name));
    }
    problems.extend(of_plugin(name, user));
    let has_basic = given(user.username.as_ref()).is_some() || has_secret(user.password.as_ref());
    if has_secret(user.token.as_ref()) && has_basic {
        problems.push(format!(
            "more than one authentication method found for {name}; found [token basicAuth], \
             only one is allowed"
        ));
    }
    let is_nobody = given(user.impersonate.as_ref()).is_none();
    let has_details = given(user.impersonate_uid.as_ref()).is_some()
        || user.impersonate_groups.as_ref().is_some_and(|groups| !groups.is_empty())
        || user.impersonate_user_extra.as_ref().is_some_and(|extra| !extra.is_empty());
    if is_nobody && has_details {
        problems.push(format!(
            "requesting uid, groups or user-extra for {name} without impersonating a user"
        ));
    }
    problems
}

fn of_plugin(name: &str, user: &AuthInfo) -> Vec<String> {
    let Some(plugin) = &user.exec else { return Vec::new() };
    let must = |what: &str| {
        format!("{what} must be specified for {name} to use exec authentication plugin")
    };
    let mut problems = Vec::new();
    if user.auth_provider.is_some() {
        problems.push(format!(
            "authProvider cannot be provided in combination with an exec plugin for {name}"
        ));
    }
    if given(plugin.command.as_ref()).is_none() {
        problems.push(must("command"));
    }
    let version = given(plugin.api_version.as_ref());
    if version.is_none() {
        problems.push(must("apiVersion"));
    }
    // Older versions may leave it out.
    let is_open = plugin.interactive_mode.is_none();
    if is_open && version == Some(exec::VERSION) {
        problems.push(must("interactiveMode"));
    }
    problems
}

fn unreadable(what: &str, file: Option<&str>, name: &str) -> Option<String> {
    let file = file?;
    let error = fs::File::open(file).err()?;
    let reason = reason(&error);
    Some(format!("unable to read {what} {file} for {name} due to open {file}: {reason}"))
}

fn has_secret(secret: Option<&SecretString>) -> bool {
    secret.is_some_and(|secret| !secret.expose_secret().is_empty())
}
