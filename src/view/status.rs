//! The chain of one VirtualService.

use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;

use super::{OutputFormat, View, age, table};
use crate::domain::{
    gateway::IngressGateway,
    gateway_url::Candidate,
    proof::evidence::pod_name,
    route::title,
    snapshot::Pod,
    split,
    status::{RouteStatus, Status, Version, VersionPods},
    text::Printable,
};

/// `kind: Status`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusView {
    /// The kubeconfig context read.
    pub context: String,
    /// `metadata.namespace` of the VirtualService.
    pub namespace: String,
    /// `metadata.name` of the VirtualService.
    pub name: String,
    /// `spec.hosts`.
    pub hosts: Vec<String>,
    /// `spec.gateways`; `mesh` when absent.
    pub gateways: Vec<String>,
    /// `http://host:port`, null when the gateway has no address.
    pub url: Option<String>,
    /// The ingress gateway, null when there is none or it may not be read.
    pub gateway: Option<GatewayView>,
    /// The HTTP routes, in order.
    pub routes: Vec<RouteView>,
    /// Where the routes also run without anybody having looked.
    pub not_proven: Vec<String>,
    /// What could not be read, and which right is missing.
    pub not_checked: Vec<String>,
    #[serde(skip)]
    has_headers: bool,
}

/// An ingress gateway.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayView {
    /// Namespace of its Service.
    pub namespace: String,
    /// Name of its Service.
    pub service: String,
    /// Its pods, by name.
    pub pods: Vec<PodView>,
}

/// A gateway's pod.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PodView {
    /// `metadata.name`.
    pub name: String,
    /// `status.hostIP`, null before it is scheduled.
    #[serde(rename = "hostIP")]
    pub host_ip: Option<String>,
    /// What it is fit for.
    pub state: PodState,
}

/// Whether a pod takes traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum PodState {
    /// It does.
    Ready,
    /// Its condition Ready is not True.
    NotReady,
    /// It is being deleted.
    Terminating,
}

/// One route.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteView {
    /// Its place: `#0` in `spec.http`, `tls#0`, `tcp#0`.
    pub route: String,
    /// Its name, possibly empty.
    pub name: String,
    /// Namespace of the VirtualService it stands in: of the one named, or of a delegate.
    pub namespace: String,
    /// Name of that VirtualService.
    pub virtual_service: String,
    /// Which requests it takes, in words; every one when there are none.
    pub matches: Vec<String>,
    /// One per destination, in order.
    pub versions: Vec<VersionView>,
    /// What each gateway proxy does with it.
    pub proxies: Vec<ProxyRouteView>,
}

/// What one gateway proxy does with a route.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProxyRouteView {
    /// `namespace/name` of the gateway pod.
    pub pod: String,
    /// Percent it gives each version, in order, once for each way it does; null when that is not known.
    pub shares: Option<Vec<Vec<f64>>>,
    /// Why that is not known, null when it is.
    pub unknown: Option<String>,
    /// Why requests do not arrive as these shares say, null when they do.
    pub obstacle: Option<String>,
    #[serde(skip)]
    text: String,
}

/// One destination and the pods behind it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VersionView {
    /// The version.
    pub version: String,
    /// Its subset, empty when the whole host is meant.
    pub subset: String,
    /// Its host, as a full name.
    pub host: String,
    /// Desired share in percent.
    pub share: f64,
    /// The share every gateway proxy gives it in percent; null when they differ, or none could be asked.
    pub live: Option<f64>,
    /// `weight`, null where it is omitted.
    pub weight: Option<u64>,
    /// Pods that take traffic, null when they could not be told.
    pub ready: Option<usize>,
    /// Pods there are, null when they could not be told.
    pub pods: Option<usize>,
    /// Their images, each once.
    pub images: Vec<String>,
    /// When the oldest pod was created, RFC 3339.
    pub created: Option<String>,
    /// Why a pod waits, null when none does.
    pub waiting: Option<String>,
    #[serde(skip)]
    live_text: String,
    #[serde(skip)]
    age: String,
}

impl StatusView {
    /// Returns the view of a status.
    #[must_use]
    pub fn new(context: &str, status: &Status, now: Timestamp, has_headers: bool) -> Self {
        let address = status.gateway.as_ref().and_then(|(_, address)| address.as_ref());
        Self {
            context: context.to_owned(),
            namespace: status.object.namespace.clone(),
            name: status.object.name.clone(),
            hosts: status.hosts.clone(),
            gateways: status.gateways.clone(),
            url: address.map(Candidate::url),
            gateway: status.gateway.as_ref().map(GatewayView::new),
            routes: status.routes.iter().map(|route| RouteView::new(route, now)).collect(),
            not_proven: status.gaps.clone(),
            not_checked: status.not_checked.clone(),
            has_headers,
        }
    }

    fn write_chain(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut line = |name: &str, value: &str| {
            writeln!(out, "{:<17}{}", format!("{name}:"), Printable(value))
        };
        line("URL", self.url.as_deref().unwrap_or("<none>"))?;
        match &self.gateway {
            None => line("Gateway service", "<unknown>")?,
            Some(gateway) => {
                let service = match gateway.service.as_str() {
                    "" => "<unknown>".to_owned(),
                    service => format!("{}/{service}", gateway.namespace),
                };
                line("Gateway service", &service)?;
                line("Gateway pods", &gateway.summary())?;
            }
        }
        line("Gateway", &self.gateways.join(", "))?;
        line("VirtualService", &format!("{}/{}", self.namespace, self.name))?;
        line("Hosts", &self.hosts.join(", "))
    }
}

impl GatewayView {
    fn new((gateway, _): &(IngressGateway, Option<Candidate>)) -> Self {
        Self {
            namespace: gateway.service.namespace.clone(),
            service: gateway.service.name.clone(),
            pods: gateway.pods.iter().map(PodView::new).collect(),
        }
    }

    fn summary(&self) -> String {
        let count = |state| self.pods.iter().filter(|pod| pod.state == state).count();
        let ready = format!("{} of {} ready", count(PodState::Ready), self.pods.len());
        match count(PodState::Terminating) {
            0 => ready,
            terminating => format!("{ready}, {terminating} terminating"),
        }
    }
}

impl PodView {
    fn new(pod: &Pod) -> Self {
        let state = match (pod.terminating, pod.ready) {
            (true, _) => PodState::Terminating,
            (false, true) => PodState::Ready,
            (false, false) => PodState::NotReady,
        };
        Self { name: pod.name.clone(), host_ip: pod.host_ip.map(|ip| ip.to_string()), state }
    }
}

impl RouteView {
    fn new(route: &RouteStatus, now: Timestamp) -> Self {
        let proxies = route.proxies.iter().map(|proxy| ProxyRouteView {
            pod: pod_name(&proxy.pod),
            shares: proxy.shares.clone().ok(),
            unknown: proxy.shares.clone().err(),
            obstacle: proxy.obstacle.clone(),
            text: proxy.text(&route.versions),
        });
        Self {
            route: route.id.to_string(),
            name: route.name.clone(),
            namespace: route.object.namespace.clone(),
            virtual_service: route.object.name.clone(),
            matches: route.matches.clone(),
            proxies: proxies.collect(),
            versions: route.versions.iter().map(|each| VersionView::new(each, now)).collect(),
        }
    }

    /// `#0`, or `#0 (name)`; with the delegate it stands in, if it does.
    fn title(&self, status: &StatusView) -> String {
        let title = title(&self.route, &self.name);
        if (&self.namespace, &self.virtual_service) == (&status.namespace, &status.name) {
            return title;
        }
        format!("{title} of {}/{}", self.namespace, self.virtual_service)
    }

    fn write(&self, status: &StatusView, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{:<17}{}", "Route:", Printable(&self.title(status)))?;
        for conditions in &self.matches {
            writeln!(out, "{:<17}{}", "Match:", Printable(conditions))?;
        }
        writeln!(out)?;
        let rows: Vec<_> = self.versions.iter().map(VersionView::row).collect();
        let headers = ["VERSION", "SUBSET", "SHARE", "LIVE", "READY", "IMAGE", "AGE"];
        table(if status.has_headers { &headers } else { &[] }, &rows, out)?;
        for version in &self.versions {
            if let Some(waiting) = &version.waiting {
                writeln!(out, "{} waits: {}", Printable(&version.version), Printable(waiting))?;
            }
        }
        for proxy in &self.proxies {
            write!(out, "  {} {}", Printable(&proxy.pod), Printable(&proxy.text))?;
            if let Some(obstacle) = &proxy.obstacle {
                write!(out, ", but {}", Printable(obstacle))?;
            }
            writeln!(out)?;
        }
        Ok(())
    }
}

/// Whether the least and the most share are the same, as they are shown.
fn agree((least, most): &(f64, f64)) -> bool {
    split::display(*least) == split::display(*most)
}

impl VersionView {
    fn new(version: &Version, now: Timestamp) -> Self {
        let (counts, images, created, waiting) = match &version.pods {
            VersionPods::Unknown => (None, vec![], None, None),
            VersionPods::Found { ready, total, images, created, waiting } => {
                let waiting =
                    waiting.as_ref().map(|(reason, message)| format!("{reason}: {message}"));
                (Some((*ready, *total)), images.clone(), *created, waiting)
            }
        };
        Self {
            version: version.version.clone(),
            subset: version.subset.clone(),
            host: version.host.clone(),
            share: version.share,
            live: version.live.filter(agree).map(|(share, _)| share),
            live_text: match version.live {
                None => "<unknown>".to_owned(),
                Some(range) if agree(&range) => split::display(range.0),
                Some((least, most)) => {
                    format!("{}..{}", split::display(least), split::display(most))
                }
            },
            weight: version.weight,
            ready: counts.map(|(ready, _)| ready),
            pods: counts.map(|(_, total)| total),
            images,
            created: created.map(|time| time.to_string()),
            waiting,
            age: created.map_or_else(|| "<unknown>".to_owned(), |created| age(created, now)),
        }
    }

    fn row(&self) -> Vec<String> {
        let ready = match (self.ready, self.pods) {
            (Some(ready), Some(pods)) => format!("{ready}/{pods}"),
            _ => "<unknown>".to_owned(),
        };
        let images: Vec<_> = self.images.iter().map(|image| short_image(image)).collect();
        let or_none = |text: String| if text.is_empty() { "<none>".to_owned() } else { text };
        vec![
            self.version.clone(),
            or_none(self.subset.clone()),
            split::display(self.share),
            self.live_text.clone(),
            ready,
            or_none(images.join(",")),
            self.age.clone(),
        ]
    }
}

/// Returns an image without what every image has: Docker Hub's prefix, and most of the digest.
fn short_image(image: &str) -> String {
    let image = image.strip_prefix("docker.io/").unwrap_or(image);
    let image = image.strip_prefix("library/").unwrap_or(image);
    match image.split_once("@sha256:") {
        Some((name, digest)) if digest.is_char_boundary(12.min(digest.len())) => {
            format!("{name}@{}", &digest[..12.min(digest.len())])
        }
        _ => image.to_owned(),
    }
}

impl View for StatusView {
    const KIND: &'static str = "Status";

    fn write(&self, format: OutputFormat, out: &mut dyn Write) -> io::Result<()> {
        if format == OutputFormat::Name {
            return writeln!(out, "virtualservice.networking.istio.io/{}", self.name);
        }
        self.write_chain(out)?;
        self.routes.iter().try_for_each(|route| route.write(self, out))?;
        if self.routes.is_empty() {
            writeln!(out, "{:<17}<none>", "Route:")?;
        }
        for gap in &self.not_proven {
            writeln!(out, "not proven: {}", Printable(gap))?;
        }
        self.not_checked
            .iter()
            .try_for_each(|what| writeln!(out, "not checked: {}", Printable(what)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_shortened_without_losing_their_name() {
        let digest = "d32cdf619f63fe0471182d08996dd516c6275bb5fd31ae06e55a570bd9e1ad43";
        let image = format!("docker.io/library/node:24-alpine@sha256:{digest}");
        assert_eq!(short_image(&image), "node:24-alpine@d32cdf619f63");
        assert_eq!(short_image("registry.example/a:1"), "registry.example/a:1");
        assert_eq!(short_image("a@sha256:ää"), "a@ää");
    }
}
