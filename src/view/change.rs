//! What a command wrote, or would write.

use std::io::{self, Write};

use serde::Serialize;

use super::{OutputFormat, View, proof::ProofView};
use crate::domain::{
    deploy::GatewayPort,
    object::ObjectRef,
    plan::{DryRun, Outcome},
    proof::evidence::Evidence,
    route::title,
    shift::{RouteShift, Shift},
    split,
    text::Printable,
};

/// How a write ended, in machine output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Result {
    /// It did not exist before.
    Created,
    /// Its spec or labels changed.
    Configured,
    /// A patch changed it.
    Patched,
    /// Nothing had to change.
    Unchanged,
    /// It failed, or was not reached.
    NotWritten,
    /// It failed, and may have been written all the same.
    Unknown,
}

/// One object that was written to.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectResult {
    /// Lower-case kind and group, as in kubectl's lines.
    pub kind: String,
    /// `metadata.name`.
    pub name: String,
    /// What happened to it.
    pub result: Result,
    #[serde(skip)]
    line: String,
    #[serde(skip)]
    qualified: String,
}

impl ObjectResult {
    /// Returns the result of a write that failed, and may have been carried out all the same.
    #[must_use]
    pub fn unknown(object: &ObjectRef) -> Self {
        let unknown = Self::new(object, None, DryRun::None);
        let line = format!("{} perhaps written", unknown.qualified);
        Self { result: Result::Unknown, line, ..unknown }
    }

    /// Returns the result of a write; `None` when it failed or was not reached.
    #[must_use]
    pub fn new(object: &ObjectRef, outcome: Option<Outcome>, dry_run: DryRun) -> Self {
        let qualified = object.qualified();
        let kind = qualified.split('/').next().unwrap_or_default().to_owned();
        let verb = outcome.map_or("not written", Outcome::verb);
        let result = match outcome {
            None => Result::NotWritten,
            Some(Outcome::Created) => Result::Created,
            Some(Outcome::Configured) => Result::Configured,
            Some(Outcome::Patched) => Result::Patched,
            Some(Outcome::Unchanged) => Result::Unchanged,
        };
        let line = format!("{qualified} {verb}{}", suffix(dry_run));
        Self { kind, name: object.name.clone(), result, line, qualified }
    }
}

fn suffix(dry_run: DryRun) -> &'static str {
    match dry_run {
        DryRun::None => "",
        DryRun::Client => " (dry run)",
        DryRun::Server => " (server dry run)",
    }
}

/// The words of `--dry-run` in machine output.
#[must_use]
pub fn dry_run_word(dry_run: DryRun) -> &'static str {
    match dry_run {
        DryRun::None => "none",
        DryRun::Client => "client",
        DryRun::Server => "server",
    }
}

/// `kind: DeployResult`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeployResult {
    /// The kubeconfig context written to.
    pub context: String,
    /// The namespace written to.
    pub namespace: String,
    /// `none` or `server`.
    pub dry_run: &'static str,
    /// How requests reach the app's Gateway.
    pub gateway_port: GatewayPortView,
    /// One per object, in the order they are written.
    pub objects: Vec<ObjectResult>,
}

/// How a Service port leads to a Gateway's server.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayPortView {
    /// `spec.servers[].port.number` of the Gateway.
    pub server: u16,
    /// Port of the gateway's Service.
    pub service_port: u16,
    /// Name of that port.
    pub service_port_name: String,
    /// Port the gateway's pods listen on.
    pub listener: u16,
}

impl From<&GatewayPort> for GatewayPortView {
    fn from(port: &GatewayPort) -> Self {
        Self {
            server: port.server,
            service_port: port.service_port,
            service_port_name: port.service_port_name.clone(),
            listener: port.listener,
        }
    }
}

impl View for DeployResult {
    const KIND: &'static str = "DeployResult";

    fn write(&self, format: OutputFormat, out: &mut dyn Write) -> io::Result<()> {
        self.objects.iter().try_for_each(|object| match format {
            OutputFormat::Name => writeln!(out, "{}", object.qualified),
            _ => writeln!(out, "{}", object.line),
        })
    }
}

/// `kind: ShiftResult`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ShiftResult {
    /// The kubeconfig context written to.
    pub context: String,
    /// `metadata.namespace` of the VirtualService.
    pub namespace: String,
    /// `metadata.name` of the VirtualService.
    pub name: String,
    /// `none`, `client` or `server`.
    pub dry_run: &'static str,
    /// Whether anything was written: `patched` or `unchanged`.
    pub result: Result,
    /// The routes that were meant, in order.
    pub routes: Vec<RouteChange>,
    /// The other weighted routes of the VirtualService, which stay as they are.
    pub untouched: Vec<RouteChange>,
    /// What was seen on the proxies, null when nobody looked.
    pub proof: Option<ProofView>,
    #[serde(skip)]
    line: String,
    #[serde(skip)]
    qualified: String,
}

/// How one route changed.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteChange {
    /// Its place: `#0` in `spec.http`, `tls#0`, `tcp#0`.
    pub route: String,
    /// Its name, possibly empty.
    pub name: String,
    /// One per destination, in order.
    pub versions: Vec<VersionChange>,
}

/// How the share of one version changed.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VersionChange {
    /// The version.
    pub version: String,
    /// Its subset, empty when the whole host is meant.
    pub subset: String,
    /// Its host, as a full name.
    pub host: String,
    /// Percent before.
    pub from: f64,
    /// Percent after.
    pub to: f64,
    /// `weight` after, null where it is omitted.
    pub weight: Option<u64>,
}

impl ShiftResult {
    /// Returns the view of a change of weights.
    #[must_use]
    pub fn new(context: &str, shift: &Shift, outcome: Outcome, dry_run: DryRun) -> Self {
        let object = ObjectResult::new(&shift.virtual_service.object, Some(outcome), dry_run);
        Self {
            context: context.to_owned(),
            namespace: shift.virtual_service.object.namespace.clone(),
            name: shift.virtual_service.object.name.clone(),
            dry_run: dry_run_word(dry_run),
            result: object.result,
            routes: shift.routes.iter().map(RouteChange::new).collect(),
            untouched: shift.untouched.iter().map(RouteChange::new).collect(),
            proof: None,
            line: object.line,
            qualified: object.qualified,
        }
    }

    /// Adds what was seen on the proxies.
    pub fn prove(&mut self, evidence: &Evidence, shift: &Shift) {
        self.proof = Some(ProofView::new(evidence, shift));
    }
}

impl RouteChange {
    fn new(shift: &RouteShift) -> Self {
        let (from, to) = (shift.route.shares(), shift.shares());
        let destinations = shift.route.destinations.iter().enumerate();
        let versions = destinations.map(|(index, destination)| VersionChange {
            version: shift.versions[index].clone(),
            subset: destination.subset.clone(),
            host: destination.host.clone(),
            from: from[index],
            to: to[index],
            weight: shift.after[index],
        });
        Self {
            route: shift.route.id.to_string(),
            name: shift.route.name.clone(),
            versions: versions.collect(),
        }
    }

    fn text(&self) -> String {
        let versions = self.versions.iter().map(|change| {
            let (from, to) = (split::display(change.from), split::display(change.to));
            if from == to {
                return format!("{} {to}", change.version);
            }
            format!("{} {from} → {to}", change.version)
        });
        versions.collect::<Vec<_>>().join(", ")
    }
}

impl View for ShiftResult {
    const KIND: &'static str = "ShiftResult";

    fn write(&self, format: OutputFormat, out: &mut dyn Write) -> io::Result<()> {
        if format == OutputFormat::Name {
            return writeln!(out, "{}", self.qualified);
        }
        let Some(proof) = &self.proof else { return writeln!(out, "{}", self.line) };
        match proof.doubt() {
            None => writeln!(out, "{}", self.line)?,
            Some(doubt) => writeln!(out, "{} (not proven: {})", self.line, Printable(&doubt))?,
        }
        proof.write(out)
    }
}

/// Returns the lines that say where weights are about to be written, and which; and which are not.
#[must_use]
pub fn announcement(context: &str, shift: &Shift) -> Vec<String> {
    let routes: Vec<_> = shift.routes.iter().map(RouteChange::new).collect();
    let changes: Vec<_> = routes
        .iter()
        .map(|route| match routes.len() {
            1 => route.text(),
            _ => format!("{}: {}", route.route, route.text()),
        })
        .collect();
    let ObjectRef { namespace, name, .. } = &shift.virtual_service.object;
    let changes = changes.join("; ");
    let mut lines = vec![format!("context {context}, namespace {namespace}: {name} {changes}")];
    let untouched = shift.untouched.iter().map(RouteChange::new);
    let untouched: Vec<_> = untouched
        .map(|each| format!("{}: {}", title(&each.route, &each.name), each.text()))
        .collect();
    if !untouched.is_empty() {
        lines.push(format!("untouched: {}", untouched.join("; ")));
    }
    lines
}
