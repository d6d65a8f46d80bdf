//! Decides how a VirtualService changes when shares are asked for.

use json_patch::{AddOperation, Patch, PatchOperation, TestOperation, jsonptr::PointerBuf};
use serde_json::Value;

use super::{
    object::ObjectRef,
    plan::{Action, Operation},
    route::Route,
    snapshot::{Subset, list},
    split::{self, Percent, SplitError},
    text::Printable,
};

/// What a shift was asked to do: shares for versions, in the order given.
pub type Wanted = [(String, Percent)];

/// A shift that has been decided: the route, its weights before and after, and the write.
#[derive(Clone, Debug, PartialEq)]
pub struct Shift {
    /// The VirtualService.
    pub object: ObjectRef,
    /// Position of the route in `spec.http`.
    pub route: usize,
    /// One entry per destination of the route, in order.
    pub changes: Vec<Change>,
    /// What has to be written; nothing when the shares are right already.
    pub action: Option<Action>,
}

/// How the weight of one destination changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The version the destination stands for.
    pub version: String,
    /// `destination.subset`, empty when the whole host is meant.
    pub subset: String,
    /// `destination.host`, as a full name.
    pub host: String,
    /// Share before, in percent.
    pub from: f64,
    /// Share after, in percent.
    pub to: f64,
    /// Weight before.
    pub weight_before: u32,
    /// Weight after.
    pub weight_after: u32,
}

/// Why a shift cannot be planned.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum ShiftError {
    /// No HTTP route divides requests.
    #[error("{object} has no HTTP route with more than one destination")]
    NoWeightedRoute {
        /// The VirtualService.
        object: ObjectRef,
    },
    /// More than one route divides requests.
    #[error("{object} has {} weighted routes: {}", .routes.len(), .routes.join(", "))]
    SeveralRoutes {
        /// The VirtualService.
        object: ObjectRef,
        /// The routes, by name or by `#index`.
        routes: Vec<String>,
    },
    /// A version that no destination of the route stands for.
    #[error("{object} has no route to version {}; it has {}", Printable(.version), .known.join(", "))]
    UnknownVersion {
        /// The VirtualService.
        object: ObjectRef,
        /// What was asked for.
        version: String,
        /// The versions the route has.
        known: Vec<String>,
    },
    /// A version that several destinations stand for.
    #[error("version {} means several destinations of {object}", Printable(.version))]
    AmbiguousVersion {
        /// The VirtualService.
        object: ObjectRef,
        /// What was asked for.
        version: String,
    },
    /// Shares that do not lead to weights.
    #[error("{object}: {source}")]
    Split {
        /// The VirtualService.
        object: ObjectRef,
        /// Why.
        source: SplitError,
    },
}

/// Plans a shift of `virtual_service` to the `wanted` shares.
///
/// The write is one JSON Patch: a `test` of `/spec/http/N/route` as it was read, then the weights
/// that change. So whatever else happened to that route meanwhile, nothing is overwritten.
///
/// # Errors
/// [`ShiftError`] when it is not clear what is meant, or the shares cannot be met.
pub fn plan(
    object: &ObjectRef,
    virtual_service: &Value,
    subsets: &[Subset],
    wanted: &Wanted,
) -> Result<Shift, ShiftError> {
    let route = weighted_route(object, virtual_service)?;
    let named = wanted
        .iter()
        .map(|(version, share)| Ok((find(object, &route, subsets, version)?, *share)))
        .collect::<Result<Vec<_>, ShiftError>>()?;
    let before = route.weights();
    let after = split::divide(&before, &named)
        .map_err(|source| ShiftError::Split { object: object.clone(), source })?;
    let unchanged = split::same_shares(&before, &after);
    let after = if unchanged { before.clone() } else { after };
    let action = (!unchanged).then(|| Action {
        object: object.clone(),
        operation: Operation::JsonPatch(patch(virtual_service, route.index, &before, &after)),
    });
    Ok(Shift {
        object: object.clone(),
        route: route.index,
        changes: changes(&route, subsets, &after),
        action,
    })
}

/// Returns the one route whose weights can be meant.
fn weighted_route(object: &ObjectRef, virtual_service: &Value) -> Result<Route, ShiftError> {
    let mut routes = Route::read_all(virtual_service);
    routes.retain(|route| route.destinations.len() > 1);
    match routes.len() {
        0 => Err(ShiftError::NoWeightedRoute { object: object.clone() }),
        1 => Ok(routes.remove(0)),
        _ => Err(ShiftError::SeveralRoutes {
            object: object.clone(),
            routes: routes.iter().map(route_name).collect(),
        }),
    }
}

fn route_name(route: &Route) -> String {
    match route.name.as_str() {
        "" => format!("#{}", route.index),
        name => Printable(name).to_string(),
    }
}

fn find(
    object: &ObjectRef,
    route: &Route,
    subsets: &[Subset],
    version: &str,
) -> Result<usize, ShiftError> {
    let called = |index: &usize| route.destinations[*index].is_called(version, subsets);
    let found: Vec<usize> = (0..route.destinations.len()).filter(called).collect();
    let (object, version) = (object.clone(), version.to_owned());
    match found.as_slice() {
        [index] => Ok(*index),
        [] => {
            let known = route.destinations.iter().map(|each| each.version(subsets));
            let known = known.map(|each| Printable(each).to_string()).collect();
            Err(ShiftError::UnknownVersion { object, version, known })
        }
        _ => Err(ShiftError::AmbiguousVersion { object, version }),
    }
}

fn changes(route: &Route, subsets: &[Subset], after: &[u32]) -> Vec<Change> {
    let (from, to) = (route.shares(), split::shares(after));
    let destinations = route.destinations.iter().enumerate();
    destinations
        .map(|(index, destination)| Change {
            version: destination.version(subsets).to_owned(),
            subset: destination.subset.clone(),
            host: destination.host.clone(),
            from: from[index],
            to: to[index],
            weight_before: destination.weight,
            weight_after: after[index],
        })
        .collect()
}

fn patch(virtual_service: &Value, route: usize, before: &[u32], after: &[u32]) -> Patch {
    let path = format!("/spec/http/{route}/route");
    let read = list(virtual_service, &path);
    let mut operations = vec![PatchOperation::Test(TestOperation {
        path: pointer(&path),
        value: Value::Array(read.to_vec()),
    })];
    let changed = (0..after.len()).filter(|index| before[*index] != after[*index]);
    operations.extend(changed.map(|index| {
        // `add` sets a weight whether or not there is one; `replace` fails where it is omitted.
        PatchOperation::Add(AddOperation {
            path: pointer(&format!("{path}/{index}/weight")),
            value: after[index].into(),
        })
    }));
    Patch(operations)
}

fn pointer(path: &str) -> PointerBuf {
    PointerBuf::parse(path.to_owned()).expect("a path of field names and numbers is a JSON pointer")
}

/// Returns the path of the first tested value that differs in the object as it is now.
///
/// A failed `test` is answered by a 422 that names nothing, so a conflict has to be found by reading again.
#[must_use]
pub fn conflict(action: &Action, now: &Value) -> Option<String> {
    let Operation::JsonPatch(Patch(operations)) = &action.operation else { return None };
    operations.iter().find_map(|operation| match operation {
        PatchOperation::Test(test) if now.pointer(test.path.as_str()) != Some(&test.value) => {
            Some(test.path.to_string())
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::domain::object::Kind;

    const HOST: &str = "kubia-service.default.svc.cluster.local";

    fn object() -> ObjectRef {
        ObjectRef::new(Kind::VirtualService, "default", "kubia-vs")
    }

    fn virtual_service(weights: &[Option<u32>]) -> Value {
        let route: Vec<Value> = weights
            .iter()
            .enumerate()
            .map(|(index, weight)| {
                let mut each = json!({
                    "destination": {"host": "kubia-service", "subset": format!("dr-v{}", index + 1)},
                    "headers": {"response": {"set": {"unknown": "field"}}},
                });
                if let Some(weight) = weight {
                    each["weight"] = json!(weight);
                }
                each
            })
            .collect();
        json!({"metadata": {"namespace": "default", "name": "kubia-vs"},
               "spec": {"hosts": ["*"], "http": [{"fault": {}}, {"route": route}]}})
    }

    fn subsets(count: usize) -> Vec<Subset> {
        (1..=count)
            .map(|index| Subset {
                host: HOST.to_owned(),
                name: format!("dr-v{index}"),
                labels: [("version".to_owned(), format!("v{index}"))].into(),
            })
            .collect()
    }

    fn wanted(version: &str, share: u8) -> Vec<(String, Percent)> {
        vec![(version.to_owned(), Percent::new(share).unwrap())]
    }

    #[track_caller]
    fn check(weights: &[Option<u32>], version: &str, share: u8, patch: &Value) {
        let plan = plan(&object(), &virtual_service(weights), &subsets(2), &wanted(version, share))
            .unwrap();
        let sent = plan.action.map_or(json!([]), |action| match action.operation {
            Operation::JsonPatch(patch) => serde_json::to_value(&patch.0[1..]).unwrap(),
            Operation::Apply { .. } => unreachable!("a shift patches"),
        });
        assert_eq!(&sent, patch);
    }

    #[test]
    fn shift_changes_both_weights() {
        check(
            &[Some(50), Some(50)],
            "v2",
            30,
            &json!([
                {"op": "add", "path": "/spec/http/1/route/0/weight", "value": 70},
                {"op": "add", "path": "/spec/http/1/route/1/weight", "value": 30},
            ]),
        );
    }

    #[test]
    fn shift_writes_nothing_when_the_shares_are_right_already() {
        check(&[Some(7), Some(3)], "v2", 30, &json!([]));
        check(&[Some(0), Some(1)], "dr-v2", 100, &json!([]));
    }

    #[test]
    fn shift_writes_omitted_weights() {
        check(
            &[Some(1), None],
            "v2",
            100,
            &json!([
                {"op": "add", "path": "/spec/http/1/route/0/weight", "value": 0},
                {"op": "add", "path": "/spec/http/1/route/1/weight", "value": 100},
            ]),
        );
    }

    #[test]
    fn shift_opens_with_a_test_of_the_route_it_read() {
        let read = virtual_service(&[Some(50), Some(50)]);
        let plan = plan(&object(), &read, &subsets(2), &wanted("v2", 30)).unwrap();
        let action = plan.action.unwrap();
        assert_eq!(conflict(&action, &read), None);
        let mut edited = read;
        edited["spec"]["http"][1]["route"][0]["weight"] = json!(51);
        assert_eq!(conflict(&action, &edited).unwrap(), "/spec/http/1/route");
    }

    #[test]
    fn shift_refuses_what_is_not_clear() {
        let read = virtual_service(&[Some(50), Some(50)]);
        let unknown = plan(&object(), &read, &subsets(2), &wanted("v3", 30)).unwrap_err();
        assert_eq!(
            unknown.to_string(),
            "virtualservice/kubia-vs in namespace default has no route to version v3; it has v1, v2"
        );
        let mut several = read;
        several["spec"]["http"][0] = several["spec"]["http"][1].clone();
        several["spec"]["http"][0]["name"] = json!("a\u{1b}b");
        let several = plan(&object(), &several, &subsets(2), &wanted("v2", 30)).unwrap_err();
        assert!(several.to_string().ends_with("has 2 weighted routes: a^[b, #1"), "{several}");
        let single = virtual_service(&[Some(100)]);
        let single = plan(&object(), &single, &subsets(1), &wanted("v1", 30)).unwrap_err();
        assert_eq!(single, ShiftError::NoWeightedRoute { object: object() });
    }

    #[test]
    fn versions_without_a_destination_rule_are_called_by_their_subset() {
        let read = virtual_service(&[Some(50), Some(50)]);
        let plan = plan(&object(), &read, &[], &wanted("dr-v2", 30)).unwrap();
        assert_eq!(plan.changes[1].version, "dr-v2");
    }

    proptest! {
        #[test]
        fn a_patch_changes_weights_alone_and_planning_again_is_empty(
            weights in prop::collection::vec(prop::option::of(0u32..10_000), 2..6),
            share in 0u8..=100, pick: prop::sample::Index,
        ) {
            let read = virtual_service(&weights);
            let subsets = subsets(weights.len());
            let wanted = wanted(&format!("v{}", pick.index(weights.len()) + 1), share);
            let Ok(planned) = plan(&object(), &read, &subsets, &wanted) else { return Ok(()) };
            let mut written = read.clone();
            if let Some(Action { operation: Operation::JsonPatch(patch), .. }) = &planned.action {
                json_patch::patch(&mut written, patch).unwrap();
            }
            prop_assert_eq!(plan(&object(), &written, &subsets, &wanted).unwrap().action, None);
            let without_weights = |mut value: Value| {
                for destination in value["spec"]["http"][1]["route"].as_array_mut().unwrap() {
                    destination.as_object_mut().unwrap().remove("weight");
                }
                value
            };
            prop_assert_eq!(without_weights(written), without_weights(read));
        }
    }
}
