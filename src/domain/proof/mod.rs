//! Whether a proxy runs the weights: its route configurations, listeners, secrets and clusters, held
//! against what a VirtualService asks for.
//!
//! Envoy drops destinations of weight 0 (istio/istio, pilot/pkg/networking/core/route/route.go), so a
//! share of 0 is proven by absence, and one of 100 by being alone.

mod binding;
mod conditions;
pub mod envoy;
pub mod evidence;
mod gateway;
pub mod merged;

use std::collections::BTreeSet;

pub use self::gateway::Gateway;
use self::{
    envoy::{Chain, ClusterName, EnvoyRoute, Listener, RouteConfig, VirtualHost},
    gateway::Server,
    merged::{MergedRoute, Place, ServedRoute},
};
use crate::domain::{
    object::{Kind, ObjectRef},
    route::{Destination, RouteId},
    snapshot::Pod,
    split,
    virtual_service::VirtualService,
};

/// A route that is to be proven: the object it stands in, and its place there.
pub type Target = (ObjectRef, RouteId);

/// What the proxies of some Gateways have to run.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// The VirtualService that a proxy names as the origin of its routes.
    pub root: VirtualService,
    /// Its HTTP routes, those of its delegates among them.
    pub routes: Vec<MergedRoute>,
    /// The routes that are to be proven.
    pub targets: Vec<Target>,
    /// The Gateways the root is bound to.
    pub gateways: Vec<Gateway>,
}

/// How a proxy's routes stand against the expectation.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// They have the wanted shares everywhere.
    Right(Places),
    /// Somewhere they have other shares.
    Other(Vec<LiveRoute>, Places),
    /// They are not all there: what is missing.
    Missing(String),
    /// It cannot be told: why.
    Unclear(String),
}

/// Where routes are served from, and where they lead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// The route configurations they stand in.
    pub configs: BTreeSet<String>,
    /// The clusters that get requests.
    pub clusters: BTreeSet<String>,
}

/// The shares a proxy gives the destinations of one route.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveRoute {
    /// The object the route stands in.
    pub object: ObjectRef,
    /// Its place.
    pub id: RouteId,
    /// Percent of each destination, in order. What is named twice in a route is counted at the first.
    pub shares: Vec<f64>,
    is_right: bool,
}

/// Where a proxy takes requests.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Front {
    /// Its listeners.
    pub listeners: Vec<Listener>,
    /// The secrets it has.
    pub secrets: BTreeSet<String>,
}

impl Expectation {
    /// Returns how a proxy stands whose pod and route configurations these are.
    #[must_use]
    pub fn judge(&self, pod: &Pod, configs: &[RouteConfig]) -> Standing {
        let (live, places) = match self.observe(pod, configs) {
            Ok(observed) => observed,
            Err(why) => return Standing::Unclear(why),
        };
        if live.iter().any(|route| !route.is_right) {
            return Standing::Other(live, places);
        }
        match self.missing(pod, &live, &places.configs) {
            Some(what) => Standing::Missing(what),
            None => Standing::Right(places),
        }
    }

    /// Returns the shares a proxy gives each target, once for each way it does, and where they stand.
    ///
    /// # Errors
    /// Why it cannot be told.
    pub fn observe(
        &self,
        pod: &Pod,
        configs: &[RouteConfig],
    ) -> Result<(Vec<LiveRoute>, Places), String> {
        let (mut live, mut places) = (Vec::new(), Places::default());
        for (config, host) in self.own_hosts(configs) {
            let routes: Vec<_> = host.routes.iter().filter(|route| self.is_own(route)).collect();
            let sources = self
                .sources(pod, &config.name, &routes)
                .ok_or("its routes cannot be told apart".to_owned())?;
            for (route, source) in routes.iter().zip(sources) {
                let merged = &self.routes[source];
                if !self.is_target(merged) {
                    continue;
                }
                let seen = LiveRoute::read(merged, route)?;
                if !live.contains(&seen) {
                    live.push(seen);
                }
                let clusters = route.clusters().into_iter();
                places.clusters.extend(clusters.map(|(name, _)| name.to_owned()));
                places.configs.insert(config.name.clone());
            }
        }
        Ok((live, places))
    }

    /// Returns the VirtualService whose route takes all requests of a target before it does.
    #[must_use]
    pub fn shadow(&self, pod: &Pod, configs: &[RouteConfig]) -> Option<String> {
        self.own_hosts(configs).find_map(|(config, host)| {
            let own: Vec<_> = host.routes.iter().filter(|route| self.is_own(route)).collect();
            let sources = self.sources(pod, &config.name, &own)?;
            let mut targets = own.iter().zip(sources);
            let is_target = |source: &usize| self.is_target(&self.routes[*source]);
            targets.find_map(|(target, source)| {
                let before = host.routes.iter().take_while(|route| !std::ptr::eq(*route, *target));
                let mut strangers =
                    before.filter(|route| is_target(&source) && !self.is_own(route));
                let first = strangers.find(|route| route.matcher.covers(&target.matcher))?;
                let name = |(namespace, name): (&str, &str)| {
                    ObjectRef::new(Kind::VirtualService, namespace, name).to_string()
                };
                Some(first.owner().map_or_else(|| "another route".to_owned(), name))
            })
        })
    }

    /// Returns one for each target.
    pub fn by_target(&self) -> impl Iterator<Item = Self> {
        self.targets.iter().map(|target| Self { targets: vec![target.clone()], ..self.clone() })
    }

    fn own_hosts<'a>(
        &self,
        configs: &'a [RouteConfig],
    ) -> impl Iterator<Item = (&'a RouteConfig, &'a VirtualHost)> {
        let hosts = configs
            .iter()
            .flat_map(|config| config.virtual_hosts.iter().map(move |host| (config, host)));
        hosts.filter(|(_, host)| host.routes.iter().any(|route| self.is_own(route)))
    }

    fn is_own(&self, route: &EnvoyRoute) -> bool {
        route.is_of(&self.root.object.namespace, &self.root.object.name)
    }

    fn is_target(&self, route: &MergedRoute) -> bool {
        self.targets.iter().any(|target| route.is(target))
    }

    /// Tells which merged route each route of a virtual host comes from.
    ///
    /// The order says it, once the places are found whose sequence of routes fits: names, conditions
    /// and possible destinations. Where several fit, they have to agree.
    fn sources(&self, pod: &Pod, config: &str, routes: &[&EnvoyRoute]) -> Option<Vec<usize>> {
        let places = self.places(pod).filter(|(server, _)| server.can_be_in(config));
        let sequences = places.map(|(_, place)| merged::served(&self.routes, &place));
        let sequences: Vec<_> = sequences.filter(|served| !served.is_empty()).collect();
        let is_alike = sequences.windows(2).all(|pair| pair[0] == pair[1]);
        let mut fitting = sequences.iter().filter_map(|served| {
            // Where Gateways share port and host, the routes stand there once for each.
            let most = if is_alike { sequences.len() } else { 1 };
            let served = merged::repeated(served, (routes.len() / served.len()).clamp(1, most));
            let is_fit = served.len() == routes.len()
                && served.iter().zip(routes).all(|(served, route)| self.can_be(served, route));
            is_fit.then(|| served.into_iter().map(|each| each.source).collect())
        });
        let first: Vec<usize> = fitting.next()?;
        fitting.all(|other| other == first).then_some(first)
    }

    /// Whether a route of an Envoy can be what istiod makes of this one.
    fn can_be(&self, served: &ServedRoute<'_>, route: &EnvoyRoute) -> bool {
        let destinations = &self.routes[served.source].route.destinations;
        served.name == route.name
            && served.conditions.can_be(&route.matcher)
            // A redirect leads nowhere, and is no route that leads somewhere.
            && route.clusters().is_empty() == destinations.is_empty()
            && leads_to(route, destinations)
    }

    /// The servers of the root that a pod runs.
    fn places<'a>(&'a self, pod: &'a Pod) -> impl Iterator<Item = (&'a Server, Place<'a>)> {
        let own = self.gateways.iter().filter(|gateway| gateway.is_run_by(pod));
        own.flat_map(|gateway| {
            let servers = gateway.servers.iter().filter(|server| server.serves(&self.root));
            servers.map(|server| {
                let place = Place {
                    gateway: &gateway.object,
                    port: server.port,
                    labels: &pod.labels,
                    namespace: &pod.namespace,
                };
                (server, place)
            })
        })
    }

    /// What of the targets a proxy does not have: a route, or the configuration of a server with TLS.
    fn missing(&self, pod: &Pod, live: &[LiveRoute], configs: &BTreeSet<String>) -> Option<String> {
        let is_there = |(object, id): &&Target| {
            live.iter().any(|route| route.object == *object && route.id == *id)
        };
        let mut meant = self.targets.iter().filter(|target| self.is_meant_for(target, pod));
        if let Some((object, id)) = meant.find(|target| !is_there(target)) {
            return Some(format!("it has no route {id} of {object}"));
        }
        self.places(pod).find_map(|(server, place)| {
            let config = server.https_config.as_ref()?;
            let served = merged::served(&self.routes, &place);
            let has_target = served.iter().any(|each| self.is_target(&self.routes[each.source]));
            (has_target && !configs.contains(config))
                .then(|| format!("it has no routes for {config}"))
        })
    }
}

impl Standing {
    /// Returns how a proxy stands against several expectations: the worst of it.
    #[must_use]
    pub fn all(standings: Vec<Self>) -> Self {
        let (mut live, mut all) = (Vec::new(), Places::default());
        let mut obstacle = None;
        for standing in standings {
            match standing {
                Self::Right(places) => all.extend(places),
                Self::Other(routes, places) => {
                    live.extend(routes);
                    all.extend(places);
                }
                missing => obstacle = obstacle.or(Some(missing)),
            }
        }
        match obstacle {
            _ if !live.is_empty() => Self::Other(live, all),
            Some(obstacle) => obstacle,
            None => Self::Right(all),
        }
    }

    /// Returns the route configurations it depends on; none when it may depend on any.
    #[must_use]
    pub fn configs(&self) -> BTreeSet<String> {
        match self {
            Self::Right(places) | Self::Other(_, places) => places.configs.clone(),
            Self::Missing(_) | Self::Unclear(_) => BTreeSet::new(),
        }
    }
}

impl Places {
    /// Adds others.
    pub fn extend(&mut self, other: Self) {
        self.configs.extend(other.configs);
        self.clusters.extend(other.clusters);
    }

    /// Returns why a proxy with these routes gets no requests for some of them; nothing when it does.
    #[must_use]
    pub fn obstacle(&self, front: &Front) -> Option<String> {
        for config in &self.configs {
            let refers = |chain: &&Chain| chain.route_config == *config;
            let mut active = front.listeners.iter().flat_map(|each| &each.active);
            let Some(chain) = active.find(refers) else {
                let mut warming = front.listeners.iter().flat_map(|each| &each.warming);
                return Some(match warming.find(refers) {
                    Some(_) => format!("the listener of {config} is warming"),
                    None => format!("no listener serves {config}"),
                });
            };
            let lacks = |secret: &&String| !front.secrets.contains(*secret);
            if let Some(secret) = chain.secrets.iter().find(lacks) {
                return Some(format!("the certificate {secret} of {config} is missing"));
            }
        }
        None
    }

    /// Returns which of the clusters has nobody who answers, as `healthy` are all that do.
    #[must_use]
    pub fn unhealthy(&self, healthy: &BTreeSet<String>) -> Option<String> {
        let lacks = |cluster: &&String| !healthy.contains(*cluster);
        self.clusters.iter().find(lacks).map(|cluster| format!("{cluster} has no healthy host"))
    }
}

impl LiveRoute {
    fn read(merged: &MergedRoute, route: &EnvoyRoute) -> Result<Self, String> {
        let weights = weights_in(route, &merged.route.destinations)?;
        Ok(Self {
            object: merged.object.clone(),
            id: merged.route.id,
            is_right: split::same_shares(&weights, &merged.route.weights()),
            shares: split::shares(&weights),
        })
    }
}

/// Returns the destinations that none of these clusters leads to, by index.
#[must_use]
pub fn without_cluster(destinations: &[&Destination], clusters: &BTreeSet<String>) -> Vec<usize> {
    let leads = |destination: &Destination| {
        let destination = std::slice::from_ref(destination);
        clusters.iter().any(|cluster| destination_of(cluster, destination).is_some())
    };
    (0..destinations.len()).filter(|index| !leads(destinations[*index])).collect()
}

/// The index of the first destination that a cluster is for.
fn destination_of(cluster: &str, destinations: &[Destination]) -> Option<usize> {
    let name = ClusterName::parse(cluster)?;
    destinations.iter().position(|destination| {
        destination.subset == name.subset
            && name.is_host(&destination.host)
            && destination.port.is_none_or(|port| port == name.port)
    })
}

fn leads_to(route: &EnvoyRoute, destinations: &[Destination]) -> bool {
    route.clusters().iter().all(|(cluster, _)| destination_of(cluster, destinations).is_some())
}

/// The weight an Envoy gives each destination, none to those it does not have; or why that cannot be told.
fn weights_in(route: &EnvoyRoute, destinations: &[Destination]) -> Result<Vec<u64>, String> {
    let clusters = route.clusters();
    let mut weights = vec![0u64; destinations.len()];
    for (index, (cluster, weight)) in clusters.iter().enumerate() {
        let is_own = |at: &usize| destination_of(cluster, &destinations[*at..=*at]).is_some();
        let own: Vec<_> = (0..destinations.len()).filter(is_own).collect();
        let same =
            |clusters: &[(&str, u64)]| clusters.iter().filter(|each| each.0 == *cluster).count();
        // Destinations that are one cluster are told apart by their order, if none was left out.
        let at = match own.len() {
            0 => return Err("it leads elsewhere".to_owned()),
            1 => own[0],
            several if several == same(&clusters) => own[same(&clusters[..index])],
            _ => return Err(format!("which destination of {cluster} is meant cannot be told")),
        };
        weights[at] = weights[at].saturating_add(*weight);
    }
    Ok(weights)
}

#[cfg(test)]
mod tests;
