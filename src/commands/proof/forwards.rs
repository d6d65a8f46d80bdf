//! Port-forwards to gateway proxies: kept while they are few, opened anew otherwise, never many at a time.

use std::collections::BTreeMap;

use futures_util::{StreamExt as _, stream};
use tokio::time::{Instant, timeout_at};

use crate::{
    cluster::{Cluster, Proxy, ProxyError},
    domain::{object::ObjectRef, snapshot::Pod},
};

/// How many proxies are looked at at a time.
const AT_ONCE: usize = 8;

/// The proxies that are open.
#[derive(Default)]
pub(super) struct Forwards {
    open: BTreeMap<ObjectRef, Proxy>,
    /// The pods that may not be looked at, with the right that is missing.
    denied: BTreeMap<ObjectRef, String>,
}

/// Why nothing is known of a proxy.
pub(super) enum Unseen {
    /// This right is missing, and will be.
    Denied(String),
    /// It did not answer as it should, this time.
    Failed(String),
}

impl Unseen {
    pub(super) fn into_reason(self) -> String {
        match self {
            Self::Denied(why) | Self::Failed(why) => why,
        }
    }
}

impl Forwards {
    pub(super) fn is_open(&self, pod: &ObjectRef) -> bool {
        self.open.contains_key(pod)
    }

    /// Does something with the proxy of each pod, with a few at a time, each at the longest until the
    /// deadline that it has when its turn comes.
    pub(super) async fn each<T>(
        &mut self,
        cluster: &Cluster,
        pods: Vec<Pod>,
        deadline: impl Fn() -> Instant,
        act: impl AsyncFn(&ObjectRef, &mut Proxy) -> Result<T, ProxyError>,
    ) -> Vec<(ObjectRef, Result<T, Unseen>)> {
        let (act, deadline, are_kept) = (&act, &deadline, pods.len() <= AT_ONCE);
        let looks: Vec<_> = pods
            .into_iter()
            .map(|pod| {
                let object = pod.object_ref();
                let opened = match self.denied.get(&object) {
                    Some(right) => Err(Unseen::Denied(right.clone())),
                    None => Ok(self.open.remove(&object)),
                };
                async move {
                    let look = async {
                        let mut proxy = match opened? {
                            Some(proxy) => proxy,
                            None => cluster.proxy(pod).await?,
                        };
                        let seen = act(&object, &mut proxy).await?;
                        Ok((seen, proxy))
                    };
                    let late = || Err(Unseen::Failed("not looked at in time".to_owned()));
                    let looked = timeout_at(deadline(), look).await.unwrap_or_else(|_| late());
                    (object, looked)
                }
            })
            .collect();
        let mut looks = stream::iter(looks).buffer_unordered(AT_ONCE);
        let mut results = Vec::new();
        while let Some((pod, looked)) = looks.next().await {
            let seen = self.keep(&pod, looked, are_kept);
            results.push((pod, seen));
        }
        results.sort_by(|(one, _), (other, _)| one.cmp(other));
        results
    }

    /// Keeps the forward that was looked through, or the right that is missing.
    fn keep<T>(
        &mut self,
        pod: &ObjectRef,
        looked: Result<(T, Proxy), Unseen>,
        is_kept: bool,
    ) -> Result<T, Unseen> {
        match looked {
            Ok((seen, proxy)) => {
                if is_kept && !proxy.is_broken() {
                    self.open.insert(pod.clone(), proxy);
                }
                Ok(seen)
            }
            Err(unseen) => {
                if let Unseen::Denied(right) = &unseen {
                    self.denied.insert(pod.clone(), right.clone());
                }
                Err(unseen)
            }
        }
    }
}

impl From<ProxyError> for Unseen {
    fn from(error: ProxyError) -> Self {
        error.missing_right().map_or_else(|| Self::Failed(error.to_string()), Self::Denied)
    }
}
