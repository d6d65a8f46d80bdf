//! The weighted routes of many VirtualServices.

use std::io::{self, Write};

use serde::Serialize;

use super::{OutputFormat, View, table};
use crate::domain::{split, status::RouteLine};

/// `kind: StatusList`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusList {
    /// The kubeconfig context read.
    pub context: String,
    /// One per weighted route.
    pub items: Vec<RouteItem>,
    #[serde(skip)]
    has_namespaces: bool,
    #[serde(skip)]
    has_headers: bool,
}

/// One weighted route.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteItem {
    /// `metadata.namespace` of the VirtualService.
    pub namespace: String,
    /// `metadata.name` of the VirtualService.
    pub name: String,
    /// The route's place: `#0` in `spec.http`, `tls#0`, `tcp#0`.
    pub route: String,
    /// The route's name, possibly empty.
    pub route_name: String,
    /// `spec.hosts`.
    pub hosts: Vec<String>,
    /// `spec.gateways`; `mesh` when absent.
    pub gateways: Vec<String>,
    /// One per destination, in order.
    pub versions: Vec<ShareItem>,
}

/// The share of one version.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ShareItem {
    /// The version.
    pub version: String,
    /// Desired share in percent.
    pub share: f64,
}

impl StatusList {
    /// Returns the view of these routes.
    #[must_use]
    pub fn new(
        context: &str,
        lines: &[RouteLine],
        has_namespaces: bool,
        has_headers: bool,
    ) -> Self {
        let items = lines.iter().map(RouteItem::new).collect();
        Self { context: context.to_owned(), items, has_namespaces, has_headers }
    }
}

impl RouteItem {
    fn new(line: &RouteLine) -> Self {
        let shares = line.versions.iter().zip(line.route.shares());
        Self {
            namespace: line.object.namespace.clone(),
            name: line.object.name.clone(),
            route: line.route.id.to_string(),
            route_name: line.route.name.clone(),
            hosts: line.hosts.clone(),
            gateways: line.gateways.clone(),
            versions: shares
                .map(|(version, share)| ShareItem { version: version.clone(), share })
                .collect(),
        }
    }

    fn row(&self) -> Vec<String> {
        let shares = self.versions.iter().map(|each| (&each.version, each.share));
        let or_none =
            |texts: &[String]| if texts.is_empty() { "<none>".to_owned() } else { texts.join(",") };
        vec![
            self.name.clone(),
            self.route.clone(),
            split::in_words(shares),
            or_none(&self.hosts),
            or_none(&self.gateways),
        ]
    }
}

impl View for StatusList {
    const KIND: &'static str = "StatusList";

    fn write(&self, format: OutputFormat, out: &mut dyn Write) -> io::Result<()> {
        if format == OutputFormat::Name {
            let mut names: Vec<_> =
                self.items.iter().map(|item| (&item.namespace, &item.name)).collect();
            names.dedup();
            return names.into_iter().try_for_each(|(_, name)| {
                writeln!(out, "virtualservice.networking.istio.io/{name}")
            });
        }
        let first = usize::from(!self.has_namespaces);
        let headers = ["NAMESPACE", "NAME", "ROUTE", "SHARES", "HOSTS", "GATEWAYS"];
        let rows = self.items.iter().map(|item| {
            let namespace = self.has_namespaces.then(|| item.namespace.clone());
            namespace.into_iter().chain(item.row()).collect::<Vec<_>>()
        });
        let rows: Vec<_> = rows.collect();
        table(if self.has_headers { &headers[first..] } else { &[] }, &rows, out)
    }
}
