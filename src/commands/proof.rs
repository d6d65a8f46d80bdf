//! Watches the gateway proxies that run a route until they run its new weights.

use std::{collections::BTreeSet, time::Duration};

use futures_util::{StreamExt as _, future::join_all, stream};
use serde_json::Value;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::read_delegates;
use crate::{
    cluster::{Cluster, Freshness, Proxy, ProxyError},
    domain::{
        object::{Kind, ObjectRef},
        proof::{
            Expectation, Gateway, LiveRoute, Places, Standing, Target,
            evidence::{Evidence, ProxyEvidence, Seen, pod_name},
            merged,
        },
        route::Protocol,
        shift::{Shift, Snapshot, guard::ProxyFacts},
        snapshot::Pod,
        virtual_service::VirtualService,
    },
};

/// How many proxies are looked at at a time.
const AT_ONCE: usize = 8;

/// How long to wait before pods that could not be read are looked at again.
const AGAIN: Duration = Duration::from_millis(200);

/// The proxy of a pod, or why there is none.
type Opened = (ObjectRef, Result<Proxy, ProxyError>);

/// The proxies that run some routes, as far as they can be seen.
#[derive(Default)]
pub(super) struct Watch {
    expectations: Vec<Expectation>,
    /// The first Gateway that was found.
    first_gateway: Option<Value>,
    /// The pods that run one of the Gateways, those that take no traffic among them.
    pods: Vec<Pod>,
    /// The first of their proxies, opened before the write, or why they never can be.
    open: Vec<Opened>,
    /// Where the routes run without anybody being able to look.
    gaps: Vec<String>,
    /// What could not be read before the write.
    unread: Vec<String>,
}

impl Watch {
    /// Finds the proxies that run routes, and opens the first of them. `served` is the object as it is
    /// to be served, its routes among those of `targets`.
    pub(super) async fn open(
        cluster: &Cluster,
        snapshot: &Snapshot,
        served: VirtualService,
        targets: Vec<Target>,
    ) -> Self {
        let mut watch = Self::default();
        // Only HTTP routes name their origin in a proxy; the others stand in its listeners, without it.
        let (http, others): (Vec<_>, Vec<_>) =
            targets.into_iter().partition(|(_, id)| id.protocol == Protocol::Http);
        if !others.is_empty() {
            watch.gap("TCP".to_owned());
        }
        if !http.is_empty() {
            watch.expect(cluster, snapshot, served, http).await;
        }
        watch.pods = watch.find_pods(cluster, Freshness::Cached).await;
        for gateway in watch.gateways() {
            if !gateway.selector.is_empty() && !watch.serving().any(|pod| gateway.is_run_by(pod)) {
                watch.gaps.push(format!("no ready pod runs {}", gateway.object));
            }
        }
        let first: Vec<_> = watch.serving().take(AT_ONCE).cloned().collect();
        let opening = first.into_iter().map(async |pod| (pod_ref(&pod), cluster.proxy(pod).await));
        for (pod, opened) in join_all(opening).await {
            match opened {
                Ok(proxy) => watch.open.push((pod, Ok(proxy))),
                Err(error) => {
                    let right = error.missing_right();
                    watch.unread(right.clone().unwrap_or_else(|| error.to_string()));
                    // Only what a right stands against is not tried again.
                    watch.open.extend(right.map(|_| (pod, Err(error))));
                }
            }
        }
        watch
    }

    /// Returns the first Gateway that was found, and the pods that run it.
    pub(super) fn first_gateway(&self) -> Option<(&Value, Vec<Pod>)> {
        let json = self.first_gateway.as_ref()?;
        let gateway = Gateway::read(json);
        let pods = self.pods.iter().filter(|pod| gateway.is_run_by(pod));
        (!gateway.selector.is_empty()).then(|| (json, pods.cloned().collect()))
    }

    /// Returns where the routes run without anybody being able to look.
    pub(super) fn gaps(&self) -> &[String] {
        &self.gaps
    }

    /// Returns why no proof is possible, whatever the proxies run.
    pub(super) fn obstacles(&self) -> Vec<String> {
        let mut obstacles = self.gaps.clone();
        obstacles.extend(self.unread.iter().filter(|why| !self.gaps.contains(why)).cloned());
        if obstacles.is_empty() && self.serving().next().is_none() {
            obstacles.push("no gateway runs it".to_owned());
        }
        obstacles
    }

    /// Returns what could not be read before the write.
    pub(super) fn not_checked(&self) -> &[String] {
        &self.unread
    }

    fn gap(&mut self, why: String) {
        if !self.gaps.contains(&why) {
            self.gaps.push(why);
        }
    }

    fn unread(&mut self, why: String) {
        if !self.unread.contains(&why) {
            self.unread.push(why);
        }
    }

    /// A gap that is there because something could not be read.
    fn unread_gap(&mut self, why: String) {
        self.unread(why.clone());
        self.gap(why);
    }

    /// Reads what decides where the routes are served: the roots, and their Gateways.
    async fn expect(
        &mut self,
        cluster: &Cluster,
        snapshot: &Snapshot,
        written: VirtualService,
        targets: Vec<Target>,
    ) {
        let mut known = snapshot.delegates.clone();
        known.retain(|each| each.object != written.object);
        known.push(written.clone());
        for root in self.roots(cluster, snapshot, written).await {
            if root.is_for_mesh() {
                self.gap("runs in sidecars".to_owned());
            }
            let delegates = match read_delegates(cluster, &root, &known).await {
                Ok(delegates) => delegates,
                Err(error) => return self.unread_gap(error.to_string()),
            };
            let objects = root.gateways();
            let found = join_all(objects.iter().map(|object| cluster.find(object))).await;
            let mut gateways = Vec::new();
            for (object, found) in objects.iter().zip(found) {
                match found {
                    Ok(Some(json)) => {
                        gateways.push(Gateway::read(&json));
                        self.first_gateway.get_or_insert(json);
                    }
                    Ok(None) => self.gap(format!("{object} does not exist")),
                    Err(error) => self.unread_gap(error.need()),
                }
            }
            let routes = merged::merge(&root, &delegates);
            self.expectations.push(Expectation {
                root,
                routes,
                targets: targets.clone(),
                gateways,
            });
        }
    }

    /// The VirtualServices that serve the written one: itself, or those that delegate to it.
    async fn roots(
        &mut self,
        cluster: &Cluster,
        snapshot: &Snapshot,
        written: VirtualService,
    ) -> Vec<VirtualService> {
        if !written.is_delegate() {
            return vec![written];
        }
        let namespace = &written.object.namespace;
        let (listed, error) = match cluster.list_widely(Kind::VirtualService, namespace).await {
            Ok(listing) => listing.into_parts(),
            Err(error) => (vec![], Some(error)),
        };
        let mut roots: Vec<_> = listed.into_iter().map(VirtualService::new).collect();
        if let Some(error) = error {
            self.unread_gap(format!("who else delegates to it ({})", error.need()));
            if roots.iter().all(|root| root.object != snapshot.named.object) {
                roots.push(snapshot.named.clone());
            }
        }
        roots.retain(|root| !root.is_delegate() && root.delegates().contains(&written.object));
        if roots.is_empty() {
            self.gap(format!("no VirtualService delegates to {}", written.object));
        }
        roots
    }

    fn gateways(&self) -> Vec<Gateway> {
        let mut gateways: Vec<_> =
            self.expectations.iter().flat_map(|each| each.gateways.clone()).collect();
        gateways.sort_by(|one, other| one.object.cmp(&other.object));
        gateways.dedup();
        gateways
    }

    /// The pods that take traffic.
    fn serving(&self) -> impl Iterator<Item = &Pod> {
        self.pods.iter().filter(|pod| pod.serves())
    }

    /// Finds the pods that run one of the Gateways.
    async fn find_pods(&mut self, cluster: &Cluster, freshness: Freshness) -> Vec<Pod> {
        let gateways = self.gateways();
        let (selecting, others): (Vec<_>, Vec<_>) =
            gateways.iter().partition(|gateway| !gateway.selector.is_empty());
        for gateway in others {
            self.gap(format!("{} has no selector", gateway.object));
        }
        let listing = selecting.iter().map(|gateway| {
            cluster.selected_pods(&gateway.selector, &gateway.object.namespace, freshness)
        });
        let mut pods: Vec<Pod> = Vec::new();
        for listed in join_all(listing).await {
            match listed {
                Ok((found, None)) => pods.extend(found),
                Ok((found, Some(error))) => {
                    pods.extend(found);
                    self.unread_gap(format!("gateway pods elsewhere ({})", error.need()));
                }
                Err(error) => self.unread_gap(error.need()),
            }
        }
        pods.sort_by(|one, other| pod_ref(one).cmp(&pod_ref(other)));
        pods.dedup_by(|one, other| pod_ref(one) == pod_ref(other));
        pods
    }

    /// Looks at what the proxies that are open run before a write.
    pub(super) async fn look(&mut self, shift: &Shift) -> Vec<ProxyFacts> {
        let mut facts = Vec::new();
        let mut looked = Vec::new();
        for (pod, opened) in self.open.drain(..) {
            let expectations = &self.expectations;
            looked.push(async move {
                match opened {
                    Ok(proxy) => (pod, look_at(proxy, expectations, shift).await),
                    Err(error) => (pod, Err(error)),
                }
            });
        }
        for (pod, looked) in join_all(looked).await {
            match looked {
                Ok((proxy, seen)) => {
                    self.open.push((pod, Ok(proxy)));
                    facts.push(seen);
                }
                Err(error) => {
                    let right = error.missing_right();
                    self.unread(right.clone().unwrap_or_else(|| error.to_string()));
                    self.open.extend(right.map(|_| (pod, Err(error))));
                }
            }
        }
        facts.sort();
        facts
    }

    /// Returns where the proxies that are open do not serve the routes, whatever their weights are.
    pub(super) async fn unserved(&mut self) -> Vec<String> {
        let expectations = &self.expectations;
        let open =
            self.open.iter_mut().filter_map(|(pod, opened)| Some((pod, opened.as_mut().ok()?)));
        let looking = open.map(async |(pod, proxy)| {
            // What cannot be read now is told by the proof.
            let why = unserved(proxy, expectations).await.ok().flatten()?;
            Some(format!("{}: {why}", pod_name(pod)))
        });
        join_all(looking).await.into_iter().flatten().collect()
    }

    /// Looks once at all proxies, and returns what each runs.
    pub(super) async fn observe(&mut self, cluster: &Cluster) -> Vec<Observation> {
        let open = std::mem::take(&mut self.open);
        let look = async |pod, proxy| observe(pod, proxy, &self.expectations).await;
        let pods = self.serving().cloned().collect();
        let mut observed = self.each(cluster, pods, open, look).await;
        observed.sort_by(|one, other| one.pod.cmp(&other.pod));
        observed
    }

    /// Waits until every proxy runs the weights, at the longest until the deadline.
    ///
    /// Pods are listed again at the end, so one that came meanwhile is waited for, and one that went
    /// is not; not so when everything was as wanted at the first look and nothing was written.
    pub(super) async fn prove(
        &mut self,
        cluster: &Cluster,
        wrote: bool,
        timeout: Duration,
    ) -> Evidence {
        let (start, mut proxies) = (Instant::now(), Vec::<ProxyEvidence>::new());
        let deadline = start + timeout;
        let mut is_first = true;
        loop {
            let is_settled = |pod: &&Pod| {
                proxies.iter().any(|each| each.pod == pod_ref(pod) && each.seen.is_final())
            };
            let pending: Vec<_> = self.serving().filter(|pod| !is_settled(pod)).cloned().collect();
            let is_over = !is_first && Instant::now() >= deadline;
            if pending.is_empty() || is_over {
                break;
            }
            let open = std::mem::take(&mut self.open);
            let look = async |pod, proxy| {
                let seen = watch(proxy, &self.expectations, start, deadline).await;
                ProxyEvidence { pod, seen }
            };
            let seen = self.each(cluster, pending, open, look).await;
            proxies.retain(|each| seen.iter().all(|new| new.pod != each.pod));
            proxies.extend(seen);
            let all_settled = proxies.iter().all(|each| each.seen.is_final());
            if all_settled && is_first && !wrote {
                break;
            }
            if !all_settled {
                sleep_until(deadline.min(Instant::now() + AGAIN)).await;
            }
            is_first = false;
            self.pods = self.find_pods(cluster, Freshness::Latest).await;
            proxies.retain(|each| self.serving().any(|pod| pod_ref(pod) == each.pod));
        }
        for pod in self.serving() {
            if proxies.iter().all(|each| each.pod != pod_ref(pod)) {
                let seen = Seen::Unproven("not looked at in time".to_owned());
                proxies.push(ProxyEvidence { pod: pod_ref(pod), seen });
            }
        }
        proxies.sort_by(|one, other| one.pod.cmp(&other.pod));
        Evidence { proxies, gaps: self.gaps.clone() }
    }

    /// Does something with the proxy of each pod, with a few at a time.
    async fn each<T>(
        &self,
        cluster: &Cluster,
        pods: Vec<Pod>,
        mut open: Vec<Opened>,
        act: impl AsyncFn(ObjectRef, Result<Proxy, ProxyError>) -> T,
    ) -> Vec<T> {
        let act = &act;
        let acting = pods.into_iter().map(|pod| {
            let object = pod_ref(&pod);
            let place = open.iter().position(|(pod, _)| *pod == object);
            let opened = place.map(|place| open.swap_remove(place).1);
            async move {
                let proxy = match opened {
                    Some(opened) => opened,
                    None => cluster.proxy(pod).await,
                };
                act(object, proxy).await
            }
        });
        let acting: Vec<_> = acting.collect();
        stream::iter(acting).buffer_unordered(AT_ONCE).collect().await
    }
}

/// What one proxy runs.
pub(super) struct Observation {
    /// The pod.
    pub(super) pod: ObjectRef,
    /// The shares it gives each route, or why that cannot be told.
    pub(super) routes: Result<Vec<LiveRoute>, String>,
}

/// Looks at a proxy once.
async fn observe(
    pod: ObjectRef,
    proxy: Result<Proxy, ProxyError>,
    expectations: &[Expectation],
) -> Observation {
    let look = async {
        let why = |error: ProxyError| error.missing_right().unwrap_or_else(|| error.to_string());
        let mut proxy = proxy.map_err(why)?;
        let pod = proxy.pod.clone();
        let configs = proxy.routes().await.map_err(|error| error.to_string())?;
        let mut routes = Vec::new();
        for expectation in expectations {
            routes.extend(expectation.observe(&pod, configs)?.0);
        }
        Ok(routes)
    };
    Observation { pod, routes: look.await }
}

/// Watches one proxy until it runs the weights, or the deadline.
async fn watch(
    proxy: Result<Proxy, ProxyError>,
    expectations: &[Expectation],
    start: Instant,
    deadline: Instant,
) -> Seen {
    let mut proxy = match proxy {
        Ok(proxy) => proxy,
        Err(error) => {
            let unread = error.missing_right().map(Seen::Unread);
            return unread.unwrap_or_else(|| Seen::Unproven(error.to_string()));
        }
    };
    let mut seen = Seen::Unproven("it did not answer in time".to_owned());
    loop {
        let looked = timeout_at(deadline.max(start + AGAIN), judge(&mut proxy, expectations)).await;
        match looked {
            Ok(Ok(None)) => return Seen::Live { seconds: start.elapsed().as_secs_f64() },
            Ok(Ok(Some(other))) => seen = other,
            Ok(Err(why)) => return Seen::Unproven(why),
            Err(_) => {}
        }
        if Instant::now() >= deadline {
            return seen;
        }
        proxy.pause(deadline).await;
    }
}

/// Looks at a proxy once; nothing when it runs the weights.
async fn judge(proxy: &mut Proxy, expectations: &[Expectation]) -> Result<Option<Seen>, String> {
    let pod = proxy.pod.clone();
    let configs = proxy.routes().await.map_err(|error| error.to_string())?;
    let standings: Vec<_> = expectations.iter().map(|each| each.judge(&pod, configs)).collect();
    let standing = Standing::all(standings);
    proxy.watch_only(standing.configs());
    Ok(match standing {
        Standing::Other(routes, _) => Some(Seen::Other(routes)),
        Standing::Missing(why) | Standing::Unclear(why) => Some(Seen::Unproven(why)),
        Standing::Right(places) => {
            let around = proxy.surroundings(&places.clusters).await;
            let around = around.map_err(|error| error.to_string())?;
            places.obstacle(&around).map(Seen::Unproven)
        }
    })
}

/// Returns why a proxy does not serve the routes it has: a listener or certificate that is missing.
async fn unserved(
    proxy: &mut Proxy,
    expectations: &[Expectation],
) -> Result<Option<String>, ProxyError> {
    let pod = proxy.pod.clone();
    let configs = proxy.routes().await?;
    let observed = expectations.iter().filter_map(|each| each.observe(&pod, configs).ok());
    let configs = observed.flat_map(|(_, places)| places.configs).collect();
    let around = proxy.surroundings(&BTreeSet::new()).await?;
    Ok(Places { configs, ..Places::default() }.obstacle(&around))
}

/// Looks at a proxy before the write.
async fn look_at(
    mut proxy: Proxy,
    expectations: &[Expectation],
    shift: &Shift,
) -> Result<(Proxy, ProxyFacts), ProxyError> {
    let pod = proxy.pod.clone();
    let configs = proxy.routes().await?;
    let shadow = expectations.iter().find_map(|each| each.shadow(&pod, configs));
    let rising: Vec<_> = shift.rising().collect();
    let destinations: Vec<_> = rising.iter().map(|(_, destination)| *destination).collect();
    let without =
        if destinations.is_empty() { vec![] } else { proxy.without_hosts(&destinations).await? };
    let without_hosts = without.into_iter().map(|index| rising[index].0.to_owned()).collect();
    Ok((proxy, ProxyFacts { pod: pod_name(&pod_ref(&pod)), shadow, without_hosts }))
}

fn pod_ref(pod: &Pod) -> ObjectRef {
    ObjectRef::new(Kind::Pod, &pod.namespace, &pod.name)
}
