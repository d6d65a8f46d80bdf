//! The chain of one VirtualService.

use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;

use super::{OutputFormat, View, age, share, table};
use crate::domain::{
    gateway::IngressGateway,
    gateway_url::Candidate,
    snapshot::Pod,
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
    /// What could not be read, and which right is missing.
    pub not_checked: Vec<String>,
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

/// One HTTP route.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteView {
    /// Position in `spec.http`.
    pub index: usize,
    /// Its name, possibly empty.
    pub name: String,
    /// One per destination, in order.
    pub versions: Vec<VersionView>,
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
    /// `weight`.
    pub weight: u32,
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
    age: String,
}

impl StatusView {
    /// Returns the view of a status.
    #[must_use]
    pub fn new(context: &str, status: &Status, now: Timestamp) -> Self {
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
            not_checked: status.not_checked.clone(),
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
                line("Gateway service", &format!("{}/{}", gateway.namespace, gateway.service))?;
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
        let versions = route.versions.iter().map(|version| VersionView::new(version, now));
        Self { index: route.index, name: route.name.clone(), versions: versions.collect() }
    }

    /// `#0`, or `#0 (name)`.
    fn title(&self) -> String {
        match self.name.as_str() {
            "" => format!("#{}", self.index),
            name => format!("#{} ({name})", self.index),
        }
    }
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
            share(self.share),
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
        for route in &self.routes {
            writeln!(out, "{:<17}{}\n", "Route:", Printable(&route.title()))?;
            let rows: Vec<_> = route.versions.iter().map(VersionView::row).collect();
            table(&["VERSION", "SUBSET", "SHARE", "READY", "IMAGE", "AGE"], &rows, out)?;
            for version in &route.versions {
                if let Some(waiting) = &version.waiting {
                    writeln!(out, "{} waits: {}", Printable(&version.version), Printable(waiting))?;
                }
            }
        }
        if self.routes.is_empty() {
            writeln!(out, "{:<17}<none>", "Route:")?;
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
