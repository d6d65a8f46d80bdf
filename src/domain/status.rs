//! Puts together what `status` shows: the way a request takes, from node port to pods, and what each
//! proxy on it really does.

use jiff::Timestamp;

use super::{
    backends::{Backends, Behind},
    gateway::IngressGateway,
    gateway_url::Candidate,
    object::ObjectRef,
    proof::{LiveRoute, Target},
    route::{Route, RouteId},
    shift,
    snapshot::Pod,
    split,
    virtual_service::{MESH, VirtualService},
};

/// What was read for one VirtualService.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// The VirtualService, its delegates and subsets.
    pub routes: shift::Snapshot,
    /// What stands behind its destinations.
    pub backends: Backends,
    /// The ingress gateway, and its address where it has one.
    pub gateway: Option<(IngressGateway, Option<Candidate>)>,
    /// What each gateway proxy runs, or why that cannot be told.
    pub proxies: Vec<ProxyState>,
    /// Where the routes also run without anybody having looked: in words.
    pub gaps: Vec<String>,
    /// What could not be read, in words.
    pub not_checked: Vec<String>,
}

/// What one gateway proxy runs.
#[derive(Clone, Debug, PartialEq)]
pub struct ProxyState {
    /// The gateway pod.
    pub pod: ObjectRef,
    /// The routes that are bound to its gateway.
    pub bound: Vec<Target>,
    /// The shares it gives each route, or why that cannot be told.
    pub routes: Result<Vec<LiveRoute>, String>,
    /// Why requests do not arrive as a route says, for those where they do not.
    pub obstacles: Vec<(Target, String)>,
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
    /// The routes with destinations, those of delegates among them.
    pub routes: Vec<RouteStatus>,
    /// Where the routes also run without anybody having looked: in words.
    pub gaps: Vec<String>,
    /// What could not be read, in words.
    pub not_checked: Vec<String>,
}

/// One route.
#[derive(Clone, Debug, PartialEq)]
pub struct RouteStatus {
    /// The object it stands in.
    pub object: ObjectRef,
    /// Its place there.
    pub id: RouteId,
    /// Its name, possibly empty.
    pub name: String,
    /// Which requests it takes; every one when there are none.
    pub matches: Vec<String>,
    /// One per destination, in order.
    pub versions: Vec<Version>,
    /// What each proxy gives the destinations, in order.
    pub proxies: Vec<ProxyRoute>,
}

/// What one proxy does with one route.
#[derive(Clone, Debug, PartialEq)]
pub struct ProxyRoute {
    /// The gateway pod.
    pub pod: ObjectRef,
    /// Percent of each destination, once for each way they are divided; or why that is not known.
    pub shares: Result<Vec<Vec<f64>>, String>,
    /// Why requests do not arrive as these shares say; nothing when they do.
    pub obstacle: Option<String>,
}

/// One destination of a route, and the pods behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct Version {
    /// What it is called.
    pub version: String,
    /// `destination.subset`, possibly empty.
    pub subset: String,
    /// `destination.host`, as a full name.
    pub host: String,
    /// Desired share in percent.
    pub share: f64,
    /// The least and the most any proxy gives it, in percent; unknown when none could be asked.
    pub live: Option<(f64, f64)>,
    /// Its weight, absent where it is omitted.
    pub weight: Option<u64>,
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

/// One weighted route among many.
#[derive(Clone, Debug, PartialEq)]
pub struct RouteLine {
    /// The VirtualService it stands in.
    pub object: ObjectRef,
    /// The route.
    pub route: Route,
    /// What each destination is called, in order.
    pub versions: Vec<String>,
    /// `spec.hosts`.
    pub hosts: Vec<String>,
    /// `spec.gateways`; `mesh` when it is absent, as Istio reads it.
    pub gateways: Vec<String>,
}

/// Returns the chain of a VirtualService.
#[must_use]
pub fn describe(snapshot: Snapshot) -> Status {
    let named = &snapshot.routes.named;
    let all = std::iter::once(named).chain(&snapshot.routes.delegates);
    let routes = all.flat_map(|each| each.routes().into_iter().map(move |route| (each, route)));
    let routes = routes.map(|(at, route)| route_status(&at.object, &route, &snapshot)).collect();
    let mut not_checked = snapshot.not_checked.clone();
    not_checked.extend(
        snapshot.routes.subsets_unread.iter().map(|why| format!("labels of subsets ({why})")),
    );
    Status {
        object: named.object.clone(),
        hosts: named.hosts(),
        gateways: bindings(named),
        routes,
        gaps: snapshot.gaps.clone(),
        not_checked,
        gateway: snapshot.gateway,
    }
}

/// Returns every weighted route of these VirtualServices, a line for each.
#[must_use]
pub fn lines(objects: &[VirtualService], subsets: &[super::snapshot::Subset]) -> Vec<RouteLine> {
    let routes = objects.iter().flat_map(|object| {
        let routes = object.routes().into_iter().filter(Route::is_weighted);
        routes.map(move |route| RouteLine {
            object: object.object.clone(),
            versions: route.versions(subsets),
            route,
            hosts: object.hosts(),
            gateways: bindings(object),
        })
    });
    let mut lines: Vec<_> = routes.collect();
    lines.sort_by_key(|line| {
        (line.object.namespace.clone(), line.object.name.clone(), line.route.id)
    });
    lines
}

/// What a VirtualService is bound to, in its own words.
fn bindings(object: &VirtualService) -> Vec<String> {
    let namespace = &object.object.namespace;
    let gateways = object.gateways().into_iter().map(|gateway| {
        if gateway.namespace == *namespace {
            gateway.name
        } else {
            format!("{}/{}", gateway.namespace, gateway.name)
        }
    });
    let mesh = object.is_for_mesh().then(|| MESH.to_owned());
    gateways.chain(mesh).collect()
}

fn route_status(object: &ObjectRef, route: &Route, snapshot: &Snapshot) -> RouteStatus {
    let is_it = |(at, id): &Target| at == object && *id == route.id;
    let proxies: Vec<_> = snapshot
        .proxies
        .iter()
        .filter(|state| state.bound.iter().any(is_it))
        .map(|state| ProxyRoute {
            pod: state.pod.clone(),
            shares: shares(object, route, &state.routes),
            obstacle: state
                .obstacles
                .iter()
                .find(|(target, _)| is_it(target))
                .map(|(_, obstacle)| obstacle.clone()),
        })
        .collect();
    let names = route.versions(&snapshot.routes.subsets);
    let desired = route.shares();
    let destinations = route.destinations.iter().enumerate();
    RouteStatus {
        object: object.clone(),
        id: route.id,
        name: route.name.clone(),
        matches: route.matches(),
        versions: destinations
            .map(|(index, destination)| Version {
                version: names[index].clone(),
                subset: destination.subset.clone(),
                host: destination.host.clone(),
                share: desired[index],
                live: range(&proxies, index),
                weight: destination.weight,
                pods: version_pods(snapshot.backends.behind(destination)),
            })
            .collect(),
        proxies,
    }
}

fn shares(
    object: &ObjectRef,
    route: &Route,
    routes: &Result<Vec<LiveRoute>, String>,
) -> Result<Vec<Vec<f64>>, String> {
    let routes = routes.as_ref().map_err(Clone::clone)?;
    let own = routes.iter().filter(|live| live.object == *object && live.id == route.id);
    let shares: Vec<_> = own.map(|live| live.shares.clone()).collect();
    if shares.is_empty() { Err("it has no such route".to_owned()) } else { Ok(shares) }
}

/// The least and the most that any proxy gives the destination at `index`, of those that serve it.
fn range(proxies: &[ProxyRoute], index: usize) -> Option<(f64, f64)> {
    let serving = proxies.iter().filter(|proxy| proxy.obstacle.is_none());
    let shares = serving.filter_map(|proxy| proxy.shares.as_ref().ok()).flatten();
    let shares = shares.filter_map(|shares| shares.get(index).copied());
    shares.fold(None, |range, share| match range {
        None => Some((share, share)),
        Some((least, most)) => Some((f64::min(least, share), f64::max(most, share))),
    })
}

fn version_pods(behind: Behind<'_>) -> VersionPods {
    let Behind::Pods(pods) = behind else { return VersionPods::Unknown };
    let mut images: Vec<_> = pods.iter().flat_map(|pod| pod.images.clone()).collect();
    images.sort();
    images.dedup();
    VersionPods::Found {
        ready: pods.iter().filter(|pod| pod.serves()).count(),
        total: pods.len(),
        images,
        created: pods.iter().filter_map(|pod: &&Pod| pod.created).min(),
        waiting: pods.iter().find_map(|pod| pod.waiting.clone()),
    }
}

impl ProxyRoute {
    /// Returns what it does, in words: `v1 70, v2 30`.
    #[must_use]
    pub fn text(&self, versions: &[Version]) -> String {
        match &self.shares {
            Err(why) => why.clone(),
            Ok(ways) => {
                let versions = || versions.iter().map(|each| &each.version);
                let way = |shares: &Vec<f64>| split::in_words(versions().zip(shares.clone()));
                ways.iter().map(way).collect::<Vec<_>>().join(" and elsewhere ")
            }
        }
    }
}
