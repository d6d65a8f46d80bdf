//! Runs a credential plugin (`client.authentication.k8s.io`), as client-go's `plugin/pkg/client/auth/exec` does.
//!
//! kube runs a plugin three times per client, blocks its runtime meanwhile, lets it read a standard
//! input that is no terminal, and puts its output into errors (kube-client 5.0.0,
//! `client/auth/mod.rs`, `auth_exec`; kube-rs/kube#1950). Here it runs once for each credential.

use std::{
    io::{self, IsTerminal as _},
    path::Path,
    process::Stdio,
    time::{Duration, SystemTime},
};

use jiff::Timestamp;
use kube::config::{Cluster, ExecAuthCluster, ExecConfig, ExecInteractiveMode};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::process::Command;

use super::{messages::reason, tls::Identity};

/// The version of the protocol that kubectl prefers.
pub(super) const VERSION: &str = "client.authentication.k8s.io/v1";
const VERSIONS: [&str; 2] = [VERSION, "client.authentication.k8s.io/v1beta1"];

/// How long a plugin may take where no deadline was given.
const LIMIT: Duration = Duration::from_secs(60);
/// How long somebody at a terminal may take to log in, likewise.
const PATIENCE: Duration = Duration::from_secs(300);

/// A plugin, ready to run.
pub(super) struct Plugin {
    config: ExecConfig,
    version: &'static str,
    /// What it is told of the cluster.
    cluster: Option<ExecAuthCluster>,
    terms: Terms,
}

/// What a plugin has to keep to.
#[derive(Clone, Copy)]
pub(super) struct Terms {
    /// A deadline that was given.
    pub(super) timeout: Option<Duration>,
    /// Whether nobody is there to be asked or told anything.
    pub(super) is_unattended: bool,
}

/// What a plugin answered.
pub(super) struct Credential {
    pub(super) token: Option<SecretString>,
    pub(super) identity: Option<Identity>,
    /// When to ask again: shortly before it expires.
    pub(super) renew: Option<SystemTime>,
}

/// Why there is no credential.
#[derive(Clone, Debug, thiserror::Error)]
#[error("getting credentials: {reason}")]
pub(super) struct LoginError {
    reason: String,
    /// What its author has to say to those who do not have it.
    pub(super) install_hint: Option<String>,
}

impl LoginError {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), install_hint: None }
    }
}

impl Plugin {
    /// Reads a user's `exec`.
    pub(super) fn new(config: ExecConfig, cluster: &Cluster, terms: Terms) -> Result<Self, String> {
        let named = config.api_version.as_deref().unwrap_or_default();
        let version = VERSIONS.into_iter().find(|version| *version == named);
        let version =
            version.ok_or_else(|| format!("exec plugin: invalid apiVersion {named:?}"))?;
        let cluster = config.provide_cluster_info.then(|| ExecAuthCluster::try_from(cluster));
        let cluster = cluster.transpose().map_err(|error| error.to_string())?;
        Ok(Self { config, version, cluster, terms })
    }

    /// Runs it and reads the credential it prints.
    pub(super) async fn run(&self) -> Result<Credential, LoginError> {
        let is_interactive = self.is_interactive()?;
        let name = self.config.command.as_deref().unwrap_or_default();
        let mut command = Command::new(name);
        command
            .args(self.config.args.iter().flatten())
            .envs(
                self.config
                    .env
                    .iter()
                    .flatten()
                    .filter_map(|variable| Some((variable.get("name")?, variable.get("value")?))),
            )
            .env("KUBERNETES_EXEC_INFO", self.info(is_interactive))
            // What is on a standard input that is no terminal is for somebody else.
            .stdin(if is_interactive { Stdio::inherit() } else { Stdio::null() })
            .stdout(Stdio::piped())
            // It may ask somebody to log in, and looks whether this is a terminal.
            .stderr(if self.terms.is_unattended { Stdio::null() } else { Stdio::inherit() })
            .kill_on_drop(true);
        let child = command.spawn().map_err(|error| self.does_not_start(name, &error))?;
        let limit = self.terms.timeout.unwrap_or(if is_interactive { PATIENCE } else { LIMIT });
        let output = tokio::time::timeout(limit, child.wait_with_output()).await.map_err(|_| {
            let seconds = limit.as_secs_f64();
            LoginError::new(format!("exec: executable {name} did not end within {seconds} s"))
        })?;
        let output = output.map_err(|error| LoginError::new(reason(&error)))?;
        if !output.status.success() {
            let code = output.status.code().unwrap_or(-1);
            let what = format!("exec: executable {name} failed with exit code {code}");
            return Err(LoginError::new(what));
        }
        read(&output.stdout, self.version, SystemTime::now()).map_err(LoginError::new)
    }

    fn is_interactive(&self) -> Result<bool, LoginError> {
        let is_terminal = io::stdin().is_terminal() && !self.terms.is_unattended;
        match self.config.interactive_mode {
            Some(ExecInteractiveMode::Never) => Ok(false),
            // Older versions may leave it out.
            Some(ExecInteractiveMode::IfAvailable) | None => Ok(is_terminal),
            Some(ExecInteractiveMode::Always) if is_terminal => Ok(true),
            Some(ExecInteractiveMode::Always) => Err(LoginError::new(
                "exec plugin cannot support interactive mode: standard input is not a terminal",
            )),
        }
    }

    fn info(&self, is_interactive: bool) -> String {
        let mut spec = json!({"interactive": is_interactive});
        if let Some(cluster) = &self.cluster {
            spec["cluster"] = serde_json::to_value(cluster).unwrap_or_default();
        }
        json!({"kind": "ExecCredential", "apiVersion": self.version, "spec": spec}).to_string()
    }

    fn does_not_start(&self, name: &str, error: &io::Error) -> LoginError {
        // A bare name was looked for on PATH, and nothing more can be said of it.
        if Path::new(name).components().count() > 1 {
            return LoginError::new(format!("exec: fork/exec {name}: {}", reason(error)));
        }
        let install_hint = self.config.install_hint.clone().filter(|hint| !hint.is_empty());
        let reason = format!("exec: executable {name} not found");
        LoginError { reason, install_hint }
    }
}

/// Reads what a plugin printed, which is not shown whatever it is: it may be a secret.
fn read(stdout: &[u8], wanted: &str, now: SystemTime) -> Result<Credential, String> {
    // Some print YAML, and kubectl reads it.
    let answer: Value = serde_saphyr::from_slice(stdout)
        .map_err(|_| "decoding stdout: it is neither JSON nor YAML".to_owned())?;
    let text = |pointer: &str| {
        let value = answer.pointer(pointer).and_then(Value::as_str);
        value.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    if answer["kind"] != "ExecCredential" {
        return Err("decoding stdout: it is no ExecCredential".to_owned());
    }
    let version = text("/apiVersion").unwrap_or_default();
    if version != wanted {
        // Anything else in this place is as secret as the rest.
        let known = version.starts_with("client.authentication.k8s.io/") && version.len() < 50;
        let version = if known { version.as_str() } else { "unknown" };
        return Err(format!(
            "exec plugin is configured to use API version {wanted}, plugin returned version {version}"
        ));
    }
    if !answer["status"].is_object() {
        return Err("exec plugin didn't return a status field".to_owned());
    }
    let token = text("/status/token");
    let certificate = text("/status/clientCertificateData");
    let key = text("/status/clientKeyData");
    let identity = match (certificate, key) {
        (Some(certificate), Some(key)) => Some((certificate.into_bytes(), SecretString::from(key))),
        (None, None) if token.is_none() => {
            return Err("exec plugin didn't return a token or cert/key pair".to_owned());
        }
        (None, None) => None,
        _ => return Err("exec plugin returned only certificate or key, not both".to_owned()),
    };
    let renew = match text("/status/expirationTimestamp") {
        None => None,
        Some(text) => {
            let expiry: Timestamp = text
                .parse()
                .map_err(|_| "decoding stdout: status.expirationTimestamp is no time".to_owned())?;
            Some(shortly_before(expiry.into(), now))
        }
    };
    Ok(Credential { token: token.map(SecretString::from), identity, renew })
}

/// Reads what a plugin of the latest version printed.
pub(in crate::cluster) fn credential(stdout: &[u8], now: SystemTime) -> Result<(), String> {
    read(stdout, VERSION, now).map(drop)
}

/// When a credential that expires then and is got now has to be got anew: a tenth of its life
/// before its end, but at most a minute, so that no request is sent with one that ends on the way.
fn shortly_before(expiry: SystemTime, now: SystemTime) -> SystemTime {
    let life = expiry.duration_since(now).unwrap_or_default();
    expiry - (life / 10).min(Duration::from_secs(60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_is_renewed_shortly_before_it_expires() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let after = |seconds| now + Duration::from_secs(seconds);
        assert_eq!(shortly_before(after(3600), now), after(3540));
        assert_eq!(shortly_before(after(100), now), after(90));
        // One that is over already is good for one request, as in kubectl.
        assert_eq!(shortly_before(now, now), now);
        let past = now - Duration::from_secs(5);
        assert_eq!(shortly_before(past, now), past);
    }

    #[test]
    fn what_a_plugin_prints_is_not_shown() {
        let answers = [
            "SECRET",
            "{\"kind\": \"SECRET\"}",
            "[SECRET",
            "",
            "\u{0}",
            "{}",
            "{\"kind\": \"ExecCredential\", \"apiVersion\": \"SECRET\"}",
            "{\"kind\": \"ExecCredential\", \"apiVersion\": \"client.authentication.k8s.io/v1\", \
             \"status\": {\"token\": \"a\", \"expirationTimestamp\": \"SECRET\"}}",
        ];
        for answer in answers {
            let error = credential(answer.as_bytes(), SystemTime::now()).unwrap_err();
            assert!(!error.contains("SECRET"), "{error}");
        }
    }
}
