//! Puts together what `status` shows: the way a request takes, from node port to pods.

use jiff::Timestamp;
use serde_json::Value;

use super::{
    gateway::IngressGateway,
    gateway_url::Candidate,
    object::{Kind, ObjectRef},
    route::{Destination, Route},
    snapshot::{Labels, Pod, Service, Subset, list, selects, service_of_host, text},
};

/// What was read for one VirtualService.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// The VirtualService.
    pub object: ObjectRef,
    /// Its JSON.
    pub virtual_service: Value,
    /// Subsets of the DestinationRules in its namespace.
    pub subsets: Vec<Subset>,
    /// The Services its destinations name.
    pub services: Vec<Service>,
    /// Pods of those Services.
    pub pods: Vec<Pod>,
    /// The ingress gateway, and its address where it has one.
    pub gateway: Option<(IngressGateway, Option<Candidate>)>,
    /// What could not be read, in words.
    pub not_checked: Vec<String>,
}

/// The chain a request passes.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    /// The VirtualService.
    pub object: ObjectRef,
    /// `spec.hosts`.
    pub hosts: Vec<String>,
    /// `spec.gateways`; `mesh` when it is absent, as Istio reads it.
    pub gateways: Vec<String>,
    /// The ingress gateway.
    pub gateway: Option<(IngressGateway, Option<Candidate>)>,
    /// The HTTP routes with destinations.
    pub routes: Vec<RouteStatus>,
    /// What could not be read, in words.
    pub not_checked: Vec<String>,
}

/// One HTTP route.
#[derive(Clone, Debug, PartialEq)]
pub struct RouteStatus {
    /// Position in `spec.http`.
    pub index: usize,
    /// Its name, possibly empty.
    pub name: String,
    /// One per destination, in order.
    pub versions: Vec<Version>,
}

/// One destination of a route, and the pods behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct Version {
    /// The version it stands for.
    pub version: String,
    /// `destination.subset`, possibly empty.
    pub subset: String,
    /// `destination.host`, as a full name.
    pub host: String,
    /// Desired share in percent.
    pub share: f64,
    /// Its weight.
    pub weight: u32,
    /// The pods behind it.
    pub pods: VersionPods,
}

/// The pods behind one destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VersionPods {
    /// The subset or the Service is missing, or could not be read.
    Unknown,
    /// Those the Service and the subset select.
    Found {
        /// How many take traffic.
        ready: usize,
        /// How many there are, without those being deleted.
        total: usize,
        /// Their images, each once.
        images: Vec<String>,
        /// When the oldest of them was created.
        created: Option<Timestamp>,
        /// Why one of them waits: reason and message.
        waiting: Option<(String, String)>,
    },
}

/// Returns the chain of a VirtualService.
#[must_use]
pub fn describe(snapshot: Snapshot) -> Status {
    let strings = |pointer| {
        let strings = list(&snapshot.virtual_service, pointer).iter().filter_map(Value::as_str);
        strings.map(str::to_owned).collect::<Vec<_>>()
    };
    let (hosts, mut gateways) = (strings("/spec/hosts"), strings("/spec/gateways"));
    if gateways.is_empty() {
        gateways.push("mesh".to_owned());
    }
    let routes = Route::read_all(&snapshot.virtual_service);
    let routes = routes.iter().map(|route| route_status(route, &snapshot)).collect();
    Status {
        object: snapshot.object,
        hosts,
        gateways,
        gateway: snapshot.gateway,
        routes,
        not_checked: snapshot.not_checked,
    }
}

/// Returns namespace and name of the Services the destinations name, each once.
#[must_use]
pub fn services_named(virtual_service: &Value) -> Vec<(String, String)> {
    let mut services: Vec<_> = Route::read_all(virtual_service)
        .iter()
        .flat_map(|route| &route.destinations)
        .filter_map(|destination| service_of_host(&destination.host))
        .map(|(name, namespace)| (namespace.to_owned(), name.to_owned()))
        .collect();
    services.sort();
    services.dedup();
    services
}

/// Returns the first Gateway a VirtualService is bound to; nothing when it is for the mesh alone.
#[must_use]
pub fn first_gateway(virtual_service: &Value) -> Option<ObjectRef> {
    let namespace = text(virtual_service, "/metadata/namespace");
    let mut gateways = list(virtual_service, "/spec/gateways").iter().filter_map(Value::as_str);
    let gateway = gateways.find(|gateway| *gateway != "mesh")?;
    let (namespace, name) = gateway.split_once('/').unwrap_or((&namespace, gateway));
    Some(ObjectRef::new(Kind::Gateway, namespace, name))
}

fn route_status(route: &Route, snapshot: &Snapshot) -> RouteStatus {
    let shares = route.shares();
    let destinations = route.destinations.iter().zip(shares);
    RouteStatus {
        index: route.index,
        name: route.name.clone(),
        versions: destinations
            .map(|(destination, share)| Version {
                version: destination.version(&snapshot.subsets).to_owned(),
                subset: destination.subset.clone(),
                host: destination.host.clone(),
                share,
                weight: destination.weight,
                pods: version_pods(destination, snapshot),
            })
            .collect(),
    }
}

fn version_pods(destination: &Destination, snapshot: &Snapshot) -> VersionPods {
    let Some(selector) = selector_of(destination, snapshot) else { return VersionPods::Unknown };
    let pods = snapshot.pods.iter().filter(|pod| !pod.terminating);
    let pods: Vec<_> = pods.filter(|pod| selects(&selector, &pod.labels)).collect();
    let mut images: Vec<_> = pods.iter().flat_map(|pod| pod.images.clone()).collect();
    images.sort();
    images.dedup();
    VersionPods::Found {
        ready: pods.iter().filter(|pod| pod.serves()).count(),
        total: pods.len(),
        images,
        created: pods.iter().filter_map(|pod| pod.created).min(),
        waiting: pods.iter().find_map(|pod| pod.waiting.clone()),
    }
}

/// The Service's selector and the subset's labels together; a host without subset is all its pods.
fn selector_of(destination: &Destination, snapshot: &Snapshot) -> Option<Labels> {
    let (name, namespace) = service_of_host(&destination.host)?;
    let mut services = snapshot.services.iter();
    let service = services.find(|each| each.name == name && each.namespace == namespace)?;
    let mut selector = service.selector.clone();
    if !destination.subset.is_empty() {
        selector.extend(destination.find_subset(&snapshot.subsets)?.labels.clone());
    }
    Some(selector)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(name: &str, version: &str, ready: bool) -> Pod {
        Pod::read(&json!({
            "metadata": {"name": name, "labels": {"app": "web", "version": version}},
            "spec": {"containers": [{"name": "web", "image": "web:1"}]},
            "status": {"conditions": [{"type": "Ready", "status": if ready { "True" } else { "False" }}]},
        }))
    }

    fn snapshot(virtual_service: Value) -> Snapshot {
        let host = "web.shop.svc.cluster.local".to_owned();
        Snapshot {
            object: ObjectRef::new(Kind::VirtualService, "shop", "web"),
            virtual_service,
            subsets: vec![Subset {
                host,
                name: "one".to_owned(),
                labels: [("version".to_owned(), "v1".to_owned())].into(),
            }],
            services: vec![Service {
                namespace: "shop".to_owned(),
                name: "web".to_owned(),
                selector: [("app".to_owned(), "web".to_owned())].into(),
                ..Service::default()
            }],
            pods: vec![pod("a", "v1", true), pod("b", "v1", false), pod("c", "v2", true)],
            gateway: None,
            not_checked: vec![],
        }
    }

    #[track_caller]
    fn check(destination: &Value, expected: Option<(usize, usize)>) {
        let status = describe(snapshot(json!({
            "metadata": {"namespace": "shop"},
            "spec": {"http": [{"route": [{"destination": destination}]}]},
        })));
        let found = match &status.routes[0].versions[0].pods {
            VersionPods::Found { ready, total, .. } => Some((*ready, *total)),
            VersionPods::Unknown => None,
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn pods_are_those_of_service_and_subset() {
        check(&json!({"host": "web", "subset": "one"}), Some((1, 2)));
        check(&json!({"host": "web"}), Some((2, 3)));
        check(&json!({"host": "web", "subset": "missing"}), None);
        check(&json!({"host": "example.com"}), None);
    }

    #[test]
    fn a_virtual_service_without_gateways_is_for_the_mesh() {
        assert_eq!(describe(snapshot(json!({"spec": {}}))).gateways, ["mesh"]);
    }

    #[test]
    fn services_are_named_once() {
        let route = json!({"route": [{"destination": {"host": "web"}}, {"destination": {"host": "web", "subset": "one"}}]});
        let object = json!({"metadata": {"namespace": "shop"}, "spec": {"http": [route]}});
        assert_eq!(services_named(&object), [("shop".to_owned(), "web".to_owned())]);
    }
}
