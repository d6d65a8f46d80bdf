//! The words of the command line, and nothing that acts on them.

use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{
    Args, Parser, Subcommand, ValueHint,
    builder::{PossibleValuesParser, TypedValueParser},
};

use crate::{
    cluster::Target,
    commands::{
        completion::CompletionArgs, deploy::DeployArgs, gateway_url::GatewayUrlArgs,
        parse_duration, shift::ShiftArgs, status::StatusArgs,
    },
    view::OutputFormat,
};

/// The deadline of a request when none is given, or `0`.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Find an Istio gateway, and move traffic between versions of a service
#[derive(Debug, Parser)]
#[command(
    name = "kubectl-kubia",
    version,
    disable_help_subcommand = false,
    subcommand_required = true,
    after_help = "Flags go after `kubia`: kubectl refuses flags before a plugin's name.\n\
                  Exit codes: 0 done, 1 failed, 2 usage, 3 refused and nothing written, \
                  6 changed meanwhile and nothing written."
)]
pub struct Cli {
    /// Flags every command takes.
    #[command(flatten)]
    pub global: GlobalArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Flags every command takes, anywhere after `kubia`.
#[derive(Args, Debug)]
#[command(next_help_heading = "Connection and output")]
pub struct GlobalArgs {
    /// Read only this kubeconfig file
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub kubeconfig: Option<PathBuf>,
    /// Use this kubeconfig context
    #[arg(long, global = true, value_name = "NAME")]
    pub context: Option<String>,
    /// Act in this namespace instead of the context's
    #[arg(short, long, global = true, value_name = "NAME")]
    pub namespace: Option<String>,
    /// Give up on one request after this time: `30s`, `1m`, or seconds; 0 means 30s
    #[arg(long, global = true, value_name = "TIME", value_parser = parse_duration, default_value = "0")]
    pub request_timeout: Duration,
    /// Print in this format
    #[arg(short, long, global = true, value_name = "FORMAT", value_parser = output_format(), default_value = "text")]
    pub output: OutputFormat,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print host:port of the ingress gateway
    GatewayUrl(GatewayUrlArgs),
    /// Deploy the tutorial's app: two versions behind the ingress gateway
    Deploy(DeployArgs),
    /// Set the share of requests that goes to a version
    Shift(ShiftArgs),
    /// Show the way of a request: gateway, route, versions, pods
    Status(StatusArgs),
    /// Complete command lines: scripts for shells, and kubectl's own completion
    Completion(CompletionArgs),
}

impl GlobalArgs {
    /// Returns where to connect to.
    #[must_use]
    pub fn target(&self) -> Target {
        let timeout = self.request_timeout;
        Target {
            kubeconfig: self.kubeconfig.clone(),
            context: self.context.clone(),
            namespace: self.namespace.clone(),
            timeout: if timeout.is_zero() { REQUEST_TIMEOUT } else { timeout },
        }
    }
}

/// Returns the name to show in usage lines: kubectl's way to call a plugin, or the program's own.
#[must_use]
pub fn invoked_as(program: Option<&OsString>) -> String {
    let name = program.and_then(|path| Path::new(path).file_name());
    let name = name.and_then(OsStr::to_str).unwrap_or("kubectl-kubia");
    name.replacen("kubectl-", "kubectl ", 1)
}

fn output_format() -> impl TypedValueParser<Value = OutputFormat> {
    PossibleValuesParser::new(OutputFormat::NAMES).map(|name| OutputFormat::named(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_lines_say_how_kubectl_calls_the_plugin() {
        let shown = |path: &str| invoked_as(Some(&path.into()));
        assert_eq!(shown("/home/a/.krew/bin/kubectl-kubia"), "kubectl kubia");
        assert_eq!(shown("kubia"), "kubia");
    }
}
