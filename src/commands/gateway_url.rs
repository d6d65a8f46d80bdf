//! `gateway-url`: reads the ingress gateway's Service and pods, and prints where it answers.

use clap::Args;

use super::{GatewayArgs, Invocation};
use crate::{
    domain::gateway_url::{GatewayUrlError, node_port_address},
    error::Error,
    view::gateway_url::GatewayUrl,
};

/// Flags of `gateway-url`.
///
/// Print `host:port` of the ingress gateway: the node port of its HTTP port, on the host IP of a node
/// that runs a ready gateway pod.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    # Ask the app behind the gateway\n  \
    curl \"$(kubectl kubia gateway-url)\"\n\n  \
    # The gateway of Istio's gateway chart\n  \
    kubectl kubia gateway-url --gateway-namespace istio-ingress")]
pub struct GatewayUrlArgs {
    #[command(flatten)]
    gateway: GatewayArgs,
}

/// Prints the address.
///
/// # Errors
/// When there is no gateway, or nothing outside the cluster leads to it.
pub async fn run(invocation: &mut Invocation<'_>, args: &GatewayUrlArgs) -> Result<(), Error> {
    let cluster = invocation.connect().await?;
    let gateway = cluster.ingress_gateway(&args.gateway.choice()).await?;
    let gateway = gateway.ok_or(GatewayUrlError::NoGateway)?;
    let address = node_port_address(&gateway)?;
    invocation.show(&GatewayUrl::new(&cluster.context, &gateway, &address))
}
