//! `status`: reads everything a request passes on its way, and shows it on one screen; or every
//! weighted route, a line for each.

use std::time::Duration;

use clap::Args;
use serde_json::Value;
use tokio::time::Instant;

use super::{
    GatewayArgs, Invocation, ingress_gateway, proof::Watch, read_snapshot, virtual_service,
};
use crate::{
    cluster::{Cluster, Freshness},
    domain::{
        gateway::IngressGateway,
        gateway_url::{self, Candidate},
        named_gateway::{GatewayApi, NamedGateway},
        object::Kind,
        proof::Target,
        shift::{self},
        snapshot::{Labels, Pod, Subset},
        status::{self, Snapshot},
        virtual_service::VirtualService,
    },
    error::Error,
    view::{OutputFormat, status::StatusView, status_list::StatusList},
};

/// How long the gateway proxies may take to say what they run.
const LOOKING: Duration = Duration::from_secs(15);

/// Flags of `status`.
///
/// Show the way of a request: the gateway's address and pods, the route, for each version its subset,
/// the share asked for, the share the gateway proxies give it, ready pods, image and age; and what each
/// proxy does. Without a name that is the tutorial's VirtualService, or where there is none, every
/// weighted route of the namespace.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    # The tutorial's route\n  \
    kubectl kubia status\n\n  \
    # Every weighted route of all namespaces\n  \
    kubectl kubia status -A\n\n  \
    # Shares and pods of one VirtualService, for a script\n  \
    kubectl kubia status reviews -n shop -o json")]
pub struct StatusArgs {
    /// The VirtualService
    #[arg(value_parser = super::parse_virtual_service)]
    name: Option<String>,
    /// Show every weighted route of all namespaces
    #[arg(short = 'A', long, conflicts_with = "name")]
    all_namespaces: bool,
    /// Print no line with the names of columns
    #[arg(long)]
    no_headers: bool,
    #[command(flatten)]
    gateway: GatewayArgs,
}

/// An ingress gateway, its address where it has one, and what of it could not be read.
type Gateway = (IngressGateway, Option<Candidate>, Vec<String>);

/// Shows the status.
///
/// # Errors
/// When VirtualServices cannot be read; what else cannot be read is said in the output.
pub async fn run(invocation: &mut Invocation<'_>, args: &StatusArgs) -> Result<(), Error> {
    invocation.require_format(OutputFormat::USUAL)?;
    let cluster = invocation.connect().await?;
    if args.all_namespaces {
        return list(invocation, &cluster, None, args).await;
    }
    let object = virtual_service(args.name.as_deref(), &cluster.namespace);
    match read_snapshot(&cluster, &object).await {
        Ok(routes) => chain(invocation, &cluster, routes, args).await,
        Err(Error::NoVirtualService { .. }) if args.name.is_none() => {
            list(invocation, &cluster, Some(&cluster.namespace), args).await
        }
        Err(error) => Err(error),
    }
}

/// Shows the chain of one VirtualService.
async fn chain(
    invocation: &mut Invocation<'_>,
    cluster: &Cluster,
    routes: shift::Snapshot,
    args: &StatusArgs,
) -> Result<(), Error> {
    let all: Vec<_> = std::iter::once(&routes.named)
        .chain(&routes.delegates)
        .flat_map(|each| each.routes().into_iter().map(move |route| (each.object.clone(), route)))
        .collect();
    let targets: Vec<Target> = all.iter().map(|(at, route)| (at.clone(), route.id)).collect();
    let watching = async {
        let mut watch = Watch::new(cluster, &routes, routes.named.clone(), targets).await;
        let first = watch.first_gateway().map(|(json, pods)| (json.clone(), pods));
        let (proxies, gateway) = tokio::join!(
            watch.observe(cluster, Instant::now() + LOOKING),
            read_gateway(cluster, &args.gateway, first)
        );
        (watch.gaps(), proxies, gateway)
    };
    let (backends, (gaps, proxies, gateway)) =
        tokio::join!(cluster.backends(all.iter().map(|(_, route)| route)), watching);
    let mut not_checked = Vec::new();
    let gateway = gateway.unwrap_or_else(|error| {
        not_checked.push(error.to_string());
        None
    });
    let gateway = gateway.map(|(gateway, address, unread)| {
        not_checked.extend(unread);
        (gateway, address)
    });
    let mut backends = backends;
    backends.subsets.clone_from(&routes.subsets);
    backends.subsets_unread.clone_from(&routes.subsets_unread);
    not_checked.extend(backends.unread());
    let snapshot = Snapshot { routes, backends, gateway, proxies, gaps, not_checked };
    let status = status::describe(snapshot);
    invocation.show(&StatusView::new(&cluster.context, &status, invocation.now, !args.no_headers))
}

/// Shows the weighted routes of one namespace, or of all.
async fn list(
    invocation: &mut Invocation<'_>,
    cluster: &Cluster,
    namespace: Option<&str>,
    args: &StatusArgs,
) -> Result<(), Error> {
    let all = Labels::new();
    let (objects, rules) = tokio::join!(
        cluster.list(Kind::VirtualService, namespace, &all, Freshness::Cached),
        cluster.list(Kind::DestinationRule, namespace, &all, Freshness::Cached)
    );
    let objects: Vec<_> = objects?.into_iter().map(VirtualService::new).collect();
    let rules = rules.unwrap_or_else(|error| {
        invocation.note(&format!("not checked: labels of subsets ({})", error.need()));
        Vec::new()
    });
    let subsets: Vec<_> = rules.iter().flat_map(Subset::read_all).collect();
    let lines = status::lines(&objects, &subsets);
    if lines.is_empty() && invocation.format == OutputFormat::Text {
        let place = namespace.map_or_else(String::new, |name| format!(" in {name} namespace"));
        invocation.note(&format!("No weighted routes found{place}."));
        return Ok(());
    }
    let view = StatusList::new(&cluster.context, &lines, namespace.is_none(), !args.no_headers);
    invocation.show(&view)
}

/// Reads the ingress gateway that was named, else the Services of the pods that run the route's first
/// Gateway; none for a route that runs in sidecars only.
async fn read_gateway(
    cluster: &Cluster,
    args: &GatewayArgs,
    first: Option<(Value, Vec<Pod>)>,
) -> Result<Option<Gateway>, Error> {
    let (named, gateways, unread) = if args.is_named() {
        (None, vec![ingress_gateway(cluster, &args.choice()).await?], vec![])
    } else {
        let Some((json, pods)) = first else { return Ok(None) };
        let found = cluster.gateways_of(pods).await?;
        let unread = found
            .forbidden
            .iter()
            .map(|error| format!("the gateway's Services ({})", error.need()));
        let unread = unread.collect();
        (Some(NamedGateway::read(GatewayApi::Istio, &json)), found.gateways, unread)
    };
    let Some(gateway) = gateways.first().cloned() else { return Ok(None) };
    let snapshot = gateway_url::Snapshot { named, gateways };
    let answer = gateway_url::answer(&snapshot, &gateway_url::Wanted::default()).ok();
    let address = answer.and_then(|answer| answer.candidates.into_iter().next());
    Ok(Some((gateway, address, unread)))
}
