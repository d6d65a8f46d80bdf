//! The gateway proxies that run a route: which they are, what they run before a write (`look`), and
//! whether they run what was written (`prove`).

mod forwards;
mod look;
mod prove;

use std::{collections::BTreeSet, time::Duration};

use futures_util::future::join_all;
use serde_json::Value;

use self::forwards::Forwards;
use super::read_delegates;
use crate::{
    cluster::{Cluster, Freshness},
    domain::{
        object::{Kind, ObjectRef},
        proof::{Expectation, Gateway, Target, merged},
        route::Protocol,
        shift::Snapshot,
        snapshot::Pod,
        virtual_service::VirtualService,
    },
};

/// The proxies that run some routes, as far as they can be seen.
#[derive(Default)]
pub(super) struct Watch {
    expectations: Vec<Expectation>,
    /// The first Gateway that was found.
    first_gateway: Option<Value>,
    /// The pods that run one of the Gateways, those that take no traffic among them.
    pods: Vec<Pod>,
    forwards: Forwards,
    /// Where the routes run without anybody being able to look.
    gaps: Vec<String>,
    /// The same, as far as it depends on the pods there are.
    pod_gaps: Vec<String>,
    /// What could not be read before the write.
    unread: Vec<String>,
    /// The pods that ran other weights before the write.
    stale: BTreeSet<ObjectRef>,
    /// How long the first look at all of them took.
    pace: Duration,
}

impl Watch {
    /// Finds the proxies that run routes. `served` is the object as it is to be served, its routes among
    /// those of `targets`.
    pub(super) async fn new(
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
        watch.find_pods(cluster, Freshness::Cached).await;
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
    pub(super) fn gaps(&self) -> Vec<String> {
        self.gaps.iter().chain(&self.pod_gaps).cloned().collect()
    }

    /// Returns the VirtualServices that serve the routes: the one they stand in, or those that delegate
    /// to it.
    pub(super) fn roots(&self) -> Vec<ObjectRef> {
        self.expectations.iter().map(|each| each.root.object.clone()).collect()
    }

    /// Returns why a route that is meant gets no requests from anybody, whatever its weights are.
    pub(super) fn unserved(&self) -> Option<String> {
        let mut reasons = self.expectations.iter().map(Expectation::unserved_target);
        let first = reasons.next()??;
        reasons.all(|reason| reason.is_some()).then_some(first)
    }

    /// Returns why no proof is possible, whatever the proxies run.
    pub(super) fn obstacles(&self) -> Vec<String> {
        let mut obstacles = self.gaps();
        obstacles.extend(self.unread.iter().cloned());
        let mut told = BTreeSet::new();
        obstacles.retain(|why| told.insert(why.clone()));
        if obstacles.is_empty() && self.serving().next().is_none() {
            obstacles.push("no gateway runs it".to_owned());
        }
        obstacles
    }

    /// Returns what could not be read before the write.
    pub(super) fn not_checked(&self) -> &[String] {
        &self.unread
    }

    pub(super) fn gap(&mut self, why: String) {
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
        for root in self.find_roots(cluster, snapshot, written).await {
            let delegates = match read_delegates(cluster, &root, &known).await {
                Ok(delegates) => delegates,
                Err(error) => return self.unread_gap(error.to_string()),
            };
            let gateways = self.read_gateways(cluster, &root).await;
            let routes = merged::merge(&root, &delegates);
            let targets = targets.clone();
            let mut expectation = Expectation { root, routes, targets, gateways };
            if expectation.runs_in_sidecars() {
                self.gap("runs in sidecars".to_owned());
            }
            expectation.leave_out_sidecars();
            self.expectations.push(expectation);
        }
    }

    /// Reads the Gateways a root is bound to, those that there are.
    async fn read_gateways(&mut self, cluster: &Cluster, root: &VirtualService) -> Vec<Gateway> {
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
        gateways
    }

    /// The VirtualServices that serve the written one: itself, or those that delegate to it.
    async fn find_roots(
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

    /// The Gateways whose pods run the routes.
    fn gateways(&self) -> Vec<Gateway> {
        let gateways = self.expectations.iter().flat_map(Expectation::target_gateways);
        let mut gateways: Vec<_> = gateways.cloned().collect();
        gateways.sort_by(|one, other| one.object.cmp(&other.object));
        gateways.dedup();
        gateways
    }

    /// The pods that take traffic.
    fn serving(&self) -> impl Iterator<Item = &Pod> {
        self.pods.iter().filter(|pod| pod.serves())
    }

    /// The routes that a pod is to run.
    fn routes_of(&self, pod: &Pod) -> Vec<&Target> {
        let all = self.expectations.iter();
        let all = all.flat_map(|each| each.targets.iter().map(move |target| (each, target)));
        let own = all.filter(|(each, target)| each.is_meant_for(target, pod));
        own.map(|(_, target)| target).collect()
    }

    /// The routes that no pod is to run of those that take traffic.
    fn orphans(&self) -> Vec<Target> {
        let run: Vec<_> = self.serving().flat_map(|pod| self.routes_of(pod)).collect();
        let targets = self.expectations.iter().flat_map(|each| &each.targets);
        targets.filter(|target| !run.contains(target)).cloned().collect()
    }

    /// Finds the pods that run one of the Gateways. Those that cannot be listed now stay as they were.
    async fn find_pods(&mut self, cluster: &Cluster, freshness: Freshness) {
        let gateways = self.gateways();
        let listing = gateways.iter().map(async |gateway| {
            if gateway.selector.is_empty() {
                return Ok((vec![], None));
            }
            let namespace = &gateway.object.namespace;
            cluster.selected_pods(&gateway.selector, namespace, freshness).await
        });
        let mut gaps = Vec::new();
        let mut pods: Vec<Pod> = Vec::new();
        for (gateway, listed) in gateways.iter().zip(join_all(listing).await) {
            let (found, error) = match listed {
                Ok((found, error)) => {
                    (found, error.map(|error| format!("gateway pods elsewhere ({})", error.need())))
                }
                Err(error) => {
                    let known = self.pods.iter().filter(|pod| gateway.is_run_by(pod));
                    (known.cloned().collect(), Some(error.need()))
                }
            };
            if let Some(why) = error {
                self.unread(why.clone());
                gaps.push(why);
            } else if gateway.selector.is_empty() {
                gaps.push(format!("{} has no selector", gateway.object));
            } else if !found.iter().any(Pod::serves) {
                gaps.push(format!("no ready pod runs {}", gateway.object));
            }
            pods.extend(found);
        }
        pods.sort_by_key(Pod::object_ref);
        pods.dedup_by_key(|pod| pod.object_ref());
        gaps.dedup();
        // Where there is nobody to serve anything, that was said.
        let is_open = pods.iter().any(Pod::serves) || (gaps.is_empty() && self.gaps.is_empty());
        (self.pods, self.pod_gaps) = (pods, gaps);
        for (object, id) in self.orphans().into_iter().filter(|_| is_open) {
            self.pod_gaps.push(format!("no gateway serves route {id} of {object}"));
        }
        self.pod_gaps.dedup();
    }
}
