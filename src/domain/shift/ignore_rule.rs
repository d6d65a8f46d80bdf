//! The rules by which Argo CD and Flux leave weights alone, as YAML to commit.
//!
//! Each rule says in a comment what it costs: none of them ignores the weights and nothing else.

use serde_json::{Value, json};

use crate::domain::{
    object::ISTIO_GROUP,
    shift::{
        history::POINTER,
        owner::{Controller, MANUAL, Owner, WEIGHTS_ANNOTATION},
    },
    snapshot::{list, text},
    text::Printable,
};

const PROTOCOLS: [&str; 3] = ["http", "tcp", "tls"];

/// Argo CD merges lists of custom resources as a whole: argoproj/argo-cd#17694.
const ARGO_CD: &str = "\
# Add this to the Application. With it a sync takes all routes from the cluster: to change a route
# in Git, leave RespectIgnoreDifferences out for one sync, which also applies the weights of Git.
";

/// Flux replaces the values at these paths by what is at the same paths in the cluster, and fails the
/// whole Kustomization over a path that only one of the two has: fluxcd/pkg, `ssa/manager_apply.go`.
const KUSTOMIZATION: &str = "\
# Add this to the Kustomization; it needs Flux 2.9. Git must have every weight listed here, also a
# weight of 0. The paths are positions: before routes or destinations are added or moved in Git, take
# the rule out, and put in afterwards what is printed then. Older Flux has no such rule: there,
# annotate the VirtualService in Git with kustomize.toolkit.fluxcd.io/ssa: IfNotPresent, and Flux
# never changes any of it again.
";

const HELM_RELEASE: &str = "\
# Add this to the HelmRelease. It holds for drift; an upgrade can still put the chart's weights back.
";

const VIRTUAL_SERVICE: &str = "\
# Add this to the VirtualService, where it is committed.
";

/// Returns the rule for an owner's object and the annotation for the VirtualService, two documents.
pub(super) fn snippet(owner: &Owner, virtual_service: &Value) -> Option<String> {
    let (note, api_version, kind, spec) = match owner.controller {
        Controller::ArgoCd => {
            (ARGO_CD, "argoproj.io/v1alpha1", "Application", application(virtual_service))
        }
        Controller::Kustomization => (
            KUSTOMIZATION,
            "kustomize.toolkit.fluxcd.io/v1",
            "Kustomization",
            json!({ "ignore": flux_rules(virtual_service) }),
        ),
        Controller::HelmRelease => (
            HELM_RELEASE,
            "helm.toolkit.fluxcd.io/v2",
            "HelmRelease",
            json!({ "driftDetection": { "ignore": flux_rules(virtual_service) } }),
        ),
        Controller::Flagger
        | Controller::ArgoRollouts
        | Controller::Helm(_)
        | Controller::Kiali
        | Controller::Apply(_) => return None,
    };
    let mut object = json!({ "apiVersion": api_version, "kind": kind, "spec": spec });
    if !owner.name.is_empty() {
        object["metadata"] = metadata(&owner.name);
    }
    let rule = serde_saphyr::to_string(&object).ok()?;
    let annotation = serde_saphyr::to_string(&manual(virtual_service)).ok()?;
    Some(format!("{note}{}\n---\n{VIRTUAL_SERVICE}{annotation}", rule.trim_end()))
}

/// A name with its namespace before it, or alone.
fn metadata(name: &str) -> Value {
    match name.split_once('/') {
        Some((namespace, name)) => json!({
            "name": Printable(name).to_string(),
            "namespace": Printable(namespace).to_string(),
        }),
        None => json!({ "name": Printable(name).to_string() }),
    }
}

fn manual(virtual_service: &Value) -> Value {
    let [name, namespace] = address(virtual_service);
    json!({
        "kind": "VirtualService",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "annotations": { WEIGHTS_ANNOTATION: MANUAL },
        },
    })
}

fn application(virtual_service: &Value) -> Value {
    let [name, namespace] = address(virtual_service);
    // `?` where there is no such list: an expression that fails ignores nothing.
    let weights = PROTOCOLS.map(|protocol| format!(".spec.{protocol}[]?.route[]?.weight"));
    json!({
        "ignoreDifferences": [{
            "group": ISTIO_GROUP,
            "kind": "VirtualService",
            "name": name,
            "namespace": namespace,
            "jqPathExpressions": weights,
            "jsonPointers": [POINTER],
        }],
        "syncPolicy": { "syncOptions": ["RespectIgnoreDifferences=true"] },
    })
}

/// Flux takes JSON pointers, which have no wildcards, and regular expressions for names.
fn flux_rules(virtual_service: &Value) -> Value {
    let [name, namespace] = address(virtual_service).map(|each| escaped(&each));
    let mut paths = weights(virtual_service);
    paths.push(POINTER.to_owned());
    json!([{
        "paths": paths,
        "target": {
            "group": ISTIO_GROUP,
            "kind": "VirtualService",
            "name": name,
            "namespace": namespace,
        },
    }])
}

/// Returns where the weights are of all routes that have more than one destination.
fn weights(virtual_service: &Value) -> Vec<String> {
    let mut paths = Vec::new();
    for protocol in PROTOCOLS {
        for (index, route) in list(virtual_service, &format!("/spec/{protocol}")).iter().enumerate()
        {
            let destinations = list(route, "/route").len();
            let route = format!("/spec/{protocol}/{index}/route");
            let divided = (0..destinations).filter(|_| destinations > 1);
            paths.extend(divided.map(|destination| format!("{route}/{destination}/weight")));
        }
    }
    paths
}

/// Returns name and namespace, safe for a terminal.
fn address(virtual_service: &Value) -> [String; 2] {
    ["/metadata/name", "/metadata/namespace"]
        .map(|at| Printable(&text(virtual_service, at)).to_string())
}

/// Returns a regular expression that matches this text alone.
fn escaped(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for character in text.chars() {
        if !character.is_alphanumeric() && !matches!(character, '-' | '_') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}
