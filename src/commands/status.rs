//! `status`: reads everything a request passes on its way, and shows it on one screen.

use clap::Args;
use serde_json::Value;

use super::{GatewayArgs, Invocation, read_virtual_service, virtual_service};
use crate::{
    cluster::{Cluster, GatewayChoice},
    domain::{
        gateway_url::{IngressGateway, NodePortAddress, node_port_address},
        object::{Kind, ObjectRef},
        snapshot::{Pod, Service},
        status::{self, Snapshot},
    },
    error::Error,
    view::status::StatusView,
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

type Gateway = (IngressGateway, Option<NodePortAddress>);

/// Shows the status.
///
/// # Errors
/// When the VirtualService cannot be read; what else cannot be read is said in the output.
pub async fn run(invocation: &mut Invocation<'_>, args: &StatusArgs) -> Result<(), Error> {
    let cluster = invocation.connect().await?;
    let object = virtual_service(Some(&args.name), &cluster.namespace);
    let choice = args.gateway.choice();
    let mut not_checked = Vec::new();
    let (virtual_service, subsets, gateway) = tokio::join!(
        read_virtual_service(&cluster, &object),
        cluster.subsets(&object.namespace),
        read_gateway(&cluster, &choice)
    );
    let virtual_service = virtual_service?;
    let subsets = subsets.unwrap_or_else(|error| {
        not_checked.push(error.to_string());
        Vec::new()
    });
    let gateway = gateway.unwrap_or_else(|error| {
        not_checked.push(error.to_string());
        None
    });
    let (services, pods) = read_pods(&cluster, &virtual_service, &mut not_checked).await;
    let snapshot =
        Snapshot { object, virtual_service, subsets, services, pods, gateway, not_checked };
    let status = status::describe(snapshot);
    invocation.show(&StatusView::new(&cluster.context, &status, invocation.now))
}

async fn read_gateway(cluster: &Cluster, choice: &GatewayChoice) -> Result<Option<Gateway>, Error> {
    let gateway = cluster.ingress_gateway(choice).await?;
    Ok(gateway.map(|gateway| {
        let address = node_port_address(&gateway).ok();
        (gateway, address)
    }))
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
