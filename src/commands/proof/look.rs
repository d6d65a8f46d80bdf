//! What proxies run, before a write or without one.

use std::{cell::RefCell, time::Duration};

use tokio::time::Instant;

use super::{Watch, forwards::Unseen};
use crate::{
    cluster::{Cluster, Proxy, ProxyError},
    domain::{
        object::ObjectRef,
        proof::{Expectation, LiveRoute, Places, Standing, Target, evidence::pod_name},
        shift::{Shift, guard::ProxyFacts},
        status::ProxyState,
    },
};

/// How long ago a cluster may have been seen to have healthy hosts.
const RECENT: Duration = Duration::from_secs(1);

/// How long ago a proxy may have been seen to have the listeners and certificates that it needs.
const FRONT_AGE: Duration = Duration::from_secs(5);

impl Watch {
    /// Looks at what the proxies run before a write, at all of them.
    pub(in crate::commands) async fn look(
        &mut self,
        cluster: &Cluster,
        shift: &Shift,
        deadline: Instant,
    ) -> Vec<ProxyFacts> {
        let (mut facts, start) = (Vec::new(), Instant::now());
        for (pod, seen) in self.look_at(cluster, shift, deadline).await {
            match seen {
                Ok(seen) => facts.push(seen),
                Err(Unseen::Denied(right)) => self.unread(right),
                Err(Unseen::Failed(why)) => self.unread(format!("{}: {why}", pod_name(&pod))),
            }
        }
        self.pace = start.elapsed();
        facts
    }

    /// Takes into account that others take the requests on proxies, where that was allowed.
    pub(in crate::commands) fn note_shadows(&mut self, facts: &[ProxyFacts]) {
        for shadow in facts.iter().filter_map(|each| each.shadow.as_ref()) {
            self.gap(format!("{shadow} takes these requests before it does"));
        }
    }

    /// Looks at them again. Of one that does not answer, what was seen before stays so.
    pub(in crate::commands) async fn look_again(
        &mut self,
        cluster: &Cluster,
        shift: &Shift,
        facts: &mut [ProxyFacts],
        deadline: Instant,
    ) {
        for (_, seen) in self.look_at(cluster, shift, deadline).await {
            let Ok(seen) = seen else { continue };
            if let Some(known) = facts.iter_mut().find(|each| each.pod == seen.pod) {
                *known = seen;
            }
        }
    }

    async fn look_at(
        &mut self,
        cluster: &Cluster,
        shift: &Shift,
        deadline: Instant,
    ) -> Vec<(ObjectRef, Result<ProxyFacts, Unseen>)> {
        let pods = self.serving().cloned().collect();
        let expectations = &self.expectations;
        let stale = RefCell::new(&mut self.stale);
        let look = async |pod: &ObjectRef, proxy: &mut Proxy| {
            proxy.routes().await?;
            if matches!(standing(proxy, expectations), Standing::Other(..)) {
                stale.borrow_mut().insert(pod.clone());
            }
            look_before(pod, proxy, expectations, shift).await
        };
        self.forwards.each(cluster, pods, || deadline, look).await
    }

    /// Returns where proxies do not serve the routes, whatever their weights are.
    pub(in crate::commands) async fn closed(
        &mut self,
        cluster: &Cluster,
        deadline: Instant,
    ) -> Vec<String> {
        let pods = self.serving().cloned().collect();
        let expectations = &self.expectations;
        let look = async |_: &ObjectRef, proxy: &mut Proxy| closed(proxy, expectations).await;
        let looked = self.forwards.each(cluster, pods, || deadline, look).await;
        // What cannot be read now is told by the proof.
        let missing = looked.into_iter().filter_map(|(pod, seen)| Some((pod, seen.ok()??)));
        missing.map(|(pod, why)| format!("{}: {why}", pod_name(&pod))).collect()
    }

    /// Looks once at all proxies, and returns what each runs.
    pub(in crate::commands) async fn observe(
        &mut self,
        cluster: &Cluster,
        deadline: Instant,
    ) -> Vec<ProxyState> {
        let pods = self.serving().cloned().collect();
        let expectations = &self.expectations;
        let look = async |_: &ObjectRef, proxy: &mut Proxy| observe(proxy, expectations).await;
        let looked = self.forwards.each(cluster, pods, || deadline, look).await;
        let states = looked.into_iter().map(|(pod, seen)| {
            let (routes, obstacles) =
                seen.unwrap_or_else(|unseen| (Err(unseen.into_reason()), vec![]));
            let of_pod = self.pods.iter().find(|each| each.object_ref() == pod);
            let bound = of_pod.map_or(vec![], |pod| self.routes_of(pod)).into_iter().cloned();
            ProxyState { bound: bound.collect(), pod, routes, obstacles }
        });
        states.collect()
    }
}

/// How a proxy stands, as far as its routes say it that were read last.
pub(super) fn standing(proxy: &Proxy, expectations: &[Expectation]) -> Standing {
    let configs = proxy.known_routes();
    let standings = expectations.iter().map(|each| each.judge(&proxy.pod, configs));
    Standing::all(standings.collect())
}

async fn look_before(
    pod: &ObjectRef,
    proxy: &mut Proxy,
    expectations: &[Expectation],
    shift: &Shift,
) -> Result<ProxyFacts, ProxyError> {
    let (at, configs) = (&proxy.pod, proxy.known_routes());
    let shadow = expectations.iter().find_map(|each| each.shadow(at, configs));
    let rising: Vec<_> = shift.rising().collect();
    let destinations: Vec<_> = rising.iter().map(|(_, destination)| *destination).collect();
    let without =
        if destinations.is_empty() { vec![] } else { proxy.without_hosts(&destinations).await? };
    proxy.forget_cost();
    let without_hosts = without.into_iter().map(|index| rising[index].0.to_owned()).collect();
    Ok(ProxyFacts { pod: pod_name(pod), shadow, without_hosts })
}

/// Returns the shares a proxy gives each route, or why that cannot be told; and for each route why
/// requests do not arrive accordingly.
async fn observe(
    proxy: &mut Proxy,
    expectations: &[Expectation],
) -> Result<(Result<Vec<LiveRoute>, String>, Vec<(Target, String)>), ProxyError> {
    let pod = proxy.pod.clone();
    let configs = proxy.routes().await?;
    let (mut routes, mut all) = (Vec::new(), Vec::new());
    for each in expectations.iter().flat_map(Expectation::by_target) {
        match each.observe(&pod, configs) {
            Ok((live, places)) => {
                routes.extend(live);
                all.push((each.targets[0].clone(), each.shadow(&pod, configs), places));
            }
            Err(why) => return Ok((Err(why), vec![])),
        }
    }
    let mut obstacles = Vec::new();
    for (target, shadow, places) in all {
        let obstacle = match shadow {
            Some(shadow) => Some(format!("{shadow} takes these requests before it does")),
            None => obstacle(proxy, &places).await?,
        };
        obstacles.extend(obstacle.map(|why| (target, why)));
    }
    Ok((Ok(routes), obstacles))
}

/// Returns why a proxy does not serve these routes, whatever their weights are: a cluster without
/// anybody who answers, a listener or a certificate that is missing.
pub(super) async fn obstacle(
    proxy: &mut Proxy,
    places: &Places,
) -> Result<Option<String>, ProxyError> {
    // Clusters are few and asked for by name; listeners are all read, so only when these are well.
    let unhealthy = places.unhealthy(&proxy.healthy(&places.clusters, RECENT).await?);
    if unhealthy.is_some() {
        return Ok(unhealthy);
    }
    let front = proxy.front(FRONT_AGE, |known| places.obstacle(known).is_none()).await?;
    Ok(places.obstacle(front))
}

/// Reads what else a proof needs while other weights are waited for, so that it is there in the end.
pub(super) async fn read_ahead(proxy: &mut Proxy, places: &Places) -> Result<(), ProxyError> {
    proxy.healthy(&places.clusters, RECENT / 2).await?;
    proxy.front(FRONT_AGE, |_| true).await?;
    Ok(())
}

/// Returns why a proxy does not serve the routes it has: a listener or certificate that is missing.
async fn closed(
    proxy: &mut Proxy,
    expectations: &[Expectation],
) -> Result<Option<String>, ProxyError> {
    let pod = proxy.pod.clone();
    let configs = proxy.routes().await?;
    let observed = expectations.iter().filter_map(|each| each.observe(&pod, configs).ok());
    let configs = observed.flat_map(|(_, places)| places.configs).collect();
    obstacle(proxy, &Places { configs, ..Places::default() }).await
}
