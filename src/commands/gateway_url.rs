//! `gateway-url`: finds ingress gateways, and prints where one answers.

use std::{
    ffi::OsString,
    time::{Duration, Instant},
};

use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser},
};
use futures_util::future::join_all;

use super::{GatewayArgs, Invocation, no_gateway, parse_name};
use crate::{
    cluster::{Cluster, Found, Freshness, GatewayChoice},
    domain::{
        gateway_url::{self, Answer, Candidate, GatewayUrlError, Snapshot, Wanted},
        named_gateway::GatewayApi,
        object::{Kind, ObjectRef},
        opening::PortChoice,
        platform::Platform,
        snapshot::Labels,
        source::Source,
    },
    error::Error,
    traffic::{self, Target},
    view::{
        OutputFormat,
        gateway_url::{GatewayUrl, GatewayUrlList, write_no_env},
    },
};

/// How often a pending load balancer is looked at.
const POLL: Duration = Duration::from_secs(1);

/// The formats of `gateway-url`.
pub(super) const FORMATS: &[OutputFormat] = &[
    OutputFormat::Text,
    OutputFormat::Wide,
    OutputFormat::Json,
    OutputFormat::Yaml,
    OutputFormat::Name,
    OutputFormat::Url,
    OutputFormat::Env,
    OutputFormat::Curl,
];

/// Flags of `gateway-url`.
///
/// Print `host:port` of the ingress gateway. The address is, in this order, that of its load balancer,
/// an external IP, an external address of a Gateway API Gateway, a node port on the node of a ready
/// gateway pod, or a port such a pod holds on its node.
#[derive(Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag on the command line")]
#[command(after_help = "Examples:\n  \
    # Ask the app behind the gateway\n  \
    curl \"$(kubectl kubia gateway-url)\"\n\n  \
    # The tutorial's variables\n  \
    eval \"$(kubectl kubia gateway-url -o env)\"; curl \"$GATEWAY_URL\"\n\n  \
    # A Gateway of your own, as a command that reaches its host\n  \
    kubectl kubia gateway-url bookinfo-gateway -n shop -o curl")]
pub struct GatewayUrlArgs {
    /// A Gateway, of networking.istio.io or gateway.networking.k8s.io
    #[arg(value_name = "GATEWAY", value_parser = parse_gateway,
          conflicts_with_all = ["gateway_namespace", "service", "selector"])]
    name: Option<GatewayName>,
    #[command(flatten)]
    gateway: GatewayArgs,
    /// Use the port of this name or number
    #[arg(long, value_name = "PORT", conflicts_with = "https")]
    port: Option<String>,
    /// Use the HTTPS port
    #[arg(long)]
    https: bool,
    /// Use only this source of addresses
    #[arg(long, value_name = "SOURCE", default_value = "any", value_parser = source())]
    source: Only,
    /// Print every address, best first, as a table
    #[arg(long)]
    all: bool,
    /// Connect to each address, and print only one that answers
    #[arg(long)]
    probe: bool,
    /// Wait until a pending load balancer has an address
    #[arg(long)]
    wait: bool,
    /// Give up waiting after this time
    #[arg(long, default_value = "120s", value_name = "TIME", value_parser = super::parse_duration,
          allow_hyphen_values = true)]
    timeout: Duration,
}

/// A Gateway as it is named: a kind with its group insists on one of the two.
#[derive(Clone, Debug)]
struct GatewayName {
    api: Option<GatewayApi>,
    name: String,
}

/// Parses `NAME` or `KIND/NAME`.
fn parse_gateway(text: &str) -> Result<GatewayName, String> {
    let (kind, name) = text.split_once('/').unwrap_or(("", text));
    let api = if kind.ends_with(".networking.istio.io") {
        Some(GatewayApi::Istio)
    } else if kind.ends_with(".gateway.networking.k8s.io") {
        Some(GatewayApi::Kubernetes)
    } else {
        None
    };
    Ok(GatewayName { api, name: parse_name(name)? })
}

/// The value of `--source`; `any` is none in particular.
#[derive(Clone, Copy, Debug)]
struct Only(Option<Source>);

fn source() -> impl TypedValueParser<Value = Only> {
    let names =
        ["any", "load-balancer", "external-ip", "gateway-address", "node-port", "host-port"];
    PossibleValuesParser::new(names).map(|name| {
        Only(match name.as_str() {
            "load-balancer" => Some(Source::LoadBalancer),
            "external-ip" => Some(Source::ExternalIp),
            "gateway-address" => Some(Source::GatewayAddress),
            "node-port" => Some(Source::NodePort),
            "host-port" => Some(Source::HostPort),
            _ => None,
        })
    })
}

impl GatewayUrlArgs {
    fn wanted(&self) -> Wanted {
        let port = match &self.port {
            Some(port) => PortChoice::Called(port.clone()),
            None if self.https => PortChoice::Https,
            None => PortChoice::Usual,
        };
        Wanted { source: self.source.0, port }
    }
}

/// Returns whether these arguments, though they cannot be parsed, are meant for a shell's `eval`,
/// which would take an empty output for success.
#[must_use]
pub fn is_for_eval(args: &[OsString]) -> bool {
    let words: Vec<_> = args.iter().filter_map(|word| word.to_str()).collect();
    let with_value = |pair: &[&str]| ["-o", "--output"].contains(&pair[0]) && pair[1] == "env";
    words.windows(2).any(with_value)
        || words.iter().any(|word| ["-oenv", "-o=env", "--output=env"].contains(word))
}

/// Prints the address, or every one.
///
/// # Errors
/// When there is no gateway, or nothing outside the cluster leads to it.
pub async fn run(invocation: &mut Invocation<'_>, args: &GatewayUrlArgs) -> Result<(), Error> {
    invocation.require_format(FORMATS)?;
    let found = find(invocation, args).await;
    let found = match found {
        Ok((cluster, answer)) if args.probe => {
            let answer = probe(invocation, &cluster, answer).await;
            answer.map(|answer| (cluster, answer))
        }
        found => found,
    };
    let (cluster, answer) = match found {
        Ok(found) => found,
        Err(error) => {
            if invocation.format == OutputFormat::Env {
                write_no_env(invocation.out)?;
            }
            return Err(error);
        }
    };
    // Of several assignments `eval` would keep the last, which is the worst.
    if args.all && invocation.format != OutputFormat::Env {
        return invocation.show(&GatewayUrlList::new(&cluster.context, &answer));
    }
    let best = &answer.candidates[0];
    invocation.show(&GatewayUrl::new(&cluster.context, answer.named.as_ref(), best))
}

async fn find(
    invocation: &mut Invocation<'_>,
    args: &GatewayUrlArgs,
) -> Result<(Cluster, Answer), Error> {
    let cluster = invocation.connect().await?;
    let deadline = Instant::now() + args.timeout;
    let mut said = false;
    loop {
        let (snapshot, found) = match read(&cluster, args).await {
            // Who waits for a load balancer also waits for an API server that starts again.
            Err(Error::Api(error))
                if args.wait && error.failure.is_transient() && Instant::now() < deadline =>
            {
                tokio::time::sleep(POLL).await;
                continue;
            }
            read => read?,
        };
        let answer = gateway_url::answer(&snapshot, &args.wanted());
        let pending = pending(&snapshot, args.source.0);
        match pending {
            Some(service) if args.wait => {
                if Instant::now() >= deadline {
                    return Err(Error::Pending { service, seconds: args.timeout.as_secs() });
                }
                if !said {
                    invocation.note(&format!("waiting for the load balancer of {service}"));
                    said = true;
                }
                tokio::time::sleep(POLL.min(deadline.saturating_duration_since(Instant::now())))
                    .await;
            }
            pending => {
                announce(invocation, args, pending.as_ref(), &snapshot);
                return match answer {
                    Ok(answer) => Ok((cluster, answer)),
                    Err(error) => Err(complete(error, &args.gateway.choice(), found)),
                };
            }
        }
    }
}

/// Leaves the addresses that answer, in their order; what does not is said on stderr.
async fn probe(
    invocation: &mut Invocation<'_>,
    cluster: &Cluster,
    answer: Answer,
) -> Result<Answer, Error> {
    let targets = answer.candidates.iter().map(|candidate| Target {
        host: &candidate.host,
        port: candidate.port,
        scheme: candidate.scheme,
        virtual_host: candidate.virtual_host.as_deref(),
    });
    let answers = join_all(targets.map(traffic::probe)).await;
    let mut reached = Vec::new();
    let mut tried = Vec::new();
    for (candidate, answer) in answer.candidates.into_iter().zip(answers) {
        match answer {
            Ok(_) => reached.push(candidate),
            Err(error) => {
                invocation.note(&format!("{} does not answer: {error}", candidate.url()));
                tried.push(candidate);
            }
        }
    }
    if !reached.is_empty() {
        return Ok(Answer { candidates: reached, ..answer });
    }
    // Only now is it worth knowing what the cluster runs on.
    let nodes = cluster.list(Kind::Node, None, &Labels::new(), Freshness::Cached).await;
    let forward = tried.iter().find_map(|candidate| candidate.port_forward.as_deref());
    let advice = match nodes {
        Ok(nodes) => Platform::of(&nodes).map(|platform| platform.advice(forward)),
        Err(error) => {
            invocation.note(&format!("not checked: what the cluster runs on ({})", error.need()));
            None
        }
    };
    Err(Error::NoAnswer { tried: tried.iter().map(Candidate::url).collect(), advice })
}

/// Adds to the error where else was looked; what was forbidden comes before what was not found.
fn complete(error: GatewayUrlError, choice: &GatewayChoice, mut found: Found) -> Error {
    match error {
        GatewayUrlError::NothingRuns { .. } | GatewayUrlError::NoAddress { .. }
            if !found.forbidden.is_empty() =>
        {
            found.forbidden.remove(0).into()
        }
        GatewayUrlError::NoGateway { .. } => no_gateway(choice, &found).into(),
        error => error.into(),
    }
}

/// The first Service that waits for a load balancer, if the best one does and another source is not
/// insisted on.
fn pending(snapshot: &Snapshot, only: Option<Source>) -> Option<ObjectRef> {
    let gateway = snapshot.gateways.first()?;
    let matters = only.is_none_or(|source| source == Source::LoadBalancer);
    (matters && gateway.service.is_pending).then(|| gateway.service_ref())
}

/// Says on stderr what the address alone does not: a pending load balancer, and other gateways.
fn announce(
    invocation: &mut Invocation<'_>,
    args: &GatewayUrlArgs,
    pending: Option<&ObjectRef>,
    snapshot: &Snapshot,
) {
    if let Some(service) = pending {
        invocation.note(&format!("load balancer of {service} is pending"));
    }
    if let [first, others @ ..] = snapshot.gateways.as_slice()
        && !others.is_empty()
        && !args.all
    {
        let others: Vec<_> =
            others.iter().map(|gateway| gateway.service_ref().to_string()).collect();
        invocation.note(&format!(
            "several gateways: took {}; others: {} (--all shows every address)",
            first.service_ref(),
            others.join(", ")
        ));
    }
}

async fn read(cluster: &Cluster, args: &GatewayUrlArgs) -> Result<(Snapshot, Found), Error> {
    let (named, mut found) = match &args.name {
        None => (None, cluster.find_gateways(&args.gateway.choice()).await?),
        Some(GatewayName { api, name }) => {
            let (named, found) = cluster.named_gateway(&cluster.namespace, name, *api).await?;
            (Some(named), found)
        }
    };
    let gateways = std::mem::take(&mut found.gateways);
    Ok((Snapshot { named, gateways }, found))
}
