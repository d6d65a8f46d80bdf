use proptest::prelude::*;
use serde_json::json;

use super::*;

fn virtual_service(metadata: &Value) -> Value {
    let mut object = json!({
        "metadata": {"namespace": "shop", "name": "reviews"},
        "spec": {"http": [{"route": [{"weight": 1}, {"weight": 2}]}]},
    });
    for (key, value) in metadata.as_object().into_iter().flatten() {
        object["metadata"][key] = value.clone();
    }
    object
}

#[track_caller]
fn check(metadata: &Value, expected: &[(Controller, &str, Stance)]) {
    let found = owners(&virtual_service(metadata));
    let found: Vec<_> =
        found.iter().map(|owner| (owner.controller, owner.name.as_str(), owner.stance)).collect();
    assert_eq!(found, expected);
}

#[test]
fn an_annotation_overrules_argo_cd_and_flux_and_nobody_else() {
    let labels = json!({
        "argocd.argoproj.io/instance": "web",
        "kustomize.toolkit.fluxcd.io/name": "apps",
        "kiali_wizard": "traffic_shifting",
    });
    let managers = json!([{"manager": "rollouts-controller", "operation": "Update"}]);
    for (value, stance) in [("manual", Stance::Agreed), ("Manual", Stance::Refused)] {
        check(
            &json!({"labels": labels, "managedFields": managers,
                    "annotations": {WEIGHTS_ANNOTATION: value}}),
            &[
                (Controller::ArgoRollouts, "", Stance::Refused),
                (Controller::ArgoCd, "web", stance),
                (Controller::Kustomization, "apps", stance),
                (Controller::Kiali, "traffic_shifting", Stance::Warned),
            ],
        );
    }
}

#[test]
fn whoever_applies_any_of_the_spec_is_named_once() {
    let entry = |manager: &str, operation: &str, fields: Value| json!({"manager": manager, "operation": operation, "fieldsV1": fields});
    check(
        &json!({"managedFields": [
            entry("Terraform", "Apply", json!({"f:spec": {"f:hosts": {}}})),
            entry("Terraform", "Apply", json!({"f:spec": {"f:http": {}}})),
            entry("labeller", "Apply", json!({"f:metadata": {"f:labels": {}}})),
            entry("kubectl-edit", "Update", json!({"f:spec": {"f:http": {}}})),
            entry(FIELD_MANAGER, "Apply", json!({"f:spec": {"f:http": {}}})),
        ]}),
        &[(Controller::Apply(Method::ServerSide), "Terraform", Stance::Warned)],
    );
}

#[test]
fn helm_applies_as_it_did_last() {
    let entry = |operation: &str, time: &str| json!({"manager": "helm", "operation": operation, "time": time});
    let [older, newer] = ["2026-11-24T09:00:00Z", "2026-11-24T10:00:00Z"];
    for (managers, method) in [
        (json!([entry("Apply", newer), entry("Update", older)]), Method::ServerSide),
        (json!([entry("Apply", older), entry("Update", newer)]), Method::ClientSide),
        (json!([]), Method::ClientSide),
    ] {
        check(
            &json!({"annotations": {RELEASE_NAME: "web"}, "managedFields": managers}),
            &[(Controller::Helm(method), "web", Stance::Warned)],
        );
    }
}

#[test]
fn a_tracking_id_counts_for_the_object_it_names() {
    let about = |tracked: &str| json!({"annotations": {TRACKING_ID: tracked}});
    check(
        &about("web:networking.istio.io/VirtualService:shop/reviews"),
        &[(Controller::ArgoCd, "web", Stance::Refused)],
    );
    for other in [
        "web:networking.istio.io/VirtualService:shop/ratings",
        "web:networking.istio.io/DestinationRule:shop/reviews",
        "web:networking.istio.io/VirtualService:reviews",
        "web",
        "",
    ] {
        check(&about(other), &[]);
    }
}

#[test]
fn misshapen_metadata_has_no_owner() {
    for metadata in [
        json!({"labels": [], "annotations": 1, "ownerReferences": {}, "managedFields": "x"}),
        json!({"ownerReferences": [1, {"kind": "Canary"}], "managedFields": [{}, {"manager": 1}]}),
        json!({"annotations": {LAST_APPLIED: "{", TRACKING_ID: 7}}),
    ] {
        check(&metadata, &[]);
    }
    for object in [json!(null), json!([]), json!({"metadata": "x"})] {
        assert_eq!(owners(&object), []);
    }
}

#[test]
fn names_that_yaml_takes_for_something_else_are_quoted() {
    for name in ["on", "y", "null", "0777", "1e3", "2001-01-01", "true"] {
        let object = json!({"metadata": {
            "namespace": name, "name": name,
            "labels": {"kustomize.toolkit.fluxcd.io/name": name},
        }});
        let snippet = owners(&object)[0].snippet(&object).expect("Flux has a rule");
        let quoted = [format!("name: \"{name}\""), format!("name: '{name}'")];
        let names = snippet.lines().filter(|line| line.trim_start().starts_with("name: "));
        for line in names.map(str::trim) {
            assert!(quoted.iter().any(|each| each == line), "{line}");
        }
    }
}

proptest! {
    #[test]
    fn hostile_names_stay_names(
        name in ".{1,300}", namespace in any::<String>(), key in 0usize..6,
    ) {
        let key = [
            TRACKING_ID, ARGO_CD_INSTANCE, RELEASE_NAME, KIALI_WIZARD,
            "kustomize.toolkit.fluxcd.io/name", "helm.toolkit.fluxcd.io/name",
        ][key];
        let tracked = format!("{name}:{ISTIO_GROUP}/VirtualService:{namespace}/{name}");
        let mark = if key == TRACKING_ID { &tracked } else { &name };
        let object = json!({
            "metadata": {"namespace": namespace, "name": name, "labels": {key: mark},
                         "annotations": {key: mark},
                         "managedFields": [{"manager": name, "operation": "Apply",
                                            "fieldsV1": {"f:spec": {}}}]},
            "spec": {"http": [{"route": [{}, {}]}]},
        });
        for owner in owners(&object) {
            let shown = format!("{} {}", owner.consequence(), owner.evidence);
            prop_assert_eq!(Printable(&shown).to_string(), shown);
            let Some(snippet) = owner.snippet(&object) else { continue };
            for line in snippet.lines() {
                prop_assert_eq!(Printable(line).to_string(), line);
            }
            let documents: Vec<Value> = serde_saphyr::from_multiple(&snippet).unwrap();
            prop_assert_eq!(documents.len(), 2);
            let found = &documents[1]["metadata"]["name"];
            prop_assert_eq!(found, &json!(Printable(&name).to_string()));
        }
    }
}
