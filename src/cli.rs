//! The words of the command line, and nothing that acts on them.

use std::{
    ffi::{OsStr, OsString},
    path::Path,
};

use clap::{
    Args, Parser, Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};

use crate::{
    commands::{
        completion::CompletionArgs, connection::ConnectionArgs, deploy::DeployArgs,
        gateway_url::GatewayUrlArgs, history::HistoryArgs, shift::ShiftArgs, status::StatusArgs,
        undo::UndoArgs,
    },
    view::OutputFormat,
};

/// Find an Istio gateway, and move traffic between versions of a service
#[derive(Debug, Parser)]
#[command(
    name = "kubectl-kubia",
    version,
    args_override_self = true,
    disable_help_subcommand = false,
    subcommand_required = true,
    after_help = "Flags go after `kubia`: kubectl refuses flags before a plugin's name.\n\
                  Exit codes: 0 done, 1 failed, 2 usage, 3 refused and nothing written, \
                  4 written but a proxy runs something else, 6 changed meanwhile by somebody else, \
                  130 interrupted."
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
pub struct GlobalArgs {
    /// Where to connect to, and as whom.
    #[command(flatten)]
    pub connection: ConnectionArgs,
    /// Print in this format
    #[arg(short, long, global = true, value_name = "FORMAT", value_parser = output_format(),
          default_value = "text", help_heading = "Output")]
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
    /// Take back the last change of weights, or return to a recorded one
    Undo(UndoArgs),
    /// Show who changed the weights of a VirtualService, when, and why
    History(HistoryArgs),
    /// Show the way of a request: gateway, route, versions, pods
    Status(StatusArgs),
    /// Complete command lines: scripts for shells, and kubectl's own completion
    Completion(CompletionArgs),
}

/// Returns the name to show in usage lines: kubectl's way to call a plugin, or the program's own.
#[must_use]
pub fn invoked_as(program: Option<&OsString>) -> String {
    let name = program.and_then(|path| Path::new(path).file_name());
    let name = name.and_then(OsStr::to_str).unwrap_or("kubectl-kubia");
    name.replacen("kubectl-", "kubectl ", 1)
}

/// Returns the arguments with dashes in the names of flags where kubectl takes underscores as well.
#[must_use]
pub fn normalized(args: &[OsString]) -> Vec<OsString> {
    let end = args.iter().position(|word| word == "--").unwrap_or(args.len());
    let normalize = |(at, word): (usize, &OsString)| match word.to_str() {
        Some(text) if at < end && text.starts_with("--") => {
            let (name, value) = text.split_at(text.find('=').unwrap_or(text.len()));
            format!("{}{value}", name.replace('_', "-")).into()
        }
        _ => word.clone(),
    };
    args.iter().enumerate().map(normalize).collect()
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

    #[test]
    fn flags_may_have_underscores() {
        let words = |line: &str| line.split(' ').map(OsString::from).collect::<Vec<_>>();
        assert_eq!(
            normalized(&words("kubia_ --as_uid=a_b -n a_b --as_group a_b -- --c_d")),
            words("kubia_ --as-uid=a_b -n a_b --as-group a_b -- --c_d")
        );
    }
}
