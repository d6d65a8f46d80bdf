//! The flags that say where to connect to, and as whom: kubectl's own, on every command.

use std::{path::PathBuf, time::Duration};

use clap::{ArgAction, Args, ValueHint, builder::TypedValueParser};
use secrecy::SecretString;

use super::parse_duration;
use crate::cluster::Target;

/// Flags every command takes, anywhere after `kubia`.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = ConnectionArgs::HEADING)]
pub struct ConnectionArgs {
    /// Read only this kubeconfig file
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    kubeconfig: Option<PathBuf>,
    /// Use this kubeconfig context
    #[arg(long, global = true, value_name = "NAME")]
    context: Option<String>,
    /// Act in this namespace instead of the context's
    #[arg(short, long, global = true, value_name = "NAME", value_parser = parse_namespace)]
    pub namespace: Option<String>,
    /// Give up on one request after this time: `30s`, `1m`, or seconds; 0 means 30s
    #[arg(long, global = true, value_name = "TIME", value_parser = parse_duration, default_value = "0",
          allow_hyphen_values = true)]
    request_timeout: Duration,
    /// Use this cluster of the kubeconfig
    #[arg(long, global = true, value_name = "NAME", hide_short_help = true)]
    cluster: Option<String>,
    /// Use this user of the kubeconfig
    #[arg(long, global = true, value_name = "NAME", hide_short_help = true)]
    user: Option<String>,
    /// Talk to this API server
    #[arg(short, long, global = true, value_name = "URL", hide_short_help = true)]
    server: Option<String>,
    /// Trust the certificate authority in this file
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath,
          hide_short_help = true)]
    certificate_authority: Option<String>,
    /// Accept any certificate of the server, which makes the connection insecure
    #[arg(long, global = true, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", default_value = "false", value_parser = boolean(),
          action = ArgAction::Set, hide_short_help = true, hide_default_value = true)]
    insecure_skip_tls_verify: bool,
    /// Expect the server's certificate to be for this name
    #[arg(long, global = true, value_name = "NAME", hide_short_help = true)]
    tls_server_name: Option<String>,
    /// Go through this proxy: http, https or socks5
    #[arg(long, global = true, value_name = "URL", hide_short_help = true)]
    proxy_url: Option<String>,
    /// Use this bearer token; others on this machine can see it among the processes
    #[arg(long, global = true, value_name = "TOKEN", hide_short_help = true)]
    token: Option<SecretString>,
    /// Use the certificate in this file to log in
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath,
          hide_short_help = true)]
    client_certificate: Option<String>,
    /// Use the key in this file to log in
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath,
          hide_short_help = true)]
    client_key: Option<String>,
    /// Use this name for basic authentication
    #[arg(long, global = true, value_name = "NAME", hide_short_help = true)]
    username: Option<String>,
    /// Use this password for basic authentication; others on this machine can see it
    #[arg(long, global = true, value_name = "PASSWORD", hide_short_help = true)]
    password: Option<SecretString>,
    /// Act as this user
    #[arg(long = "as", global = true, value_name = "NAME", hide_short_help = true)]
    impersonate: Option<String>,
    /// Act as a member of this group, with --as; may be repeated
    #[arg(long = "as-group", global = true, value_name = "NAME", hide_short_help = true)]
    impersonate_groups: Vec<String>,
    /// Act with this uid, with --as
    #[arg(long = "as-uid", global = true, value_name = "UID", hide_short_help = true)]
    impersonate_uid: Option<String>,
    /// Act with this attribute, with --as: NAME=VALUE; may be repeated
    #[arg(long = "as-user-extra", global = true, value_name = "NAME=VALUE", value_parser = parse_extra,
          hide_short_help = true)]
    impersonate_extra: Vec<(String, String)>,
    /// Log requests to stderr: 6 each with its answer, 7 headers too, 8 bodies too
    #[arg(
        short = 'v',
        long = "v",
        global = true,
        value_name = "LEVEL",
        default_value = "0",
        hide_short_help = true,
        hide_default_value = true
    )]
    verbosity: u8,
    /// Fail, after all is done, if the server has sent a warning
    #[arg(long, global = true, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", default_value = "false", value_parser = boolean(),
          action = ArgAction::Set, hide_short_help = true, hide_default_value = true)]
    pub warnings_as_errors: bool,
    /// Accepted as in kubectl; nothing is cached
    #[arg(long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath, hide = true)]
    cache_dir: Option<PathBuf>,
    /// Accepted as in kubectl; nothing is compressed
    #[arg(long, global = true, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", default_value = "false", value_parser = boolean(),
          action = ArgAction::Set, hide = true, hide_default_value = true)]
    disable_compression: bool,
}

impl ConnectionArgs {
    /// Where help lists these flags.
    pub(super) const HEADING: &'static str = "Connection";

    /// Returns where to connect to.
    #[must_use]
    pub fn target(&self) -> Target {
        let args = self.clone();
        Target {
            kubeconfig: args.kubeconfig,
            context: args.context,
            cluster: args.cluster,
            user: args.user,
            namespace: args.namespace,
            server: args.server,
            certificate_authority: args.certificate_authority,
            insecure: args.insecure_skip_tls_verify,
            tls_server_name: args.tls_server_name,
            proxy_url: args.proxy_url,
            token: args.token,
            username: args.username,
            password: args.password,
            client_certificate: args.client_certificate,
            client_key: args.client_key,
            impersonate: args.impersonate,
            impersonate_groups: args.impersonate_groups,
            impersonate_uid: args.impersonate_uid,
            impersonate_extra: args.impersonate_extra,
            timeout: Some(args.request_timeout).filter(|timeout| !timeout.is_zero()),
            verbosity: args.verbosity,
            is_unattended: false,
        }
    }
}

/// Parses a namespace; an empty one is as none, which kubectl takes for the context's.
fn parse_namespace(text: &str) -> Result<String, String> {
    if text.is_empty() { Ok(String::new()) } else { super::parse_namespace(text) }
}

/// The words Go reads as true and false.
fn boolean() -> impl TypedValueParser<Value = bool> {
    clap::builder::StringValueParser::new().try_map(|word| match word.as_str() {
        "1" | "t" | "T" | "true" | "True" | "TRUE" => Ok(true),
        "0" | "f" | "F" | "false" | "False" | "FALSE" => Ok(false),
        _ => Err("it is true or false"),
    })
}

fn parse_extra(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("an attribute is written NAME=VALUE".to_owned()),
    }
}
