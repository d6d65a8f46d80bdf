//! `deploy`: renders the tutorial's six objects and applies them, the route last.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use clap::Args;
use futures_util::future::join_all;
use jiff::Timestamp;
use serde_json::Value;

use super::{DryRunArgs, GatewayArgs, Invocation, ingress_gateway, recorded_user};
use crate::{
    cluster::{ApiError, Cluster, GatewayChoice},
    domain::{
        address::Host,
        deploy::{self, Deploy, Snapshot, Wanted},
        manifests::{Names, VERSIONS},
        object::{Kind, ObjectRef},
        plan::{Action, DryRun, Outcome},
        snapshot::Deployment,
        split::Percent,
    },
    error::Error,
    view::{
        self, OutputFormat,
        change::{DeployResult, ObjectResult, dry_run_word},
    },
};

/// How often a roll-out is looked at.
const POLL: Duration = Duration::from_secs(1);

/// Flags of `deploy`.
///
/// Deploy the tutorial's app: two Deployments (v1 and v2), a Service, a Gateway, a VirtualService and
/// a DestinationRule, by server-side apply. Weights and replica counts that are live already are kept
/// unless a flag asks for others, so deploying twice changes nothing.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    # The tutorial, as it stands\n  \
    kubectl kubia deploy\n\n  \
    # Next to others on the same gateway\n  \
    kubectl kubia deploy -n shop --host shop.example.com\n\n  \
    # Only print the six objects\n  \
    kubectl kubia deploy --dry-run=client")]
pub struct DeployArgs {
    /// Prefix of the names of all objects
    #[arg(default_value = "kubia", value_parser = parse_name)]
    name: String,
    /// Serve this host; `*` takes every request that no other host claims [default: as it is, else `*`]
    #[arg(long, value_name = "HOST", value_parser = parse_host)]
    host: Option<String>,
    /// Run other images, which listen on 8080: v1=IMAGE,v2=IMAGE
    #[arg(long, value_name = "VERSION=IMAGE", value_delimiter = ',', value_parser = parse_image)]
    image: Vec<(usize, String)>,
    /// Run this many pods: v1=3,v2=1
    #[arg(long, value_name = "VERSION=COUNT", value_delimiter = ',', value_parser = parse_replicas)]
    replicas: Vec<(usize, u32)>,
    /// Send this share of requests to v2, in percent [default: as it is, else 50]
    #[arg(long, value_name = "PERCENT", allow_negative_numbers = true)]
    v2: Vec<Percent>,
    /// Wait until the pods are ready before the route is written
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set, num_args = 0..=1,
          require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    wait: bool,
    /// Give up waiting for the pods after this time
    #[arg(long, default_value = "120s", value_name = "TIME", value_parser = super::parse_duration,
          allow_hyphen_values = true)]
    timeout: Duration,
    /// Take over fields that other field managers own
    #[arg(long)]
    force_conflicts: bool,
    #[command(flatten)]
    dry_run: DryRunArgs,
    #[command(flatten)]
    gateway: GatewayArgs,
}

impl DeployArgs {
    fn wanted(&self) -> Result<Wanted, Error> {
        if self.v2.len() > 1 {
            return Err(Error::Usage("v2 is given two shares".to_owned()));
        }
        let mut wanted = Wanted {
            name: self.name.clone(),
            host: self.host.clone(),
            v2: self.v2.first().copied(),
            force: self.force_conflicts,
            gateway_named: self.gateway.is_named(),
            ..Wanted::default()
        };
        for (version, image) in &self.image {
            wanted.images[*version] = Some(image.clone());
        }
        for (version, count) in &self.replicas {
            wanted.replicas[*version] = Some(*count);
        }
        Ok(wanted)
    }
}

/// Deploys the app.
///
/// # Errors
/// When the host is taken or something cannot be read, with nothing written; when a write fails or
/// the pods do not become ready, with what was written shown on stdout.
pub async fn run(invocation: &mut Invocation<'_>, args: &DeployArgs) -> Result<(), Error> {
    invocation.require_format(OutputFormat::USUAL)?;
    let (wanted, dry_run) = (args.wanted()?, args.dry_run.get());
    if dry_run == DryRun::Client {
        let namespace = invocation.connection.namespace()?;
        return print_manifests(invocation, &deploy::render_offline(&namespace, &wanted));
    }
    let cluster = invocation.connect().await?;
    let (snapshot, unread) =
        read(&cluster, &wanted, &args.gateway.choice(), invocation.now).await?;
    let plan = deploy::plan(&snapshot, &wanted)?;
    announce(invocation, &cluster, &plan, &wanted.name, unread.as_ref());
    // The server checks all six before the first is written, so a refusal leaves nothing half-done.
    let previews = preview(&cluster, &plan, &snapshot).await?;
    let mut results = Vec::new();
    let ended = if dry_run == DryRun::Server {
        results = previews;
        Ok(())
    } else {
        write(invocation, &cluster, &plan, &snapshot, args, &mut results).await
    };
    let shown = invocation.show(&DeployResult {
        context: cluster.context.clone(),
        namespace: cluster.namespace.clone(),
        dry_run: dry_run_word(dry_run),
        gateway_port: (&plan.port).into(),
        objects: results_of(&plan, &results, ended.as_ref().err(), dry_run),
    });
    ended.and(shown)
}

/// Prints manifests for `kubectl apply -f -`.
fn print_manifests(invocation: &mut Invocation<'_>, manifests: &[Value]) -> Result<(), Error> {
    if invocation.format == OutputFormat::Json {
        let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": manifests});
        return Ok(view::json(&list, invocation.out)?);
    }
    for manifest in manifests {
        writeln!(invocation.out, "---")?;
        view::yaml(manifest, invocation.out)?;
    }
    Ok(())
}

/// Reads the gateway, the six objects where they exist, and who else serves hosts.
///
/// The second result says why VirtualServices of other namespaces could not be read, if they could not.
async fn read(
    cluster: &Cluster,
    wanted: &Wanted,
    gateway: &GatewayChoice,
    now: Timestamp,
) -> Result<(Snapshot, Option<ApiError>), Error> {
    let namespace = cluster.namespace.as_str();
    let (istio_version, gateway) =
        tokio::join!(cluster.istio_version(), ingress_gateway(cluster, gateway));
    let istio_version = istio_version?.to_owned();
    let gateway = gateway?;
    let user = async { if wanted.v2.is_some() { recorded_user(cluster).await } else { None } };
    let (user, existing, virtual_services, gateways) = tokio::join!(
        user,
        read_existing(cluster, &wanted.name),
        cluster.list_widely(Kind::VirtualService, namespace),
        cluster.list_widely(Kind::Gateway, namespace)
    );
    let (virtual_services, unread) = virtual_services?.into_parts();
    let (gateways, unread_gateways) = gateways?.into_parts();
    let snapshot = Snapshot {
        namespace: namespace.to_owned(),
        istio_version,
        gateway,
        existing: existing?,
        virtual_services,
        gateways,
        now,
        user,
    };
    Ok((snapshot, unread.or(unread_gateways)))
}

async fn read_existing(
    cluster: &Cluster,
    app: &str,
) -> Result<BTreeMap<ObjectRef, Value>, ApiError> {
    let names = Names::of(app);
    let object = |kind, name: &str| ObjectRef::new(kind, &cluster.namespace, name);
    let objects = [
        object(Kind::Service, &names.service),
        object(Kind::Deployment, &names.deployments[0]),
        object(Kind::Deployment, &names.deployments[1]),
        object(Kind::DestinationRule, &names.destination_rule),
        object(Kind::Gateway, &names.gateway),
        object(Kind::VirtualService, &names.virtual_service),
    ];
    let found = join_all(objects.iter().map(|object| cluster.find(object))).await;
    let mut existing = BTreeMap::new();
    for (object, found) in objects.into_iter().zip(found) {
        if let Some(found) = found? {
            existing.insert(object, found);
        }
    }
    Ok(existing)
}

/// Says on stderr where is written, how requests get in, and what could not be checked.
fn announce(
    invocation: &mut Invocation<'_>,
    cluster: &Cluster,
    plan: &Deploy,
    app: &str,
    unread: Option<&ApiError>,
) {
    let port = &plan.port;
    invocation.note(&format!(
        "context {}, namespace {}: {} for host {}, Gateway port {} (port {} of the gateway's Service)",
        cluster.context, cluster.namespace, app, plan.host, port.server, port.service_port
    ));
    for what in &plan.without_pods {
        invocation.note(&format!("Warning: {what}"));
    }
    if let Some(error) = unread {
        let host = &plan.host;
        invocation.note(&format!(
            "not checked: whether another namespace serves host {host} ({})",
            error.need()
        ));
    }
}

async fn preview(
    cluster: &Cluster,
    plan: &Deploy,
    snapshot: &Snapshot,
) -> Result<Vec<Outcome>, ApiError> {
    let apply = plan
        .actions
        .iter()
        .map(|action| cluster.apply(action, snapshot.existing.get(&action.object), DryRun::Server));
    join_all(apply).await.into_iter().collect()
}

/// Applies the plan; the objects a route leads to have to be ready before it is written.
async fn write(
    invocation: &mut Invocation<'_>,
    cluster: &Cluster,
    plan: &Deploy,
    snapshot: &Snapshot,
    args: &DeployArgs,
    results: &mut Vec<Outcome>,
) -> Result<(), Error> {
    let deadline = Instant::now() + args.timeout;
    for action in &plan.actions {
        if action.object.kind == Kind::Gateway && args.wait {
            let deployments = plan.actions.iter().map(|action| &action.object);
            for object in deployments.filter(|object| object.kind == Kind::Deployment) {
                wait_until_ready(invocation, cluster, object, deadline, args.timeout).await?;
            }
        }
        results.push(apply(cluster, action, snapshot).await?);
    }
    Ok(())
}

async fn apply(
    cluster: &Cluster,
    action: &Action,
    snapshot: &Snapshot,
) -> Result<Outcome, ApiError> {
    let before = snapshot.existing.get(&action.object);
    cluster.apply(action, before, DryRun::None).await
}

/// Waits until a Deployment is rolled out, and says on stderr how far it has come.
async fn wait_until_ready(
    invocation: &mut Invocation<'_>,
    cluster: &Cluster,
    object: &ObjectRef,
    deadline: Instant,
    timeout: Duration,
) -> Result<(), Error> {
    let mut said = String::new();
    loop {
        let is_late = Instant::now() >= deadline;
        let progress = match look(cluster, object).await {
            Ok((deployment, _)) if deployment.is_rolled_out() => return Ok(()),
            Ok((deployment, waiting)) if is_late => {
                return Err(Error::NotReady {
                    object: object.clone(),
                    seconds: timeout.as_secs(),
                    ready: deployment.available,
                    wanted: deployment.replicas,
                    waiting,
                });
            }
            Ok((deployment, waiting)) => {
                let reason = waiting.map_or_else(String::new, |(reason, _)| format!(" ({reason})"));
                format!("{} of {} pods ready{reason}", deployment.available, deployment.replicas)
            }
            // The pods do not mind that the API server is busy, or starts again.
            Err(error) if error.failure.is_transient() && !is_late => error.failure.to_string(),
            Err(error) => return Err(error.into()),
        };
        if progress != said {
            invocation.note(&format!("waiting for {}: {progress}", object.qualified()));
            said = progress;
        }
        tokio::time::sleep(POLL.min(deadline.saturating_duration_since(Instant::now()))).await;
    }
}

/// Reads a Deployment, and, unless it is rolled out, why a pod of it waits, if one says so.
async fn look(
    cluster: &Cluster,
    object: &ObjectRef,
) -> Result<(Deployment, Option<(String, String)>), ApiError> {
    let deployment = cluster.deployment(object).await?;
    if deployment.is_rolled_out() {
        return Ok((deployment, None));
    }
    let pods = cluster.pods(&object.namespace, &deployment.selector).await?;
    let waiting = pods.into_iter().filter(|pod| !pod.terminating).find_map(|pod| pod.waiting);
    Ok((deployment, waiting))
}

fn results_of(
    plan: &Deploy,
    results: &[Outcome],
    error: Option<&Error>,
    dry_run: DryRun,
) -> Vec<ObjectResult> {
    let is_open = matches!(error, Some(Error::Api(error)) if error.is_open);
    let actions = plan.actions.iter().enumerate();
    actions
        .map(|(index, action)| match results.get(index) {
            None if index == results.len() && is_open => ObjectResult::unknown(&action.object),
            outcome => ObjectResult::new(&action.object, outcome.copied(), dry_run),
        })
        .collect()
}

fn parse_image(text: &str) -> Result<(usize, String), String> {
    let (version, image) = split_version(text)?;
    if image.is_empty() || image.contains(char::is_whitespace) {
        return Err("an image is a name like registry.example.com/app:1.0".to_owned());
    }
    Ok((version, image.to_owned()))
}

fn parse_replicas(text: &str) -> Result<(usize, u32), String> {
    let (version, count) = split_version(text)?;
    let count = count.parse().map_err(|_| "a number of pods is a whole number".to_owned())?;
    Ok((version, count))
}

fn split_version(text: &str) -> Result<(usize, &str), String> {
    let (version, value) = text.split_once('=').ok_or("it is written v1=… or v2=…")?;
    let index = VERSIONS.iter().position(|known| *known == version);
    Ok((index.ok_or("the versions are v1 and v2")?, value))
}

/// Names become labels and parts of DNS names: RFC 1123, and short enough for the longest suffix.
fn parse_name(text: &str) -> Result<String, String> {
    let valid = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let starts_well = text.starts_with(|first: char| first.is_ascii_lowercase());
    if starts_well && text.len() <= 40 && text.bytes().all(valid) && !text.ends_with('-') {
        return Ok(text.to_owned());
    }
    Err("a name has at most 40 lower-case letters, digits and dashes, and begins with a letter"
        .to_owned())
}

fn parse_host(text: &str) -> Result<String, String> {
    let name = text.strip_prefix("*.").unwrap_or(text);
    if text == "*" || name.parse::<Host>().is_ok() {
        return Ok(text.to_ascii_lowercase());
    }
    Err("a host is *, a DNS name, a DNS name after *., or an IP address".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_dns_names_or_wildcards() {
        assert_eq!(parse_host("Shop.Example.com").unwrap(), "shop.example.com");
        assert_eq!(parse_host("*.example.com").unwrap(), "*.example.com");
        assert_eq!(parse_host("*").unwrap(), "*");
        for refused in ["", "a b", "a..b", "http://a", "a:80", "-a", "*a", "a\u{1b}"] {
            assert!(parse_host(refused).is_err(), "{refused:?}");
        }
    }

    #[test]
    fn versions_are_v1_and_v2() {
        assert_eq!(parse_image("v2=a:1@sha256:b=c").unwrap(), (1, "a:1@sha256:b=c".to_owned()));
        assert_eq!(parse_replicas("v1=0").unwrap(), (0, 0));
        for refused in ["v3=a", "a", "v1=", "v1=a b"] {
            assert!(parse_image(refused).is_err(), "{refused:?}");
        }
        assert!(parse_replicas("v1=-1").is_err());
    }

    #[test]
    fn names_fit_into_labels() {
        assert!(parse_name("kubia").is_ok());
        for refused in ["", "Kubia", "1a", "a-", "a.b", &"a".repeat(41)] {
            assert!(parse_name(refused).is_err(), "{refused:?}");
        }
    }
}
