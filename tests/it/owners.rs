//! Who manages a VirtualService, on the recorded objects of tests/owners.

#[path = "../owners/recorded.rs"]
mod recorded;

use std::collections::BTreeMap;

use kubia::domain::shift::owner::{Owner, Stance, owners};
use serde_json::Value;

use self::recorded::{ExpectedOwner, Recorded, documents, without, without_weights};

impl ExpectedOwner {
    fn of(owner: &Owner) -> Self {
        let stance = match owner.stance {
            Stance::Refused => "refused",
            Stance::Warned => "warned",
            Stance::Agreed => "agreed",
        };
        Self {
            says: owner.consequence(),
            evidence: owner.evidence.clone(),
            stance: stance.to_owned(),
        }
    }
}

#[test]
fn owners_of_every_recorded_object_are_recognised_and_nobody_else() {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let owner_names =
        ["argo-cd", "argo-rollouts", "flagger", "flux", "helm", "kiali", "kubectl", "nobody"];
    for Recorded { name, expected, object } in recorded::all() {
        assert!(!expected.about.is_empty() && !expected.source.is_empty(), "{name}");
        let found: Vec<_> = owners(&object).iter().map(ExpectedOwner::of).collect();
        assert_eq!(found, expected.owners, "{name}");
        let owner = owner_names.into_iter().find(|each| name.starts_with(each));
        let owner = owner.unwrap_or_else(|| panic!("{name} does not begin with an owner's name"));
        assert_eq!(found.is_empty(), owner == "nobody", "{name}");
        *counts.entry(owner).or_default() += 1;
    }
    assert_eq!(counts.len(), owner_names.len(), "{counts:?}");
    assert!(counts.values().all(|count| *count >= 2), "{counts:?}");
}

#[test]
fn argo_cd_and_flux_alone_have_a_rule_and_it_names_their_object_and_ours() {
    for Recorded { name, object, .. } in recorded::all() {
        for owner in owners(&object) {
            let Some(snippet) = owner.snippet(&object) else {
                assert!(!name.starts_with("argo-cd") && !name.starts_with("flux"), "{name}");
                continue;
            };
            let [rule, ours] = documents(&snippet);
            let metadata = ["namespace", "name"].map(|key| rule["metadata"][key].as_str());
            let found: Vec<&str> = metadata.into_iter().flatten().collect();
            assert_eq!(found.join("/"), owner.name, "{name}: {snippet}");
            for key in ["namespace", "name"] {
                assert_eq!(ours["metadata"][key], object["metadata"][key], "{name}");
            }
            // What the snippet writes is what makes the owner agree.
            let mut told = object.clone();
            told["metadata"]["annotations"] = ours["metadata"]["annotations"].clone();
            let told = owners(&told);
            assert!(told.iter().any(|each| each.stance == Stance::Agreed), "{name}: {told:?}");
        }
    }
}

#[test]
fn flux_ignores_exactly_the_weights_of_divided_routes_and_our_history() {
    let mut checked = 0;
    for Recorded { name, object, .. } in recorded::all() {
        for snippet in owners(&object).iter().filter_map(|owner| owner.snippet(&object)) {
            let [rule, _] = documents(&snippet);
            let rules = ["/spec/ignore", "/spec/driftDetection/ignore"];
            let Some(rules) = rules.iter().find_map(|at| rule.pointer(at)) else { continue };
            let [rule] = rules.as_array().unwrap().as_slice() else { panic!("{name}: {rules}") };
            let found: Value = without(&object, &rule["paths"]);
            assert_eq!(found, without_weights(&object, 2), "{name}");
            checked += 1;
        }
    }
    assert!(checked >= 4, "{checked}");
}

/// The first owner's snippet of a recorded object.
fn snippet(name: &str) -> String {
    let recorded = recorded::all().into_iter().find(|each| each.name == name).unwrap();
    owners(&recorded.object)[0].snippet(&recorded.object).unwrap()
}

#[test]
fn rules_are_shown_as_they_are_committed() {
    let names = ["argo-cd-any-namespace", "flux-kustomization", "flux-helm-release"];
    insta::assert_snapshot!(names.map(snippet).join("\n"));
}
