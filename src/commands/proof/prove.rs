//! Waits until the proxies run what was written.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures_util::future::join_all;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::{
    Watch,
    forwards::Unseen,
    look::{obstacle, read_ahead, standing},
};
use crate::{
    cluster::{Cluster, Freshness, Proxy, ProxyError},
    domain::{
        object::ObjectRef,
        proof::{
            Expectation, Standing,
            evidence::{Evidence, ProxyEvidence, Seen, pod_name},
        },
        shift::{Aftermath, Shift},
        snapshot::Pod,
        virtual_service::{VirtualService, spec_without_weights},
    },
};

/// How long to wait before pods that could not be read are looked at again.
const AGAIN: Duration = Duration::from_millis(500);

/// How long a proxy is watched before others have their turn, and pods are listed again.
const TURN: Duration = Duration::from_secs(5);

/// How long one proxy may hold up the next look at the others.
const LONGEST_TURN: Duration = Duration::from_secs(10);

/// How long the last look at a proxy may take after its time is over.
const LAST_LOOK: Duration = Duration::from_secs(1);

/// How long a proxy that does not answer may hold up the answer to a write, unless the line is slower.
const READ_AHEAD: Duration = Duration::from_secs(2);

impl Watch {
    /// Waits until every proxy runs the weights, at the longest until the deadline.
    ///
    /// The object and the pods are read again and again, and at the end: nothing is waited for once
    /// somebody else changed the weights, a pod that came meanwhile is, and one that went is not. Not so
    /// when everything was as wanted at the first look and nothing was written.
    pub(in crate::commands) async fn prove(
        &mut self,
        cluster: &Cluster,
        shift: &Shift,
        wrote: bool,
        timeout: Duration,
    ) -> Evidence {
        let start = Instant::now();
        let deadline = start + timeout;
        let stale = std::mem::take(&mut self.stale);
        let mut seen = Sightings { stale, ..Sightings::default() };
        let mut meanwhile = Meanwhile::default();
        let (mut is_first, mut is_last) = (true, false);
        let served = self.served(shift);
        loop {
            let is_pending = |pod: &&Pod| !seen.is_settled(&pod.object_ref());
            let pending: Vec<_> = self.serving().filter(is_pending).cloned().collect();
            if pending.is_empty() || is_last || meanwhile.overtaken.is_some() {
                break;
            }
            // What was seen before the deadline is looked at once more after it.
            is_last = Instant::now() >= deadline;
            self.watch(cluster, pending, (start, deadline), &mut seen).await;
            let all_settled = seen.latest.values().all(Seen::is_final);
            if all_settled && is_first && !wrote {
                break;
            }
            if !all_settled {
                sleep_until(deadline.min(Instant::now() + AGAIN)).await;
            }
            is_first = false;
            let was_seen = seen.latest.values().any(|seen| !matches!(seen, Seen::Unread(_)));
            let reading = async {
                if was_seen {
                    Meanwhile::read(cluster, shift, &served).await
                } else {
                    Meanwhile::default()
                }
            };
            meanwhile = tokio::join!(reading, self.find_pods(cluster, Freshness::Latest)).0;
            seen.latest.retain(|pod, _| self.serving().any(|each| each.object_ref() == *pod));
        }
        self.evidence(seen, meanwhile)
    }

    /// Watches some of the proxies for a turn.
    async fn watch(
        &mut self,
        cluster: &Cluster,
        pods: Vec<Pod>,
        (start, deadline): (Instant, Instant),
        seen: &mut Sightings,
    ) {
        let limit = || (Instant::now() + LONGEST_TURN).min(deadline + LAST_LOOK);
        let expectations = &self.expectations;
        let noted = RefCell::new(&mut *seen);
        let look = async |pod: &ObjectRef, proxy: &mut Proxy| {
            // What was seen counts also when its turn is cut off.
            let note = |now: &Seen| noted.borrow_mut().learn(pod.clone(), Ok(now.clone()));
            watch(proxy, expectations, (start, deadline), note).await
        };
        let looked = self.forwards.each(cluster, pods, limit, look).await;
        looked.into_iter().for_each(|(pod, now)| seen.learn(pod, now));
    }

    /// Reads what a proof needs besides the weights, of the proxies that are open: while the write is on
    /// its way, nothing else is asked of them.
    pub(in crate::commands) async fn read_ahead(&mut self, cluster: &Cluster) {
        let is_open = |pod: &&Pod| self.forwards.is_open(&pod.object_ref());
        let open = self.serving().filter(is_open).cloned().collect();
        // A line as slow as that of the first look takes as long again.
        let limit = Instant::now() + self.pace.clamp(READ_AHEAD, TURN);
        let expectations = &self.expectations;
        let look = async |_: &ObjectRef, proxy: &mut Proxy| {
            let concluded = conclude(proxy, expectations).await.map(drop);
            proxy.forget_cost();
            concluded
        };
        // What is wrong now is seen again, and told, by the proof.
        self.forwards.each(cluster, open, || limit, look).await;
    }

    fn evidence(&self, mut seen: Sightings, meanwhile: Meanwhile) -> Evidence {
        let not_looked_at = || Seen::Unproven("not looked at in time".to_owned());
        let proxies = self.serving().map(Pod::object_ref).map(|pod| {
            let seen = seen.latest.remove(&pod).unwrap_or_else(not_looked_at);
            ProxyEvidence { pod, seen }
        });
        let proxies = proxies.filter(|proxy| proxy.seen != Seen::Absent).collect();
        // It may serve again, with the weights it had.
        let unready = self.pods.iter().filter(|pod| !pod.serves() && !pod.terminating);
        let stale = unready.map(Pod::object_ref).filter(|pod| seen.stale.contains(pod));
        let stale =
            stale.map(|pod| format!("{}, not ready now, ran other weights", pod_name(&pod)));
        let gaps = self.gaps().into_iter().chain(meanwhile.changed).chain(stale).collect();
        Evidence { proxies, gaps, overtaken: meanwhile.overtaken }
    }

    /// The objects that make the routes what they are, as they are to be served: the one that is written,
    /// and those that delegate to it.
    fn served(&self, shift: &Shift) -> Vec<VirtualService> {
        let written = shift.applied();
        let roots = self.expectations.iter().map(|each| each.root.clone());
        let roots: Vec<_> = roots.filter(|root| root.object != written.object).collect();
        std::iter::once(written).chain(roots).collect()
    }
}

/// What others did while proxies were watched, in words.
#[derive(Default)]
struct Meanwhile {
    /// What became of the weights; nothing where they are as they were written.
    overtaken: Option<String>,
    /// What is not as it was when the proxies that count were found.
    changed: Option<String>,
}

impl Meanwhile {
    async fn read(cluster: &Cluster, shift: &Shift, served: &[VirtualService]) -> Self {
        let found = join_all(served.iter().map(|each| cluster.find(&each.object))).await;
        let mut meanwhile = Self::default();
        for (served, now) in served.iter().zip(found) {
            let now = match now {
                Ok(now) => now,
                Err(error) => {
                    let how = format!("{} was not read again ({})", served.object, error.need());
                    meanwhile.changed.get_or_insert(how);
                    continue;
                }
            };
            let is_written = served.object == shift.virtual_service.object;
            let became = now.as_ref().filter(|_| is_written).map(|now| shift.aftermath(now));
            match (now, became) {
                (Some(_), Some((Aftermath::NotWritten | Aftermath::Other, shares))) => {
                    let how = format!("somebody else changed it meanwhile: {shares}");
                    meanwhile.overtaken = Some(how);
                }
                // Weights of other routes are no matter.
                (Some(now), _)
                    if spec_without_weights(&now) == spec_without_weights(&served.json) => {}
                (Some(_), _) => {
                    let how = format!("somebody else changed {} meanwhile", served.object);
                    meanwhile.changed.get_or_insert(how);
                }
                (None, _) if is_written => {
                    meanwhile.overtaken = Some("it was deleted meanwhile".to_owned());
                }
                (None, _) => {
                    meanwhile.changed = Some(format!("{} was deleted meanwhile", served.object));
                }
            }
        }
        meanwhile
    }
}

/// What was seen of proxies.
#[derive(Default)]
struct Sightings {
    /// Of each the latest.
    latest: BTreeMap<ObjectRef, Seen>,
    /// Those that ran other weights when they last said so.
    stale: BTreeSet<ObjectRef>,
}

impl Sightings {
    fn is_settled(&self, pod: &ObjectRef) -> bool {
        self.latest.get(pod).is_some_and(Seen::is_final)
    }

    /// Adds what was seen of a proxy. What it was seen to run counts until it answers again.
    fn learn(&mut self, pod: ObjectRef, now: Result<Seen, Unseen>) {
        let now = match now {
            Ok(now) => now,
            Err(Unseen::Denied(right)) => Seen::Unread(right),
            Err(Unseen::Failed(_)) if matches!(self.latest.get(&pod), Some(Seen::Other(_))) => {
                return;
            }
            Err(Unseen::Failed(why)) => Seen::Unproven(why),
        };
        match now {
            Seen::Other(_) => drop(self.stale.insert(pod.clone())),
            Seen::Live { .. } => drop(self.stale.remove(&pod)),
            Seen::Unproven(_) | Seen::Unread(_) | Seen::Absent => {}
        }
        self.latest.insert(pod, now);
    }
}

/// Watches one proxy until it runs the weights, or its turn or all time is over, and notes what it
/// runs until then.
async fn watch(
    proxy: &mut Proxy,
    expectations: &[Expectation],
    (start, deadline): (Instant, Instant),
    note: impl Fn(&Seen),
) -> Result<Seen, ProxyError> {
    let until = deadline.min(Instant::now() + TURN);
    let mut seen = Seen::Unproven("it did not answer in time".to_owned());
    let mut is_first = true;
    loop {
        // However long it paused, it is looked at once more.
        let limit = deadline.max(Instant::now() + LAST_LOOK);
        match timeout_at(limit, judge(proxy, expectations)).await {
            Ok(Ok(None)) => return Ok(Seen::Live { seconds: start.elapsed().as_secs_f64() }),
            Ok(Ok(Some(other))) if other.is_final() => return Ok(other),
            Ok(Ok(Some(other))) => {
                note(&other);
                seen = other;
            }
            Ok(Err(_)) if matches!(seen, Seen::Other(_)) => return Ok(seen),
            Ok(Err(error)) => return Err(error),
            Err(_) => return Ok(seen),
        }
        if Instant::now() >= until {
            return Ok(seen);
        }
        if std::mem::take(&mut is_first) {
            proxy.forget_cost();
        }
        proxy.pause(until).await;
    }
}

/// Looks at a proxy once; nothing when it runs the weights.
async fn judge(
    proxy: &mut Proxy,
    expectations: &[Expectation],
) -> Result<Option<Seen>, ProxyError> {
    proxy.routes().await?;
    conclude(proxy, expectations).await
}

/// Concludes from the routes that were read; nothing when they have the weights. What else a proof needs
/// is read while other weights are waited for, and once more only where it is old or was an obstacle.
async fn conclude(
    proxy: &mut Proxy,
    expectations: &[Expectation],
) -> Result<Option<Seen>, ProxyError> {
    let standing = standing(proxy, expectations);
    proxy.watch_only(standing.configs());
    match standing {
        Standing::Other(routes, places) => {
            read_ahead(proxy, &places).await?;
            Ok(Some(Seen::Other(routes)))
        }
        Standing::Missing(why) | Standing::Unclear(why) => Ok(Some(Seen::Unproven(why))),
        // What is to be there is, and that is nothing.
        Standing::Right(places) if places.configs.is_empty() => Ok(Some(Seen::Absent)),
        Standing::Right(places) => Ok(obstacle(proxy, &places).await?.map(Seen::Unproven)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::object::Kind;

    #[test]
    fn what_a_proxy_was_seen_to_run_counts_until_it_answers_again() {
        let pod = ObjectRef::new(Kind::Pod, "istio-system", "gateway");
        let mut seen = Sightings::default();
        let mut check = |now: Result<Seen, Unseen>, expected: Seen| {
            seen.learn(pod.clone(), now);
            assert_eq!(seen.latest[&pod], expected);
        };
        let failed = || Err(Unseen::Failed("reset".to_owned()));
        check(failed(), Seen::Unproven("reset".to_owned()));
        check(Ok(Seen::Other(vec![])), Seen::Other(vec![]));
        check(failed(), Seen::Other(vec![]));
        check(Ok(Seen::Unproven("no route".to_owned())), Seen::Unproven("no route".to_owned()));
        check(failed(), Seen::Unproven("reset".to_owned()));
        check(Ok(Seen::Live { seconds: 1.0 }), Seen::Live { seconds: 1.0 });
    }
}
