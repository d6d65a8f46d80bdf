//! What the reader can do about an error.

use super::Error;
use crate::{
    cluster::{ApiError, ConnectError, Failure},
    domain::{
        deploy::DeployError,
        gateway_url::GatewayUrlError,
        shift::{ShiftError, history::HistoryError, undo::UndoError},
        text::{listed, quoted},
        virtual_service::TUTORIAL_VIRTUAL_SERVICE,
    },
};

impl Error {
    /// Returns one sentence with something the reader can do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Connect(error) => connect_hint(error),
            Self::Api(error) | Self::Refused(error) => api_hint(error),
            Self::Unexplained(error) => {
                let why = "why could not be read, and an earlier try may have been written";
                Some(look_first(why, error))
            }
            Self::GatewayUrl(error) | Self::Deploy(DeployError::Gateway(error)) => {
                gateway_hint(error)
            }
            Self::Deploy(DeployError::HostTaken { rival, .. }) => Some(format!(
                "choose another host with --host, or see the other one with `kubectl get \
                 virtualservices.networking.istio.io {} -n {} -o yaml`",
                rival.name, rival.namespace
            )),
            Self::Deploy(DeployError::OtherGateway { .. }) => {
                Some("name the gateway with --gateway-namespace and --service".to_owned())
            }
            Self::Shift(error) => shift_hint(error),
            Self::Guard(error) => Some(format!(
                "mend that, or go on all the same with --allow={}",
                error.words().join(",")
            )),
            Self::History(HistoryError::Unreadable { object, .. })
            | Self::Deploy(DeployError::History(HistoryError::Unreadable { object, .. })) => {
                Some(format!(
                    "look at it, and remove it with `kubectl annotate virtualservices.networking.istio.io \
                 {} -n {} kubectl-kubia/history-`",
                    object.name, object.namespace
                ))
            }
            Self::Undo(error) => Some(undo_hint(error)),
            Self::NotProvable { .. }
            | Self::NotProven { .. }
            | Self::NotLive { .. }
            | Self::Overtaken { .. }
            | Self::Interrupted { .. }
            | Self::NoVirtualService { .. }
            | Self::Changed { .. } => self.change_hint(),
            Self::Usage(_) => {
                Some("`kubectl kubia COMMAND --help` shows how it is meant".to_owned())
            }
            Self::NotReady { object, .. } => Some(format!(
                "look at its pods with `kubectl describe {} -n {}`; when they are ready, run \
                 the same command again",
                object.qualified(),
                object.namespace
            )),
            Self::Pending { service, .. } => Some(format!(
                "without --wait the next best address is printed; `kubectl describe {} -n {}` says \
                 what the load balancer waits for",
                service.qualified(),
                service.namespace
            )),
            Self::NoAnswer { advice, .. } => advice.clone(),
            Self::KrewDirectory { .. } => {
                Some("choose another directory on PATH with --install=DIR".to_owned())
            }
            Self::ForeignFile { path } => Some(format!(
                "look at it with `ls -l {0}`, remove it if nobody needs it, or name another \
                 directory: --install=DIR, --uninstall=DIR",
                path.display()
            )),
            Self::NoHome => Some("name a directory: --install=DIR, --uninstall=DIR".to_owned()),
            Self::History(HistoryError::TooLarge { .. })
            | Self::Deploy(DeployError::History(HistoryError::TooLarge { .. }))
            | Self::Format { .. }
            | Self::File { .. }
            | Self::Warnings { .. }
            | Self::Output(_) => None,
        }
    }

    /// What to do about a VirtualService whose weights were to change.
    fn change_hint(&self) -> Option<String> {
        match self {
            Self::NotProvable { .. } => Some(
                "without --proof=require it is written, and what is not proven is said".to_owned(),
            ),
            Self::NotProven { object, is_undo: true, .. }
            | Self::NotLive { object, is_undo: true, .. } => Some(format!(
                "`kubectl kubia status {} -n {}` looks again; another undo would take this one back",
                object.name, object.namespace
            )),
            Self::NotProven { object, .. } | Self::NotLive { object, .. } => Some(format!(
                "the same command, without --from, looks again; `kubectl kubia undo {} -n {}` takes \
                 it back",
                object.name, object.namespace
            )),
            Self::Overtaken { object, .. } | Self::Interrupted { object, .. } => Some(format!(
                "look at it with `kubectl kubia status {} -n {}`",
                object.name, object.namespace
            )),
            Self::NoVirtualService { object } if object.name == TUTORIAL_VIRTUAL_SERVICE => {
                Some(format!(
                    "name another one (`kubectl kubia status -n {0}` lists them), or deploy the \
                     tutorial's app with `kubectl kubia deploy -n {0}`",
                    object.namespace
                ))
            }
            Self::NoVirtualService { .. } => {
                Some("`kubectl kubia status -A` lists those with weights".to_owned())
            }
            Self::Changed { object, .. } => Some(format!(
                "look at it with `kubectl kubia status {} -n {}` and run the command again",
                object.name, object.namespace
            )),
            _ => None,
        }
    }
}

fn connect_hint(error: &ConnectError) -> Option<String> {
    match error {
        ConnectError::NoConfiguration => Some(
            "name a kubeconfig with --kubeconfig or the variable KUBECONFIG, or a server with --server"
                .to_owned(),
        ),
        ConnectError::NoContext => {
            Some("choose one with --context; `kubectl config get-contexts` lists them".to_owned())
        }
        ConnectError::NoServer { .. } => Some(
            "choose another context with --context, or see this one with `kubectl config view \
             --minify`"
                .to_owned(),
        ),
        ConnectError::UnknownContext { known, .. } if known.is_empty() => None,
        ConnectError::UnknownContext { known, .. } => {
            Some(format!("the kubeconfig has {}", listed(known, ", ")))
        }
        ConnectError::Login { install_hint, .. } => {
            Some(install_hint.clone().unwrap_or_else(|| {
                "log in again; the kubeconfig names the credential plugin under users".to_owned()
            }))
        }
        ConnectError::ProviderGone { plugin, .. } => {
            Some(format!("use the credential plugin {plugin} instead"))
        }
        ConnectError::Expired { .. } => Some(
            "log in again: `kubectl get --raw /version` refreshes the token where that is possible; \
             kubelogin is a credential plugin for OpenID Connect"
                .to_owned(),
        ),
        ConnectError::Unreachable(failure) => failure_hint(failure).or_else(|| {
            Some("is the cluster running? `kubectl version` asks the same server".to_owned())
        }),
        ConnectError::Setup(_) | ConnectError::Invalid(_) => None,
    }
}

fn api_hint(error: &ApiError) -> Option<String> {
    if error.is_open {
        return Some(look_first("it may have been written all the same", error));
    }
    match &error.failure {
        Failure::NoIstio => Some(
            "install Istio (https://istio.io/latest/docs/setup/getting-started/), or choose \
             another cluster with --context"
                .to_owned(),
        ),
        Failure::Forbidden { .. } => Some(format!(
            "it needs the right to {} {}; the README lists all rights kubectl-kubia needs",
            error.verb, error.subject
        )),
        failure => failure_hint(failure),
    }
}

fn look_first(why: &str, error: &ApiError) -> String {
    format!("{why}: look at {} before you go on", error.subject)
}

fn failure_hint(failure: &Failure) -> Option<String> {
    match failure {
        Failure::Unauthorized { .. } => {
            Some("log in again, or choose another user with --context".to_owned())
        }
        Failure::Owned { .. } => Some(
            "leave these fields to their owner, or take them over with --force-conflicts"
                .to_owned(),
        ),
        Failure::Conflict { .. } => Some("run the command again".to_owned()),
        Failure::TimedOut { seconds, .. } => Some(format!(
            "there was no answer within {seconds} s; wait longer with --request-timeout"
        )),
        Failure::Unreachable { advice, .. } => advice.clone(),
        Failure::NotServed => Some(
            "is Istio installed? `kubectl api-resources --api-group networking.istio.io` lists what \
             the server has"
                .to_owned(),
        ),
        Failure::NoIstio
        | Failure::Forbidden { .. }
        | Failure::NotFound { .. }
        | Failure::PatchDoesNotFit { .. }
        | Failure::Invalid { .. }
        | Failure::Refused { .. }
        | Failure::Interrupted { .. }
        | Failure::NotJson
        | Failure::ConnectionRefused { .. } => None,
    }
}

fn gateway_hint(error: &GatewayUrlError) -> Option<String> {
    match error {
        GatewayUrlError::NoGateway { .. } | GatewayUrlError::NoneSelected { .. } => Some(
            "name the gateway's Service with --gateway-namespace and --service; `kubectl get \
             services -A -l istio` lists candidates"
                .to_owned(),
        ),
        GatewayUrlError::NothingRuns { gateway: object, .. }
        | GatewayUrlError::NoPort { service: object, .. } => Some(format!(
            "look at it with `kubectl get {} -n {} -o yaml`",
            object.qualified(),
            object.namespace
        )),
        GatewayUrlError::NoAddress { port_forward, .. } => {
            port_forward.as_ref().map(|command| format!("from here it is reached with `{command}`"))
        }
    }
}

fn shift_hint(error: &ShiftError) -> Option<String> {
    match error {
        ShiftError::NoWeightedRoute { object } => Some(format!(
            "see its routes with `kubectl kubia status {} -n {}`",
            object.name, object.namespace
        )),
        ShiftError::SeveralRoutes { arguments, are_together, .. } => {
            let all = if *are_together { ", or --route all" } else { "" };
            Some(format!("say which: {}{all}", arguments.join(", ")))
        }
        ShiftError::AmbiguousVersion { names, route, .. } => {
            let names: Vec<_> =
                names.iter().map(|name| format!("{}=PERCENT", quoted(name))).collect();
            let route = route.as_ref().map_or_else(String::new, |route| format!(", with {route}"));
            Some(format!("say which: {}{route}", names.join(", ")))
        }
        ShiftError::Split { .. } => Some("name the share of every version".to_owned()),
        ShiftError::FromDiffers { object, .. } => Some(format!(
            "look at it with `kubectl kubia status {} -n {}`",
            object.name, object.namespace
        )),
        ShiftError::UnknownRoute { .. }
        | ShiftError::UnknownVersion { .. }
        | ShiftError::NamedTwice { .. } => None,
    }
}

fn undo_hint(error: &UndoError) -> String {
    match error {
        UndoError::Empty { .. } => {
            "only changes by kubectl-kubia are recorded; set the weights with \
             `kubectl kubia shift`"
                .to_owned()
        }
        UndoError::UnknownRevision { object, .. } => {
            format!("`kubectl kubia history {} -n {}` lists them", object.name, object.namespace)
        }
        UndoError::OtherRoute { .. } | UndoError::UnclearRoute { .. } => {
            "set the weights with `kubectl kubia shift`".to_owned()
        }
    }
}
