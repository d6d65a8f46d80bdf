//! `status`: reads everything a request passes on its way, and shows it on one screen.

use clap::Args;
use serde_json::Value;

use super::{GatewayArgs, Invocation, ingress_gateway, read_virtual_service, virtual_service};
use crate::{
    cluster::Cluster,
    domain::{
        gateway::IngressGateway,
        gateway_url::{self, Candidate},
        named_gateway::GatewayApi,
        object::{Kind, ObjectRef},
        snapshot::{Pod, Service},
        status::{self, Snapshot},
    },
    error::Error,
    view::{OutputFormat, status::StatusView},
};

/// Flags of `status`.
///
/// Show the way of a request: the gateway's address and pods, the route, and for each version its
/// subset, share of requests, ready pods, image and age.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    # The tutorial's route\n  \
    kubectl kubia status\n\n  \
    # Shares and pods of another VirtualService, for a script\n  \
    kubectl kubia status reviews -n shop -o json")]
pub struct StatusArgs {
    /// The VirtualService
    #[arg(default_value = super::TUTORIAL_VIRTUAL_SERVICE)]
    name: String,
    #[command(flatten)]
    gateway: GatewayArgs,
}

type Gateway = (IngressGateway, Option<Candidate>);

/// Shows the status.
///
/// # Errors
/// When the VirtualService cannot be read; what else cannot be read is said in the output.
pub async fn run(invocation: &mut Invocation<'_>, args: &StatusArgs) -> Result<(), Error> {
    invocation.require_format(OutputFormat::USUAL)?;
    let cluster = invocation.connect().await?;
    let object = virtual_service(Some(&args.name), &cluster.namespace);
    let mut not_checked = Vec::new();
    let (virtual_service, subsets) =
        tokio::join!(read_virtual_service(&cluster, &object), cluster.subsets(&object.namespace));
    let virtual_service = virtual_service?;
    let subsets = subsets.unwrap_or_else(|error| {
        not_checked.push(error.to_string());
        Vec::new()
    });
    let mut not_read = Vec::new();
    let (gateway, (services, pods)) = tokio::join!(
        read_gateway(&cluster, &args.gateway, &virtual_service),
        read_pods(&cluster, &virtual_service, &mut not_read)
    );
    let gateway = gateway.unwrap_or_else(|error| {
        not_checked.push(error.to_string());
        None
    });
    not_checked.append(&mut not_read);
    let snapshot =
        Snapshot { object, virtual_service, subsets, services, pods, gateway, not_checked };
    let status = status::describe(snapshot);
    invocation.show(&StatusView::new(&cluster.context, &status, invocation.now))
}

/// Reads the ingress gateway that runs the route: the one that was named, else that of the route's
/// first Gateway; none for a route that runs in sidecars only.
async fn read_gateway(
    cluster: &Cluster,
    args: &GatewayArgs,
    virtual_service: &Value,
) -> Result<Option<Gateway>, Error> {
    let (named, gateways) = if args.is_named() {
        (None, vec![ingress_gateway(cluster, &args.choice()).await?])
    } else {
        let Some(gateway) = status::first_gateway(virtual_service) else { return Ok(None) };
        let (namespace, name) = (&gateway.namespace, &gateway.name);
        let (named, found) =
            cluster.named_gateway(namespace, name, Some(GatewayApi::Istio)).await?;
        (Some(named), found.gateways)
    };
    let Some(gateway) = gateways.first().cloned() else { return Ok(None) };
    let snapshot = gateway_url::Snapshot { named, gateways };
    let answer = gateway_url::answer(&snapshot, &gateway_url::Wanted::default()).ok();
    let address = answer.and_then(|answer| answer.candidates.into_iter().next());
    Ok(Some((gateway, address)))
}

/// Reads the Services a route names and their pods; what cannot be read is noted.
async fn read_pods(
    cluster: &Cluster,
    virtual_service: &Value,
    not_checked: &mut Vec<String>,
) -> (Vec<Service>, Vec<Pod>) {
    let (mut services, mut pods) = (Vec::new(), Vec::new());
    for (namespace, name) in status::services_named(virtual_service) {
        let object = ObjectRef::new(Kind::Service, &namespace, &name);
        let service = match cluster.get(&object).await {
            Ok(service) => Service::read(&service),
            Err(error) => {
                not_checked.push(error.to_string());
                continue;
            }
        };
        if service.selector.is_empty() {
            continue;
        }
        match cluster.pods(&namespace, &service.selector).await {
            Ok(found) => {
                pods.extend(found);
                services.push(service);
            }
            Err(error) => not_checked.push(error.to_string()),
        }
    }
    (services, pods)
}
