//! The subcommands: what each reads, decides, writes and shows, in that order.

use std::{io::Write, time::Duration};

use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser},
};
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};

use crate::{
    cluster::{ApiError, Cluster, Connection, Found, GatewayChoice, segment_problems},
    domain::{
        gateway::{INSTALLATIONS, IngressGateway},
        gateway_url::GatewayUrlError,
        object::{Kind, ObjectRef},
        plan::DryRun,
        shift::Snapshot,
        snapshot::selector_text,
        text::Printable,
        virtual_service::{TUTORIAL_VIRTUAL_SERVICE, VirtualService},
    },
    error::Error,
    view::{self, OutputFormat, View},
};

pub mod change;
pub mod complete;
pub mod completion;
pub mod connection;
pub mod deploy;
pub mod gateway_url;
pub mod history;
mod interrupt;
mod proof;
pub mod shift;
pub mod status;
pub mod undo;

/// The longest time a flag takes: no clock overflows by it, and nobody waits longer for a command.
const LONGEST: Duration = Duration::from_hours(24);

/// What a command works with, and what differs in a test.
pub struct Invocation<'a> {
    /// How to come to the cluster.
    pub connection: Connection,
    /// How to print.
    pub format: OutputFormat,
    /// For data.
    pub out: &'a mut dyn Write,
    /// For everything else.
    pub err: &'a mut dyn Write,
    /// The time the command began.
    pub now: Timestamp,
}

impl Invocation<'_> {
    /// Connects to the cluster.
    async fn connect(&self) -> Result<Cluster, Error> {
        Ok(self.connection.open().await?)
    }

    /// Refuses a format this command does not have, before anything is read or written.
    fn require_format(&self, formats: &[OutputFormat]) -> Result<(), Error> {
        if formats.contains(&self.format) {
            return Ok(());
        }
        let mut allowed: Vec<_> = formats.iter().map(|format| format.name()).collect();
        allowed.sort_unstable();
        Err(Error::Format { format: self.format.name(), allowed })
    }

    /// Shows a result on stdout.
    fn show<V: View>(&mut self, view: &V) -> Result<(), Error> {
        Ok(view::show(view, self.format, self.out)?)
    }

    /// Says something on stderr, on one line.
    fn note(&mut self, text: &str) {
        // Nothing depends on these lines, so a closed stderr stops nothing.
        let _ = writeln!(self.err, "{}", Printable(text));
    }
}

/// Which ingress gateway is meant.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Ingress gateway")]
pub struct GatewayArgs {
    /// Take the ingress gateway from this namespace instead of looking in the usual ones
    #[arg(long, value_name = "NAMESPACE", value_parser = parse_namespace)]
    pub gateway_namespace: Option<String>,
    /// Take the ingress gateway behind this Service
    #[arg(long, value_name = "NAME", conflicts_with = "selector", value_parser = parse_name)]
    pub service: Option<String>,
    /// Take the ingress gateway whose pods have these labels: `istio=ingress`
    #[arg(short = 'l', long, value_name = "LABELS", value_delimiter = ',', value_parser = parse_label)]
    pub selector: Vec<(String, String)>,
}

impl GatewayArgs {
    /// Returns whether a gateway was named at all.
    #[must_use]
    pub fn is_named(&self) -> bool {
        self.choice() != GatewayChoice::Usual
    }

    /// Returns the choice these flags make; what is not given is as in the usual installations.
    #[must_use]
    pub fn choice(&self) -> GatewayChoice {
        let usual = INSTALLATIONS.into_iter().find(|each| {
            self.gateway_namespace.as_deref() == Some(each.namespace)
                || self.service.as_deref() == Some(each.service)
        });
        let usual = usual.unwrap_or(INSTALLATIONS[0]);
        let namespace = self.gateway_namespace.as_deref().unwrap_or(usual.namespace);
        if !self.selector.is_empty() {
            let labels = self.selector.iter().cloned().collect();
            return GatewayChoice::Selector(self.gateway_namespace.clone(), labels);
        }
        if self.gateway_namespace.is_none() && self.service.is_none() {
            return GatewayChoice::Usual;
        }
        let service = self.service.as_deref().unwrap_or(usual.service);
        GatewayChoice::Service(ObjectRef::new(Kind::Service, namespace, service))
    }
}

/// Reads the one ingress gateway that a command works with.
async fn ingress_gateway(
    cluster: &Cluster,
    choice: &GatewayChoice,
) -> Result<IngressGateway, Error> {
    let found = cluster.find_gateways(choice).await?;
    let none = no_gateway(choice, &found);
    found.gateways.into_iter().next().ok_or(none.into())
}

/// The error where there is no gateway.
fn no_gateway(choice: &GatewayChoice, found: &Found) -> GatewayUrlError {
    let also = found.also();
    match choice {
        GatewayChoice::Selector(_, labels) => GatewayUrlError::NoneSelected {
            labels: Printable(&selector_text(labels)).to_string(),
            also,
        },
        GatewayChoice::Usual | GatewayChoice::Service(_) => GatewayUrlError::NoGateway { also },
    }
}

fn parse_label(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').map(|(key, value)| (key, value.trim_start_matches('=')));
    match pair {
        Some((key, value)) if !key.is_empty() && !key.ends_with('!') => {
            Ok((key.to_owned(), value.to_owned()))
        }
        _ => Err("labels are written KEY=VALUE,KEY=VALUE".to_owned()),
    }
}

/// `--dry-run`, as kubectl has it.
#[derive(Args, Clone, Debug)]
pub struct DryRunArgs {
    /// Only show what would be written: `client` asks no server to check it, `server` does
    #[arg(long, value_name = "HOW", default_value = "none", default_missing_value = "client",
          num_args = 0..=1, require_equals = true, value_parser = dry_run())]
    dry_run: DryRun,
}

impl DryRunArgs {
    fn get(&self) -> DryRun {
        self.dry_run
    }
}

fn dry_run() -> impl TypedValueParser<Value = DryRun> {
    PossibleValuesParser::new(["none", "client", "server"]).map(|name| match name.as_str() {
        "client" => DryRun::Client,
        "server" => DryRun::Server,
        _ => DryRun::None,
    })
}

/// Parses a time as kubectl does: a whole number of seconds, or Go's notation (`1m30s`, `500ms`); at
/// most a day.
///
/// # Errors
/// A text for clap.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let seconds = || text.parse().ok().map(Duration::from_secs);
    let duration = || Duration::try_from(text.parse::<SignedDuration>().ok()?).ok();
    let is_number = text.starts_with(|first: char| first.is_ascii_digit());
    let time = seconds().or_else(|| duration().filter(|_| is_number));
    time.filter(|time| *time <= LONGEST).ok_or_else(|| {
        "a time is a number of seconds, or like 500ms, 30s or 2m, and at most 24h".to_owned()
    })
}

/// Parses the name of an object. An empty one would mean them all to the API server.
fn parse_name(text: &str) -> Result<String, String> {
    parse_segment("name", text)
}

/// Parses the name of a namespace.
fn parse_namespace(text: &str) -> Result<String, String> {
    parse_segment("namespace", text)
}

fn parse_segment(what: &str, text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err(format!("a {what} is not empty"));
    }
    match segment_problems(text).as_slice() {
        [] => Ok(text.to_owned()),
        problems => Err(format!("a {what} {}", problems.join(" and "))),
    }
}

/// Parses the name of a VirtualService as people write it: `reviews`, `vs/reviews`,
/// `virtualservice/reviews`.
fn parse_virtual_service(text: &str) -> Result<String, String> {
    let prefixes =
        ["vs/", "virtualservice/", "virtualservices/", "virtualservice.networking.istio.io/"];
    parse_name(prefixes.iter().find_map(|prefix| text.strip_prefix(prefix)).unwrap_or(text))
}

/// Returns the VirtualService of this name, or the tutorial's.
fn virtual_service(name: Option<&str>, namespace: &str) -> ObjectRef {
    let name = name.unwrap_or(TUTORIAL_VIRTUAL_SERVICE);
    ObjectRef::new(Kind::VirtualService, namespace, name)
}

/// Returns who changes weights, for the history; nothing when that may not be known or recorded.
async fn recorded_user(cluster: &Cluster) -> Option<String> {
    let is_recorded = std::env::var_os("KUBIA_RECORD_USER").is_none_or(|value| value != "0");
    if is_recorded { cluster.user().await.ok() } else { None }
}

/// Reads a VirtualService, and says in its own words when it does not exist.
async fn read_virtual_service(
    cluster: &Cluster,
    object: &ObjectRef,
) -> Result<VirtualService, Error> {
    let found = cluster.find(object).await?.map(VirtualService::new);
    found.ok_or_else(|| Error::NoVirtualService { object: object.clone() })
}

/// Reads a VirtualService, what its routes delegate to, and the subsets they refer to.
async fn read_snapshot(cluster: &Cluster, object: &ObjectRef) -> Result<Snapshot, Error> {
    let namespace = &object.namespace;
    let (named, subsets) =
        tokio::join!(read_virtual_service(cluster, object), cluster.subsets(namespace));
    let named = named?;
    let delegates = read_delegates(cluster, &named, &[]).await?;
    let routes: Vec<_> =
        std::iter::once(&named).chain(&delegates).flat_map(VirtualService::routes).collect();
    // What can be read counts, whatever cannot.
    let (mut subsets, error) = match subsets {
        Ok(subsets) => (subsets, None),
        Err(error) => (vec![], Some(error)),
    };
    let (missing, error_elsewhere) =
        cluster.missing_subsets(&routes, &subsets, namespace, &named.gateways()).await;
    subsets.extend(missing);
    let subsets_unread = error.or(error_elsewhere).map(|error| error.unread());
    Ok(Snapshot { named, delegates, subsets, subsets_unread })
}

/// Reads the VirtualServices that the routes of a root delegate to, but not those that are known. One
/// that does not exist, or has hosts of its own, is left out: Istio serves no route in its place.
async fn read_delegates(
    cluster: &Cluster,
    root: &VirtualService,
    known: &[VirtualService],
) -> Result<Vec<VirtualService>, ApiError> {
    let (mut delegates, mut others) = (Vec::new(), Vec::new());
    for object in root.delegates() {
        match known.iter().find(|each| each.object == object) {
            Some(delegate) => delegates.push(delegate.clone()),
            None => others.push(object),
        }
    }
    for found in join_all(others.iter().map(|object| cluster.find(object))).await {
        delegates.extend(found?.map(VirtualService::new));
    }
    delegates.retain(VirtualService::is_delegate);
    Ok(delegates)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_or_go_durations() {
        let parsed = |text| parse_duration(text).ok().map(|time| time.as_millis());
        assert_eq!(parsed("5"), Some(5000));
        assert_eq!(parsed("500ms"), Some(500));
        assert_eq!(parsed("1m30s"), Some(90_000));
        assert_eq!(parsed("24h"), Some(86_400_000));
        let endless = ["86401", "24h1ms", "18446744073709551615", "99999999999999999999", "9e9h"];
        for refused in ["-1s", "", "s", "1 fortnight", "PT5S"].into_iter().chain(endless) {
            assert_eq!(parsed(refused), None, "{refused:?}");
        }
    }

    #[test]
    fn virtual_services_are_named_as_in_kubectl() {
        for prefix in ["", "vs/", "virtualservice/", "virtualservice.networking.istio.io/"] {
            let name = parse_virtual_service(&format!("{prefix}reviews"));
            assert_eq!(name.as_deref(), Ok("reviews"), "{prefix}");
        }
        assert_eq!(virtual_service(None, "shop").name, "kubia-vs");
    }

    #[test]
    fn what_the_gateway_flags_leave_out_is_as_usual() {
        let choice = |namespace: Option<&str>, service: Option<&str>| {
            let args = GatewayArgs {
                gateway_namespace: namespace.map(str::to_owned),
                service: service.map(str::to_owned),
                selector: vec![],
            };
            match args.choice() {
                GatewayChoice::Usual => "usual".to_owned(),
                GatewayChoice::Selector(..) => unreachable!("no selector is given"),
                GatewayChoice::Service(service) => {
                    format!("{}/{}", service.namespace, service.name)
                }
            }
        };
        assert_eq!(choice(None, None), "usual");
        assert_eq!(choice(Some("istio-ingress"), None), "istio-ingress/istio-ingress");
        assert_eq!(choice(None, Some("istio-ingress")), "istio-ingress/istio-ingress");
        assert_eq!(choice(Some("edge"), None), "edge/istio-ingressgateway");
        assert_eq!(choice(None, Some("edge")), "istio-system/edge");
    }
}
