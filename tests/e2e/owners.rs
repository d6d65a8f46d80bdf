//! What is printed for Argo CD and Flux, before their own resource definitions on a real API server,
//! and before Argo CD's own jq.

#[path = "../owners/recorded.rs"]
#[expect(dead_code, reason = "tests/it uses the rest")]
mod recorded;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use http::{Method, StatusCode};
use kubia::domain::shift::owner::{Controller, owners};
use serde_json::{Value, json};

use self::recorded::{Recorded, documents, without, without_weights};
use crate::support::{
    http::{Http, Response},
    namespace::{ISTIO, Namespace},
    process,
    sandbox::Sandbox,
    wait::{holds, wait_for},
};

/// A file that `tests/owners/build.sh` makes.
fn built(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/owners").join(name);
    assert!(path.is_file(), "{} is missing: tests/owners/build.sh makes it", path.display());
    path
}

/// The resource definitions of Argo CD and Flux, as long as the value lives.
struct Definitions<'a>(&'a Sandbox);

impl<'a> Definitions<'a> {
    fn install(sandbox: &'a Sandbox) -> Self {
        let definitions = Self(sandbox);
        // On the server: the definition of Applications is too long for kubectl's annotation.
        definitions.kubectl(&["apply", "--server-side"]).exits(0);
        // Not `kubectl wait`, which fails on an object that has no conditions yet.
        let admin = Http::of_kubeconfig(&sandbox.admin_kubeconfig());
        for controller in [Controller::ArgoCd, Controller::Kustomization, Controller::HelmRelease] {
            let (api, plural, _) = kind(controller);
            wait_for(&format!("{plural} to be served"), || {
                let response = admin.get(&format!("{api}/{plural}"));
                holds(response.status == StatusCode::OK, || response.body)
            });
        }
        definitions
    }

    fn kubectl(&self, arguments: &[&str]) -> process::Output {
        let file = built("definitions.yaml");
        let file = ["-f", file.to_str().expect("the path is text")];
        self.0.kubectl().run(&[arguments, &file[..]].concat())
    }
}

impl Drop for Definitions<'_> {
    fn drop(&mut self) {
        self.kubectl(&["delete", "--wait=false"]);
    }
}

/// Where an owner's kind is served, and what its object needs besides our rule.
fn kind(controller: Controller) -> (&'static str, &'static str, Value) {
    let repository = json!({"kind": "GitRepository", "name": "apps"});
    match controller {
        Controller::ArgoCd => (
            "/apis/argoproj.io/v1alpha1",
            "applications",
            json!({
                "project": "default",
                "destination": {"server": "https://kubernetes.default.svc", "namespace": "shop"},
                "source": {"repoURL": "https://git.example/shop", "path": "."},
            }),
        ),
        Controller::Kustomization => (
            "/apis/kustomize.toolkit.fluxcd.io/v1",
            "kustomizations",
            json!({"interval": "10m", "prune": true, "sourceRef": repository}),
        ),
        Controller::HelmRelease => (
            "/apis/helm.toolkit.fluxcd.io/v2",
            "helmreleases",
            json!({"interval": "10m", "chart": {"spec": {"chart": "web", "sourceRef": repository}}}),
        ),
        other => panic!("{other:?} has no rule"),
    }
}

/// Asks the server to check an object with all its fields, and to keep nothing.
fn check(namespace: &Namespace<'_>, api: &str, plural: &str, object: &Value) -> Response {
    let path = namespace.path(api, plural) + "?dryRun=All&fieldValidation=Strict";
    let mut object = object.clone();
    object["metadata"]["namespace"] = json!(namespace.name());
    namespace.admin().send_json(Method::POST, &path, "application/json", &object)
}

#[test]
fn snippets_are_valid_parts_of_their_owners_objects() {
    let sandbox = Sandbox::shared();
    let namespace = Namespace::new(sandbox);
    let _definitions = Definitions::install(sandbox);
    let mut checked = Vec::new();
    for Recorded { name, object, .. } in recorded::all() {
        for owner in owners(&object) {
            let Some(snippet) = owner.snippet(&object) else { continue };
            let [mut rule, _] = documents(&snippet);
            let (api, plural, rest) = kind(owner.controller);
            for (key, value) in rest.as_object().expect("the rest is an object") {
                assert_eq!(rule["spec"].get(key), None, "{name}: {snippet}");
                rule["spec"][key] = value.clone();
            }
            if owner.name.is_empty() {
                rule["metadata"] = json!({"name": "unknown"});
            }
            let answer = check(&namespace, api, plural, &rule);
            assert_eq!(answer.status, StatusCode::CREATED, "{name}: {}\n{snippet}", answer.body);

            // The server would have told of any word that is not its own.
            let mistyped = rule.to_string().replace("\"kind\":\"Virtual", "\"kinds\":\"Virtual");
            let mistyped = serde_json::from_str(&mistyped).expect("it still is JSON");
            let answer = check(&namespace, api, plural, &mistyped);
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{name}: {}", answer.body);
            assert!(answer.body.contains("unknown field"), "{name}: {}", answer.body);
            checked.push(plural);
        }
    }
    for plural in ["applications", "kustomizations", "helmreleases"] {
        assert!(checked.contains(&plural), "{plural}: {checked:?}");
    }
}

#[test]
fn recorded_objects_are_virtual_services_and_take_the_annotation() {
    let namespace = Namespace::new(Sandbox::shared());
    for Recorded { name, object, .. } in recorded::all() {
        let mut annotations = object["metadata"]["annotations"].clone();
        for snippet in owners(&object).iter().filter_map(|owner| owner.snippet(&object)) {
            let [_, ours] = documents(&snippet);
            let ours = ours["metadata"]["annotations"].as_object().cloned().expect("it has some");
            for (key, value) in ours {
                annotations[key] = value;
            }
        }
        let sent = json!({
            "apiVersion": "networking.istio.io/v1",
            "kind": "VirtualService",
            "metadata": {
                "name": object["metadata"]["name"],
                "labels": object["metadata"]["labels"],
                "annotations": annotations,
            },
            "spec": object["spec"],
        });
        let answer = check(&namespace, ISTIO, "virtualservices", &sent);
        assert_eq!(answer.status, StatusCode::CREATED, "{name}: {}", answer.body);
    }
}

/// What Argo CD's jq leaves of an object, for an expression of `jqPathExpressions`.
fn deleted(object: &Value, expression: &Value) -> Value {
    let expression = expression.as_str().expect("an expression is text");
    let mut command = Command::new(built("gojq"));
    command.args(["--compact-output", &format!("del({expression})")]);
    process::run_with_input(&mut command, &object.to_string()).exits(0).json()
}

#[test]
fn argo_cd_ignores_exactly_the_weights_and_our_history() {
    let mut checked = 0;
    for Recorded { name, object, .. } in recorded::all() {
        for owner in owners(&object) {
            if owner.controller != Controller::ArgoCd {
                continue;
            }
            let snippet = owner.snippet(&object).expect("Argo CD has a rule");
            let [rule, _] = documents(&snippet);
            let rules = rule["spec"]["ignoreDifferences"].as_array().expect("a list of rules");
            let [rule] = rules.as_slice() else { panic!("{name}: {snippet}") };
            let expressions = rule["jqPathExpressions"].as_array().expect("a list of expressions");
            let found = expressions
                .iter()
                .fold(object.clone(), |object, expression| deleted(&object, expression));
            let found = without(&found, &rule["jsonPointers"]);
            assert_eq!(found, without_weights(&object, 1), "{name}");
            checked += 1;
        }
    }
    assert!(checked >= 4, "{checked}");
}
