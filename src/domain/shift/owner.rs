//! Who else manages a VirtualService, told from its metadata alone, and what becomes of weights then.
//!
//! A mark counts only where its controller itself leaves it: labels and annotations that charts and
//! people write too are no evidence, or weights nobody else touches would be refused. Whether the
//! controller still runs, and whether it has a rule to leave weights alone, the object does not say.

use std::{collections::BTreeSet, fmt};

use serde_json::Value;

use crate::domain::{
    object::ISTIO_GROUP,
    plan::FIELD_MANAGER,
    shift::ignore_rule,
    snapshot::{list, text},
    text::{Printable, shorten},
};

/// Annotation by which a team says that weights are set by hand: its value is then [`MANUAL`].
pub const WEIGHTS_ANNOTATION: &str = "kubectl-kubia/weights";

/// Value of [`WEIGHTS_ANNOTATION`], committed beside the rule that makes Argo CD or Flux ignore weights.
pub const MANUAL: &str = "manual";

const TRACKING_ID: &str = "argocd.argoproj.io/tracking-id";
/// The label Argo CD's documentation recommends where `app.kubernetes.io/instance` is taken.
const ARGO_CD_INSTANCE: &str = "argocd.argoproj.io/instance";
const INSTANCE: &str = "app.kubernetes.io/instance";
/// Argo CD applies as the first since 2.5; the second is its program's name, still left by a replace.
const ARGO_CD_MANAGERS: [&str; 2] = ["argocd-controller", "argocd-application-controller"];
const MANAGED_BY_ROLLOUTS: &str = "argo-rollouts.argoproj.io/managed-by-rollouts";
const ROLLOUTS_MANAGER: &str = "rollouts-controller";
const FLAGGER_ORIGINAL: &str = "flagger.kubernetes.io/original-configuration";
const FLAGGER_MANAGER: &str = "flagger";
const KUSTOMIZE: &str = "kustomize.toolkit.fluxcd.io";
const KUSTOMIZE_MANAGER: &str = "kustomize-controller";
const HELM_RELEASE: &str = "helm.toolkit.fluxcd.io";
const HELM_RELEASE_MANAGER: &str = "helm-controller";
const RELEASE_NAME: &str = "meta.helm.sh/release-name";
const RELEASE_NAMESPACE: &str = "meta.helm.sh/release-namespace";
const HELM_MANAGER: &str = "helm";
const KIALI_WIZARD: &str = "kiali_wizard";
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
const KUBECTL_MANAGER: &str = "kubectl";

/// Something that writes VirtualServices and may put weights back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Controller {
    /// Flagger: it makes the VirtualService of a Canary, and rewrites it.
    Flagger,
    /// Argo Rollouts: it sets the weights of a VirtualService that a Rollout names.
    ArgoRollouts,
    /// An Argo CD Application.
    ArgoCd,
    /// A Kustomization of Flux.
    Kustomization,
    /// A HelmRelease of Flux.
    HelmRelease,
    /// A release of Helm.
    Helm(Method),
    /// Kiali's wizard.
    Kiali,
    /// `kubectl apply`, or server-side apply by anything else that is not named above.
    Apply(Method),
}

/// How somebody applies a manifest, which decides what happens to fields that others have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// A patch made by the client: it overwrites without a word.
    ClientSide,
    /// Server-side apply: a conflict unless it is forced.
    ServerSide,
}

/// What an owner means for a change of weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stance {
    /// The change is refused: it would not last.
    Refused,
    /// The change is made, with a warning.
    Warned,
    /// The object carries [`WEIGHTS_ANNOTATION`]: the owner has been told to leave weights alone.
    Agreed,
}

/// One of those who manage an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Which program it is.
    pub controller: Controller,
    /// What the program calls its own object, with the namespace before it where the mark has one:
    /// a Canary, an Application, a Kustomization, a release, a wizard, a field manager. May be empty.
    pub name: String,
    /// The mark that says so, such as `label kiali_wizard`; safe for a terminal.
    pub evidence: String,
    /// What it means for a change of weights.
    pub stance: Stance,
}

impl Owner {
    fn new(marks: Marks<'_>, controller: Controller, name: &str, evidence: &str) -> Self {
        let manual = marks.annotation(WEIGHTS_ANNOTATION) == Some(MANUAL);
        let stance = match controller {
            Controller::Flagger | Controller::ArgoRollouts => Stance::Refused,
            Controller::ArgoCd | Controller::Kustomization | Controller::HelmRelease => {
                if manual {
                    Stance::Agreed
                } else {
                    Stance::Refused
                }
            }
            Controller::Helm(_) | Controller::Kiali | Controller::Apply(_) => Stance::Warned,
        };
        let evidence = Printable(&shorten(evidence, LONGEST)).to_string();
        Self { controller, name: shorten(name, LONGEST), evidence, stance }
    }

    /// Returns what happens to weights that are changed, in one line.
    #[must_use]
    pub fn consequence(&self) -> String {
        if self.stance == Stance::Agreed {
            return format!("{self} leaves weights alone, says {WEIGHTS_ANNOTATION}: {MANUAL}");
        }
        let then = match self.controller {
            // Also when nothing but an annotation differs: pkg/router/istio.go compares them all.
            Controller::Flagger => "writes the whole route anew within its next interval",
            Controller::ArgoRollouts => "puts its own weights back as soon as it sees others",
            Controller::ArgoCd => "puts the weights of Git back at its next sync",
            Controller::Kustomization => "puts the weights of Git back at its next reconciliation",
            Controller::HelmRelease => "puts the chart's weights back at an upgrade or drift check",
            // Helm compares two releases of its chart, not the chart with the cluster.
            Controller::Helm(Method::ClientSide) => {
                "puts the chart's weights back at an upgrade that changes the routes in the chart"
            }
            Controller::Helm(Method::ServerSide) => {
                "fails its next upgrade over a conflict (--server-side=false keeps weights while \
                 the chart's routes stay the same, --force-conflicts puts the chart's back)"
            }
            Controller::Kiali => "writes weights of its own when the routing is next edited there",
            Controller::Apply(Method::ClientSide) => {
                "puts the weights of its file back when the file is next applied"
            }
            Controller::Apply(Method::ServerSide) => {
                "fails over a conflict when it is next run, or, forced, puts its weights back"
            }
        };
        format!("{self} {then}")
    }

    /// Returns what to commit so that this owner leaves weights alone, as YAML with comments: the
    /// rule for the owner's own object, then the annotation for the VirtualService. `None` where no
    /// such rule exists.
    ///
    /// The rule of Flux lists the weights one by one, so it is made for this very object.
    #[must_use]
    pub fn snippet(&self, virtual_service: &Value) -> Option<String> {
        ignore_rule::snippet(self, virtual_service)
    }
}

/// The subject of a sentence: `Argo CD application shop`.
impl fmt::Display for Owner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (program, object) = match self.controller {
            Controller::Flagger => ("Flagger", " Canary"),
            Controller::ArgoRollouts => ("Argo Rollouts", ""),
            Controller::ArgoCd => ("Argo CD", " application"),
            Controller::Kustomization => ("Flux", " Kustomization"),
            Controller::HelmRelease => ("Flux", " HelmRelease"),
            Controller::Helm(_) => ("Helm", " release"),
            Controller::Kiali => ("Kiali", " wizard"),
            Controller::Apply(Method::ClientSide) => ("kubectl apply", ""),
            Controller::Apply(Method::ServerSide) => ("server-side apply", " by"),
        };
        formatter.write_str(program)?;
        match self.name.as_str() {
            "" => Ok(()),
            name => write!(formatter, "{object} {}", Printable(name)),
        }
    }
}

/// Bytes of a name that are kept: no name of Kubernetes is longer, an annotation can be.
const LONGEST: usize = 253;

/// Returns everybody who is known to manage a VirtualService, those who refuse first.
#[must_use]
pub fn owners(virtual_service: &Value) -> Vec<Owner> {
    let marks = Marks(virtual_service);
    let looks = [flagger, argo_rollouts, argo_cd, kustomization, helm_release];
    let mut owners: Vec<Owner> = looks.into_iter().filter_map(|look| look(marks)).collect();
    let applied = applied(marks, &owners);
    let helm = helm(marks, &owners, &applied);
    owners.extend(helm.into_iter().chain(kiali(marks)).chain(applied));
    owners
}

/// Flagger owns what it makes, unless Istio is in another cluster than the Canary, or the object was
/// there before.
fn flagger(marks: Marks<'_>) -> Option<Owner> {
    let canary = list(marks.0, "/metadata/ownerReferences").iter().find(|reference| {
        text(reference, "/apiVersion").starts_with("flagger.app/") && reference["kind"] == "Canary"
    });
    if let Some(canary) = canary {
        let name = text(canary, "/name");
        return Some(Owner::new(marks, Controller::Flagger, &name, "owner reference to a Canary"));
    }
    let evidence = match marks.annotation(FLAGGER_ORIGINAL) {
        Some(_) => annotation(FLAGGER_ORIGINAL),
        None => field_manager(marks.manager(&[FLAGGER_MANAGER])?.name),
    };
    Some(Owner::new(marks, Controller::Flagger, "", &evidence))
}

/// Argo Rollouts annotates Services and DestinationRules, but of a VirtualService it writes the
/// spec alone: before its first step nothing tells, and later only the field manager.
fn argo_rollouts(marks: Marks<'_>) -> Option<Owner> {
    if let Some(rollout) = marks.annotation(MANAGED_BY_ROLLOUTS) {
        let evidence = annotation(MANAGED_BY_ROLLOUTS);
        return Some(Owner::new(marks, Controller::ArgoRollouts, rollout, &evidence));
    }
    let evidence = field_manager(marks.manager(&[ROLLOUTS_MANAGER])?.name);
    Some(Owner::new(marks, Controller::ArgoRollouts, "", &evidence))
}

/// Charts set `app.kubernetes.io/instance` too: it names an Application only beside Argo CD's own
/// field manager, which is there whenever Argo CD has written.
fn argo_cd(marks: Marks<'_>) -> Option<Owner> {
    let (application, evidence) = if let Some(application) = tracking_application(marks) {
        (application, annotation(TRACKING_ID))
    } else if let Some(application) = marks.label(ARGO_CD_INSTANCE) {
        (application, label(ARGO_CD_INSTANCE))
    } else {
        let manager = marks.manager(&ARGO_CD_MANAGERS)?;
        (marks.label(INSTANCE).unwrap_or_default(), field_manager(manager.name))
    };
    // Outside Argo CD's own namespace an Application is called NAMESPACE_NAME, and `_` is in no name.
    let name = application.replacen('_', "/", 1);
    Some(Owner::new(marks, Controller::ArgoCd, &name, &evidence))
}

/// Returns the Application of a tracking ID that is about this object. Argo CD ignores the others:
/// they are copies, made by controllers that pass annotations on.
fn tracking_application(marks: Marks<'_>) -> Option<&str> {
    let (application, tracked) = marks.annotation(TRACKING_ID)?.split_once(':')?;
    let [namespace, name] = ["/metadata/namespace", "/metadata/name"].map(|at| text(marks.0, at));
    (tracked == format!("{ISTIO_GROUP}/VirtualService:{namespace}/{name}")).then_some(application)
}

/// Flux leaves an object alone that says so itself, whatever its labels.
fn kustomization(marks: Marks<'_>) -> Option<Owner> {
    let left_alone = [("reconcile", "disabled"), ("ssa", "Ignore"), ("ssa", "IfNotPresent")];
    if left_alone.iter().any(|(key, value)| marks.says(&format!("{KUSTOMIZE}/{key}"), value)) {
        return None;
    }
    flux(marks, Controller::Kustomization, KUSTOMIZE, KUSTOMIZE_MANAGER)
}

fn helm_release(marks: Marks<'_>) -> Option<Owner> {
    flux(marks, Controller::HelmRelease, HELM_RELEASE, HELM_RELEASE_MANAGER)
}

fn flux(marks: Marks<'_>, controller: Controller, group: &str, manager: &str) -> Option<Owner> {
    let key = format!("{group}/name");
    if let Some(name) = marks.label(&key) {
        let name = qualified(marks.label(&format!("{group}/namespace")), name);
        return Some(Owner::new(marks, controller, &name, &label(&key)));
    }
    let evidence = field_manager(marks.manager(&[manager])?.name);
    Some(Owner::new(marks, controller, "", &evidence))
}

/// The label alone is in every rendering of a chart, whoever applies it; it counts when nobody else
/// explains it. Flux's HelmRelease runs Helm itself.
fn helm(marks: Marks<'_>, owners: &[Owner], applied: &[Owner]) -> Option<Owner> {
    if owners.iter().any(|owner| owner.controller == Controller::HelmRelease) {
        return None;
    }
    // An upgrade with the other method leaves the entry of the one before.
    let entries = marks.managers().filter(|manager| manager.name == HELM_MANAGER);
    let latest = entries.max_by_key(|manager| manager.time);
    let method = latest.map_or(Method::ClientSide, |manager| manager.method);
    if let Some(release) = marks.annotation(RELEASE_NAME) {
        let name = qualified(marks.annotation(RELEASE_NAMESPACE), release);
        return Some(Owner::new(marks, Controller::Helm(method), &name, &annotation(RELEASE_NAME)));
    }
    let managed_by = "app.kubernetes.io/managed-by";
    let unexplained = owners.is_empty() && applied.is_empty();
    (unexplained && marks.label(managed_by) == Some("Helm"))
        .then(|| Owner::new(marks, Controller::Helm(method), "", &label(managed_by)))
}

fn kiali(marks: Marks<'_>) -> Option<Owner> {
    let wizard = marks.label(KIALI_WIZARD)?;
    Some(Owner::new(marks, Controller::Kiali, wizard, &label(KIALI_WIZARD)))
}

/// Who else applies a spec. Who applies any of it counts: a shift takes the routes over, so that
/// after the first one the others no longer own them, but will apply them again.
fn applied(marks: Marks<'_>, owners: &[Owner]) -> Vec<Owner> {
    let known = [FIELD_MANAGER, KUSTOMIZE_MANAGER, HELM_RELEASE_MANAGER, HELM_MANAGER];
    let applies_spec = |manager: &Manager<'_>| {
        manager.method == Method::ServerSide && manager.fields.get("f:spec").is_some()
    };
    // One entry per API version: the same name may come twice.
    let names: BTreeSet<&str> =
        marks.managers().filter(applies_spec).map(|manager| manager.name).collect();
    let others =
        names.into_iter().filter(|name| !known.contains(name) && !ARGO_CD_MANAGERS.contains(name));
    let server_side = Controller::Apply(Method::ServerSide);
    let mut applied: Vec<Owner> =
        others.map(|name| Owner::new(marks, server_side, name, &field_manager(name))).collect();
    // Argo CD writes the annotation as well; kubectl keeps it up to date in server-side apply.
    let explained = owners.iter().any(|owner| owner.controller == Controller::ArgoCd)
        || applied.iter().any(|owner| owner.name == KUBECTL_MANAGER);
    if !explained && last_applied_has_routes(marks) {
        let client_side = Controller::Apply(Method::ClientSide);
        applied.push(Owner::new(marks, client_side, "", &annotation(LAST_APPLIED)));
    }
    applied
}

/// Lists are replaced as a whole, so a file with any route puts back what stands beside it too.
fn last_applied_has_routes(marks: Marks<'_>) -> bool {
    let read = |file: &str| serde_json::from_str::<Value>(file).ok();
    marks.annotation(LAST_APPLIED).and_then(read).is_some_and(|file| {
        let routes = ["/spec/http", "/spec/tcp", "/spec/tls"].map(|at| list(&file, at));
        routes.into_iter().flatten().any(|route| !list(route, "/route").is_empty())
    })
}

/// What the metadata of an object says.
#[derive(Clone, Copy)]
struct Marks<'a>(&'a Value);

/// One of `metadata.managedFields`, without those of subresources.
struct Manager<'a> {
    name: &'a str,
    method: Method,
    /// RFC 3339 in UTC, so that later is greater; may be empty.
    time: &'a str,
    fields: &'a Value,
}

impl<'a> Marks<'a> {
    fn annotation(self, key: &str) -> Option<&'a str> {
        self.0["metadata"]["annotations"][key].as_str().filter(|value| !value.is_empty())
    }

    fn label(self, key: &str) -> Option<&'a str> {
        self.0["metadata"]["labels"][key].as_str().filter(|value| !value.is_empty())
    }

    /// Returns whether a label or an annotation has this value, in any case, as Flux compares them.
    fn says(self, key: &str, value: &str) -> bool {
        let found = [self.label(key), self.annotation(key)];
        found.into_iter().flatten().any(|each| each.eq_ignore_ascii_case(value))
    }

    fn managers(self) -> impl Iterator<Item = Manager<'a>> {
        let entries = list(self.0, "/metadata/managedFields").iter();
        entries.filter(|entry| entry["subresource"].as_str().is_none_or(str::is_empty)).filter_map(
            |entry| {
                let method = match entry["operation"].as_str()? {
                    "Apply" => Method::ServerSide,
                    _ => Method::ClientSide,
                };
                Some(Manager {
                    name: entry["manager"].as_str()?,
                    method,
                    time: entry["time"].as_str().unwrap_or_default(),
                    fields: &entry["fieldsV1"],
                })
            },
        )
    }

    fn manager(self, names: &[&str]) -> Option<Manager<'a>> {
        self.managers().find(|manager| names.contains(&manager.name))
    }
}

fn annotation(key: &str) -> String {
    format!("annotation {key}")
}

fn label(key: &str) -> String {
    format!("label {key}")
}

fn field_manager(name: &str) -> String {
    format!("field manager {name}")
}

fn qualified(namespace: Option<&str>, name: &str) -> String {
    namespace.map_or_else(|| name.to_owned(), |namespace| format!("{namespace}/{name}"))
}

#[cfg(test)]
mod tests;
