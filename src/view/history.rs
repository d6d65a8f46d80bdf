//! The recorded changes of a VirtualService's weights.

use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;

use super::{OutputFormat, View, age, table};
use crate::domain::{
    route::Route,
    shift::history::{Entry, History, RecordedRoute, Undone},
    snapshot::Subset,
    split,
    virtual_service::VirtualService,
};

/// `kind: History`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryView {
    /// The kubeconfig context read.
    pub context: String,
    /// `metadata.namespace` of the VirtualService.
    pub namespace: String,
    /// `metadata.name` of the VirtualService.
    pub name: String,
    /// The changes, newest first.
    pub entries: Vec<EntryView>,
}

/// One change.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EntryView {
    /// Its number.
    pub revision: u64,
    /// When it was written, RFC 3339.
    pub time: String,
    /// Who wrote it, null when it was not recorded.
    pub user: Option<String>,
    /// Why, null when no reason was given.
    pub reason: Option<String>,
    /// The revision an undo took back, null for anything else.
    pub undo_of: Option<u64>,
    /// The revision an undo went back to, null for anything else.
    pub back_to: Option<u64>,
    /// The routes that changed.
    pub routes: Vec<RecordedRouteView>,
    #[serde(skip)]
    age: String,
    /// Whether its routes have to be named, for the object has several.
    #[serde(skip)]
    names_routes: bool,
}

/// How one route changed.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordedRouteView {
    /// Its place.
    pub route: String,
    /// Its name, possibly empty.
    pub name: String,
    /// One per destination, in order.
    pub versions: Vec<RecordedVersion>,
}

/// How the share of one destination changed.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordedVersion {
    /// The version, as it is called today, else its recorded destination.
    pub version: String,
    /// Percent before.
    pub from: f64,
    /// Percent after.
    pub to: f64,
}

impl HistoryView {
    /// Returns the view of a history.
    #[must_use]
    pub fn new(
        context: &str,
        changed: &VirtualService,
        history: &History,
        subsets: &[Subset],
        now: Timestamp,
    ) -> Self {
        let routes = changed.routes();
        let entries = history.entries().iter().rev();
        Self {
            context: context.to_owned(),
            namespace: changed.object.namespace.clone(),
            name: changed.object.name.clone(),
            entries: entries.map(|entry| EntryView::new(entry, &routes, subsets, now)).collect(),
        }
    }

    /// Returns whether nothing was recorded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl EntryView {
    fn new(entry: &Entry, routes: &[Route], subsets: &[Subset], now: Timestamp) -> Self {
        let (undo_of, back_to) = match entry.undo {
            None => (None, None),
            Some(Undone::Revision(revision)) => (Some(revision), None),
            Some(Undone::Since(revision)) => (None, Some(revision)),
        };
        Self {
            revision: entry.revision,
            time: entry.time.to_string(),
            user: entry.user.clone(),
            reason: entry.reason.clone(),
            undo_of,
            back_to,
            routes: entry
                .routes
                .iter()
                .map(|route| RecordedRouteView::new(route, routes, subsets))
                .collect(),
            age: age(entry.time, now),
            names_routes: entry.routes.len().max(routes.len()) > 1,
        }
    }

    fn row(&self) -> Vec<String> {
        let routes: Vec<_> =
            self.routes.iter().map(|route| route.text(self.names_routes)).collect();
        let undo = self.undo_of.map(|revision| format!("undo of {revision}"));
        let undo = undo.or_else(|| self.back_to.map(|revision| format!("back to {revision}")));
        let reason: Vec<_> = [undo, self.reason.clone()].into_iter().flatten().collect();
        let or_none = |text: String| if text.is_empty() { "<none>".to_owned() } else { text };
        vec![
            self.revision.to_string(),
            routes.join("; "),
            or_none(self.user.clone().unwrap_or_default()),
            or_none(reason.join(": ")),
            self.age.clone(),
        ]
    }
}

impl RecordedRouteView {
    fn new(recorded: &RecordedRoute, routes: &[Route], subsets: &[Subset]) -> Self {
        let today = routes.iter().find(|route| recorded.leads_as(route));
        let today = today.map(|route| route.versions(subsets));
        let names = today.unwrap_or_else(|| recorded.destinations.clone());
        let shares = |weights: &[Option<u64>]| split::shares(&split::counted(weights));
        let changes = shares(&recorded.from).into_iter().zip(shares(&recorded.to));
        let versions = names.into_iter().zip(changes);
        Self {
            route: recorded.place.clone(),
            name: recorded.name.clone(),
            versions: versions
                .map(|(version, (from, to))| RecordedVersion { version, from, to })
                .collect(),
        }
    }

    fn text(&self, is_named: bool) -> String {
        let versions = self.versions.iter().map(|each| {
            format!("{} {} → {}", each.version, split::display(each.from), split::display(each.to))
        });
        let versions = versions.collect::<Vec<_>>().join(", ");
        if is_named { format!("{}: {versions}", self.route) } else { versions }
    }
}

impl View for HistoryView {
    const KIND: &'static str = "History";

    fn write(&self, format: OutputFormat, out: &mut dyn Write) -> io::Result<()> {
        if format == OutputFormat::Name {
            return writeln!(out, "virtualservice.networking.istio.io/{}", self.name);
        }
        if self.is_empty() {
            return Ok(());
        }
        let rows: Vec<_> = self.entries.iter().map(EntryView::row).collect();
        table(&["REVISION", "CHANGE", "USER", "REASON", "AGE"], &rows, out)
    }
}
