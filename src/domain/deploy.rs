//! Decides what `deploy` writes, from what is there already.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    gateway::{INSTALLATIONS, IngressGateway},
    gateway_url::GatewayUrlError,
    manifests::{self, App, Names, REPLICAS, VERSIONS},
    object::{Kind, ObjectRef},
    plan::{Action, FIELD_MANAGER, Operation, Outcome},
    rivals,
    route::Route,
    shift::history::{ANNOTATION, Entry, History, HistoryError, POINTER, RecordedRoute},
    snapshot::{Labels, labels, list, selector_text, text},
    split::{self, Percent},
    text::Printable,
};

/// Port of the tutorial's Gateway, which is also the port its app listens on.
const TUTORIAL_PORT: u16 = 8080;

/// What was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Prefix of all names.
    pub name: String,
    /// The host to serve, where given.
    pub host: Option<String>,
    /// Image of v1 and v2, where given.
    pub images: [Option<String>; 2],
    /// Replicas of v1 and v2, where given.
    pub replicas: [Option<u32>; 2],
    /// Share of v2, where given.
    pub v2: Option<Percent>,
    /// Takes over fields other managers own.
    pub force: bool,
    /// Whether the ingress gateway was named, so that the app may move to another.
    pub gateway_named: bool,
}

/// What there is, as read from the cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// The target namespace.
    pub namespace: String,
    /// API version of Istio's kinds.
    pub istio_version: String,
    /// The ingress gateway.
    pub gateway: IngressGateway,
    /// Those of the six objects that exist.
    pub existing: BTreeMap<ObjectRef, Value>,
    /// VirtualServices wherever they may be listed.
    pub virtual_services: Vec<Value>,
    /// Gateways wherever they may be listed.
    pub gateways: Vec<Value>,
    /// When, for the history of weights.
    pub now: Timestamp,
    /// Who, for the history of weights; unknown when it is not to be recorded.
    pub user: Option<String>,
}

/// A deploy that has been decided.
#[derive(Clone, Debug, PartialEq)]
pub struct Deploy {
    /// The host that is served.
    pub host: String,
    /// Six server-side applies, in make-before-break order.
    pub actions: Vec<Action>,
    /// How requests reach the app's Gateway.
    pub port: GatewayPort,
    /// Versions that get requests and have nobody to answer them, in words.
    pub without_pods: Vec<String>,
}

/// How a Service port leads to the server of a Gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayPort {
    /// `spec.servers[].port.number` of the Gateway.
    pub server: u16,
    /// The Service port people connect to.
    pub service_port: u16,
    /// Its name.
    pub service_port_name: String,
    /// The port the gateway's pods listen on.
    pub listener: u16,
}

/// Why nothing is deployed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeployError {
    /// Another VirtualService serves the host on this gateway; the older of two wins, silently.
    #[error("host {} is already served by {rival} through {gateway}", Printable(.host))]
    HostTaken {
        /// The host.
        host: String,
        /// Who serves it.
        rival: ObjectRef,
        /// On which Gateway.
        gateway: ObjectRef,
    },
    /// The app is on another ingress gateway, and none was named to move it to.
    #[error("{gateway} is for the pods {}, not for those of {service}", Printable(.selector))]
    OtherGateway {
        /// The app's Gateway.
        gateway: ObjectRef,
        /// Its selector.
        selector: String,
        /// The Service of the ingress gateway that was found.
        service: ObjectRef,
    },
    /// The ingress gateway has no port to use.
    #[error(transparent)]
    Gateway(#[from] GatewayUrlError),
    /// New weights cannot be recorded.
    #[error(transparent)]
    History(#[from] HistoryError),
}

/// Plans the six objects.
///
/// What is live is kept unless a flag asks for something else: host, images, weights, replicas. The
/// VirtualService is applied with the resourceVersion it was read at, so an edit made meanwhile is a
/// conflict even when fields of other managers are taken over.
///
/// # Errors
/// [`DeployError`] when the host is taken, the app is on another gateway, or the gateway has no HTTP port.
pub fn plan(snapshot: &Snapshot, wanted: &Wanted) -> Result<Deploy, DeployError> {
    refuse_other_gateway(snapshot, wanted)?;
    let port = gateway_port(snapshot)?;
    let host = host(snapshot, wanted);
    let own = Names::of(&wanted.name).virtual_service;
    let own = ObjectRef::new(Kind::VirtualService, &snapshot.namespace, &own);
    if let Some((rival, gateway)) = rivals::of(snapshot, &own, &host, port.listener) {
        return Err(DeployError::HostTaken { host, rival, gateway });
    }
    let app = App {
        name: wanted.name.clone(),
        namespace: snapshot.namespace.clone(),
        host: host.clone(),
        images: images(snapshot, wanted),
        replicas: replicas(snapshot, wanted),
        weights: weights(snapshot, wanted),
        gateway_selector: snapshot.gateway.gateway_selector(),
        gateway_port: port.server,
        istio_version: snapshot.istio_version.clone(),
    };
    let history = history(snapshot, &own, app.weights)?;
    let actions = manifests::render(&app).into_iter().map(|mut manifest| {
        if let Some(history) = history.as_ref().filter(|_| manifest["kind"] == "VirtualService") {
            manifest["metadata"]["annotations"] = json!({ANNOTATION: history});
        }
        apply(snapshot, manifest, wanted.force)
    });
    Ok(Deploy { host, actions: actions.collect(), port, without_pods: without_pods(&app) })
}

fn without_pods(app: &App) -> Vec<String> {
    let shares = split::shares(&app.weights);
    let is_void = |index: &usize| app.replicas[*index] == 0 && shares[*index] > 0.0;
    let void = (0..VERSIONS.len()).filter(is_void);
    let words = |index: usize| {
        format!("{} gets {} % and has no pods", VERSIONS[index], split::display(shares[index]))
    };
    void.map(words).collect()
}

/// Returns the six manifests as they are without a cluster to look at.
#[must_use]
pub fn render_offline(namespace: &str, wanted: &Wanted) -> Vec<Value> {
    let selector = Labels::from([("istio".to_owned(), INSTALLATIONS[0].istio_label.to_owned())]);
    let app = App {
        name: wanted.name.clone(),
        namespace: namespace.to_owned(),
        host: wanted.host.clone().unwrap_or_else(|| "*".to_owned()),
        images: wanted.images.clone(),
        replicas: [0, 1].map(|index| wanted.replicas[index].unwrap_or(REPLICAS[index])),
        weights: wanted.v2.map_or([50, 50], split_of),
        gateway_selector: selector,
        gateway_port: TUTORIAL_PORT,
        istio_version: "v1".to_owned(),
    };
    manifests::render(&app).into()
}

fn apply(snapshot: &Snapshot, mut manifest: Value, force: bool) -> Action {
    let kind = manifest["kind"].as_str().and_then(Kind::from_manifest);
    let object = ObjectRef::new(
        kind.expect("the templates hold our own kinds"),
        &snapshot.namespace,
        &text(&manifest, "/metadata/name"),
    );
    let mut force = force;
    // Controllers write Deployments and Services all the time; only the route is worth the refusal.
    if object.kind == Kind::VirtualService
        && let Some(live) = snapshot.existing.get(&object)
    {
        manifest["metadata"]["resourceVersion"] = text(live, "/metadata/resourceVersion").into();
        // A shift and a deploy are two managers to the server, though both are ours. Conditional on
        // what was read, taking over what is all our own overwrites nobody.
        force |= managers_of_spec(live).all(|manager| manager == FIELD_MANAGER);
    }
    Action { object, operation: Operation::Apply { manifest, force } }
}

/// Who owns anything in the spec of an object, by its `managedFields`.
fn managers_of_spec(live: &Value) -> impl Iterator<Item = &str> {
    let entries = list(live, "/metadata/managedFields").iter();
    let owners = entries.filter(|entry| entry.pointer("/fieldsV1/f:spec").is_some());
    owners.map(|entry| entry["manager"].as_str().unwrap_or_default())
}

/// The host asked for, else the live one, else the tutorial's.
fn host(snapshot: &Snapshot, wanted: &Wanted) -> String {
    let name = Names::of(&wanted.name).virtual_service;
    let live = existing(snapshot, Kind::VirtualService, &name);
    let live = live.and_then(|live| list(live, "/spec/hosts").first()?.as_str());
    wanted.host.as_deref().or(live).unwrap_or("*").to_owned()
}

/// The images asked for, else those that somebody put in place of the tutorial's program.
fn images(snapshot: &Snapshot, wanted: &Wanted) -> [Option<String>; 2] {
    let names = Names::of(&wanted.name).deployments;
    [0, 1].map(|index| {
        let own = || {
            let live = existing(snapshot, Kind::Deployment, &names[index])?;
            let container = live.pointer("/spec/template/spec/containers/0")?;
            let runs_program = !list(container, "/args").is_empty();
            (!runs_program).then(|| text(container, "/image"))
        };
        wanted.images[index].clone().or_else(own)
    })
}

fn refuse_other_gateway(snapshot: &Snapshot, wanted: &Wanted) -> Result<(), DeployError> {
    let name = Names::of(&wanted.name).gateway;
    let Some(live) = existing(snapshot, Kind::Gateway, &name) else { return Ok(()) };
    let selector = labels(live, "/spec/selector");
    if wanted.gateway_named || snapshot.gateway.is_selected_by(&selector) {
        return Ok(());
    }
    Err(DeployError::OtherGateway {
        gateway: reference(Kind::Gateway, live),
        selector: selector_text(&selector),
        service: snapshot.gateway.service_ref(),
    })
}

/// The tutorial's 8080 where a Service port leads to it, else the Service's HTTP port.
fn gateway_port(snapshot: &Snapshot) -> Result<GatewayPort, DeployError> {
    let gateway = &snapshot.gateway;
    let server = match gateway.listener_port(TUTORIAL_PORT) {
        (_, Some(_)) => TUTORIAL_PORT,
        (_, None) => gateway.http_port().map(|port| port.port).ok_or_else(|| no_port(gateway))?,
    };
    let (listener, port) = gateway.listener_port(server);
    Ok(GatewayPort {
        server,
        service_port: port.map_or(server, |port| port.port),
        service_port_name: port.map(|port| port.name.clone()).unwrap_or_default(),
        listener,
    })
}

fn no_port(gateway: &IngressGateway) -> DeployError {
    let ports = gateway.service.ports.iter().map(|port| port.name.clone()).collect();
    let service = gateway.service_ref();
    GatewayUrlError::NoPort {
        target: service.to_string(),
        service,
        wanted: "HTTP".to_owned(),
        ports,
    }
    .into()
}

fn weights(snapshot: &Snapshot, wanted: &Wanted) -> [u64; 2] {
    if let Some(v2) = wanted.v2 {
        return split_of(v2);
    }
    let name = Names::of(&wanted.name).virtual_service;
    let live = existing(snapshot, Kind::VirtualService, &name);
    live.and_then(own_route).map_or([50, 50], |route| {
        let weights = route.weights();
        [weights[0], weights[1]]
    })
}

/// The route of a VirtualService that is this program's.
fn own_route(virtual_service: &Value) -> Option<Route> {
    let mut routes = Route::read_all(virtual_service).into_iter();
    routes.find(|route| subsets_of(route) == ["dr-v1", "dr-v2"])
}

/// The history to apply with the VirtualService: as it is, or with one more entry when weights change.
fn history(
    snapshot: &Snapshot,
    object: &ObjectRef,
    weights: [u64; 2],
) -> Result<Option<String>, HistoryError> {
    let Some(live) = snapshot.existing.get(object) else { return Ok(None) };
    let as_it_is = live.pointer(POINTER).and_then(Value::as_str).map(str::to_owned);
    let weights = weights.map(Some);
    let Some(route) = own_route(live).filter(|route| route.raw_weights() != weights) else {
        return Ok(as_it_is);
    };
    let routes = vec![RecordedRoute::new(&route, &weights)];
    let user = snapshot.user.clone();
    let entry = Entry { revision: 0, time: snapshot.now, user, reason: None, undo: None, routes };
    History::read(object, live)?.with(object, entry).map(Some)
}

fn split_of(v2: Percent) -> [u64; 2] {
    let total = v2.total();
    [total - v2.weight(total), v2.weight(total)]
}

fn subsets_of(route: &Route) -> Vec<&str> {
    route.destinations.iter().map(|destination| destination.subset.as_str()).collect()
}

fn replicas(snapshot: &Snapshot, wanted: &Wanted) -> [u32; 2] {
    let names = Names::of(&wanted.name).deployments;
    [0, 1].map(|index| {
        let live = existing(snapshot, Kind::Deployment, &names[index]);
        let live = live.and_then(|object| object.pointer("/spec/replicas")?.as_u64());
        let live = live.and_then(|replicas| u32::try_from(replicas).ok());
        wanted.replicas[index].or(live).unwrap_or(REPLICAS[index])
    })
}

fn existing<'a>(snapshot: &'a Snapshot, kind: Kind, name: &str) -> Option<&'a Value> {
    snapshot.existing.get(&ObjectRef::new(kind, &snapshot.namespace, name))
}

/// Returns the address an object gives itself.
pub(super) fn reference(kind: Kind, object: &Value) -> ObjectRef {
    ObjectRef::new(kind, &text(object, "/metadata/namespace"), &text(object, "/metadata/name"))
}

/// Returns what an apply did, from the object before and after it.
///
/// The resourceVersion says nothing: controllers write statuses in between.
#[must_use]
pub fn outcome(before: Option<&Value>, after: &Value) -> Outcome {
    let Some(before) = before else { return Outcome::Created };
    let own = |object: &Value| (object["spec"].clone(), labels(object, "/metadata/labels"));
    if own(before) == own(after) { Outcome::Unchanged } else { Outcome::Configured }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::snapshot::Service;

    fn snapshot(http: (u16, u16)) -> Snapshot {
        let service = Service::read(&json!({
            "metadata": {"namespace": "istio-system", "name": "istio-ingressgateway"},
            "spec": {
                "selector": {"istio": "ingressgateway"},
                "ports": [{"name": "http2", "port": http.0, "targetPort": http.1, "nodePort": 32440}],
            },
        }));
        Snapshot {
            namespace: "shop".to_owned(),
            istio_version: "v1".to_owned(),
            gateway: IngressGateway::new(service, vec![]),
            existing: BTreeMap::new(),
            virtual_services: vec![],
            gateways: vec![],
            now: Timestamp::UNIX_EPOCH,
            user: None,
        }
    }

    fn wanted(host: &str) -> Wanted {
        Wanted { name: "kubia".to_owned(), host: Some(host.to_owned()), ..Wanted::default() }
    }

    fn rival(hosts: &[&str], gateway: &Value) -> Snapshot {
        Snapshot {
            virtual_services: vec![json!({
                "metadata": {"namespace": "other", "name": "kubia-vs"},
                "spec": {"hosts": hosts, "gateways": ["gw"]},
            })],
            gateways: vec![json!({
                "metadata": {"namespace": "other", "name": "gw"},
                "spec": gateway,
            })],
            ..snapshot((80, 8080))
        }
    }

    fn server(port: u16, host: &str) -> Value {
        json!({"selector": {"istio": "ingressgateway"},
               "servers": [{"port": {"number": port}, "hosts": [host]}]})
    }

    #[track_caller]
    fn check_host(snapshot: &Snapshot, host: &str, taken: bool) {
        let refused = matches!(plan(snapshot, &wanted(host)), Err(DeployError::HostTaken { .. }));
        assert_eq!(refused, taken);
    }

    #[test]
    fn a_host_served_on_the_same_listener_is_taken() {
        check_host(&rival(&["*"], &server(8080, "*")), "*", true);
        check_host(&rival(&["*"], &server(80, "*")), "*", true);
        check_host(&rival(&["A.example"], &server(80, "*.example")), "a.example", true);
        check_host(&rival(&["a.example"], &server(80, "other/a.example")), "a.example", true);
    }

    #[test]
    fn another_host_port_or_gateway_is_free() {
        check_host(&rival(&["a.example"], &server(8080, "*")), "*", false);
        check_host(&rival(&["*"], &server(9000, "*")), "*", false);
        check_host(&rival(&["*"], &server(8080, "a.example")), "*", false);
        let mut elsewhere = server(8080, "*");
        elsewhere["selector"]["istio"] = json!("egressgateway");
        check_host(&rival(&["*"], &elsewhere), "*", false);
        let mut mesh = rival(&["*"], &server(8080, "*"));
        mesh.virtual_services[0]["spec"]["gateways"] = json!(["mesh"]);
        check_host(&mesh, "*", false);
    }

    #[test]
    fn deploying_again_is_not_a_rival_of_itself() {
        let mut own = rival(&["*"], &server(8080, "*"));
        own.namespace = "other".to_owned();
        check_host(&own, "*", false);
    }

    #[test]
    fn the_gateway_port_is_one_the_service_leads_to() {
        let port = |http| plan(&snapshot(http), &wanted("*")).unwrap().port;
        assert_eq!((port((80, 8080)).server, port((80, 8080)).listener), (8080, 8080));
        assert_eq!((port((80, 80)).server, port((80, 80)).listener), (80, 80));
        assert_eq!((port((8080, 9090)).server, port((8080, 9090)).listener), (8080, 9090));
    }

    #[test]
    fn only_a_route_that_is_all_our_own_is_taken_over() {
        let force = |managers: &[&str]| {
            let mut snapshot = snapshot((80, 8080));
            let object = ObjectRef::new(Kind::VirtualService, "shop", "kubia-vs");
            let entry = |manager: &&str| json!({"manager": manager, "fieldsV1": {"f:spec": {"f:http": {}}}});
            let fields: Vec<_> = managers.iter().map(entry).collect();
            let live = json!({"metadata": {"resourceVersion": "41", "managedFields": fields}});
            snapshot.existing.insert(object, live);
            let Operation::Apply { force, .. } =
                plan(&snapshot, &wanted("*")).unwrap().actions[5].operation.clone()
            else {
                unreachable!("a deploy applies")
            };
            force
        };
        assert!(force(&[FIELD_MANAGER, FIELD_MANAGER]));
        assert!(!force(&[FIELD_MANAGER, "kubectl-edit"]));
    }

    #[test]
    fn what_was_asked_for_once_stays() {
        let mut snapshot = snapshot((80, 8080));
        let asked = Wanted { images: [None, Some("mine:1".to_owned())], ..wanted("shop.example") };
        for action in plan(&snapshot, &asked).unwrap().actions {
            let Operation::Apply { manifest, .. } = action.operation else { unreachable!() };
            snapshot.existing.insert(action.object, manifest);
        }
        let again = Wanted { name: "kubia".to_owned(), ..Wanted::default() };
        let again = plan(&snapshot, &again).unwrap();
        assert_eq!(again.host, "shop.example");
        for action in again.actions {
            let Operation::Apply { manifest, .. } = action.operation else { unreachable!() };
            let before = snapshot.existing.get(&action.object);
            assert_eq!(outcome(before, &manifest), Outcome::Unchanged, "{}", action.object);
        }
        let gateway = ObjectRef::new(Kind::Gateway, "shop", "kubia-service-gateway");
        let gateway = snapshot.existing.get_mut(&gateway).unwrap();
        gateway["spec"]["selector"]["istio"] = json!("ingress");
        let moved = plan(&snapshot, &wanted("shop.example"));
        assert!(matches!(moved, Err(DeployError::OtherGateway { .. })), "{moved:?}");
    }

    #[test]
    fn live_weights_and_replicas_are_kept_unless_asked() {
        let mut snapshot = snapshot((80, 8080));
        let first = plan(&snapshot, &wanted("*")).unwrap();
        for action in first.actions {
            let Operation::Apply { mut manifest, .. } = action.operation else { unreachable!() };
            if action.object.kind == Kind::Deployment {
                manifest["spec"]["replicas"] = json!(7);
            }
            if action.object.kind == Kind::VirtualService {
                manifest["metadata"]["resourceVersion"] = json!("41");
                manifest["spec"]["http"][0]["route"][0]["weight"] = json!(90);
                manifest["spec"]["http"][0]["route"][1]["weight"] = json!(10);
            }
            snapshot.existing.insert(action.object, manifest);
        }
        let again = plan(&snapshot, &wanted("*")).unwrap();
        for action in again.actions {
            let Operation::Apply { manifest, .. } = action.operation else { unreachable!() };
            assert_eq!(
                outcome(snapshot.existing.get(&action.object), &manifest),
                Outcome::Unchanged
            );
            let version = manifest["metadata"]["resourceVersion"].as_str();
            assert_eq!(version, (action.object.kind == Kind::VirtualService).then_some("41"));
        }
        let asked = Wanted { v2: Percent::new(30), replicas: [None, Some(2)], ..wanted("*") };
        assert_eq!(weights(&snapshot, &asked), [70, 30]);
        let recorded = plan(&snapshot, &asked).unwrap();
        let annotations = recorded.actions.iter().filter_map(|action| match &action.operation {
            Operation::Apply { manifest, .. } => manifest.pointer(POINTER)?.as_str(),
            Operation::JsonPatch(_) => None,
        });
        let annotations: Vec<_> = annotations.collect();
        assert!(annotations[0].contains(r#""from":[90,10]"#), "{annotations:?}");
        assert_eq!(annotations.len(), 1, "only the VirtualService has a history");
        assert_eq!(replicas(&snapshot, &asked), [7, 2]);
        assert_eq!(recorded.without_pods, Vec::<String>::new());
        let asked = Wanted { replicas: [Some(0), None], ..asked };
        let void = plan(&snapshot, &asked).unwrap().without_pods;
        assert_eq!(void, ["v1 gets 70 % and has no pods"]);
        let asked = Wanted { v2: Percent::new(100), ..asked };
        assert_eq!(plan(&snapshot, &asked).unwrap().without_pods, Vec::<String>::new());
    }
}
