//! What was seen on the proxies after a write, and what it amounts to.

use crate::domain::{
    object::ObjectRef,
    proof::LiveRoute,
    route::RouteId,
    shift::{RouteShift, Shift},
    split,
    text::Printable,
};

/// Everything that speaks for and against weights being live.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    /// What each proxy that was asked ran in the end.
    pub proxies: Vec<ProxyEvidence>,
    /// Where the routes also run, or may, without anybody having looked: in words.
    pub gaps: Vec<String>,
    /// What somebody else made of the weights meanwhile: in words.
    pub overtaken: Option<String>,
}

/// What one proxy ran in the end.
#[derive(Clone, Debug, PartialEq)]
pub struct ProxyEvidence {
    /// The gateway pod.
    pub pod: ObjectRef,
    /// What was seen there.
    pub seen: Seen,
}

/// What was seen on a proxy.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    /// The weights, this many seconds after they were written.
    Live {
        /// Seconds.
        seconds: f64,
    },
    /// Other weights.
    Other(Vec<LiveRoute>),
    /// Neither: why.
    Unproven(String),
    /// Nothing, for it may not be read: which right is missing.
    Unread(String),
    /// None of the routes, and it is to serve none.
    Absent,
}

impl Seen {
    /// Returns whether it runs the weights.
    #[must_use]
    pub fn is_live(&self) -> bool {
        matches!(self, Self::Live { .. })
    }

    /// Returns whether looking again can show anything else.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Live { .. } | Self::Unread(_) | Self::Absent)
    }
}

/// What the evidence amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every proxy that runs the routes runs the weights.
    Proven,
    /// It could not be seen everywhere.
    NotProven,
    /// A proxy runs other weights.
    Disproven,
}

impl Evidence {
    /// Returns what it amounts to. Nobody asked is never a proof.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        if self.proxies.iter().any(|proxy| matches!(proxy.seen, Seen::Other(_))) {
            Verdict::Disproven
        } else if self.gaps.is_empty()
            && self.overtaken.is_none()
            && !self.proxies.is_empty()
            && self.proxies.iter().all(|proxy| proxy.seen.is_live())
        {
            Verdict::Proven
        } else {
            Verdict::NotProven
        }
    }

    /// Returns why it is no proof, in words.
    #[must_use]
    pub fn reasons(&self) -> Vec<String> {
        let unproven = self.proxies.iter().filter_map(|proxy| match &proxy.seen {
            Seen::Unproven(why) => Some(format!("{}: {why}", pod_name(&proxy.pod))),
            // One right that is missing is one reason, however many proxies there are.
            Seen::Unread(why) => Some(why.clone()),
            Seen::Live { .. } | Seen::Other(_) | Seen::Absent => None,
        });
        let mut reasons: Vec<String> = Vec::new();
        for reason in self.overtaken.iter().chain(&self.gaps).cloned().chain(unproven) {
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
        reasons
    }

    /// Returns the proxies that run other weights than those of `shift`: `ns/pod runs v1 100, v2 0`.
    #[must_use]
    pub fn others(&self, shift: &Shift) -> Vec<String> {
        let others = self.proxies.iter().filter_map(|proxy| {
            Some(format!("{} runs {}", pod_name(&proxy.pod), proxy.other_weights(shift)?))
        });
        others.collect()
    }

    /// Returns how many proxies run the weights.
    #[must_use]
    pub fn live(&self) -> usize {
        self.proxies.iter().filter(|proxy| proxy.seen.is_live()).count()
    }
}

impl ProxyEvidence {
    /// Returns what it runs instead of the weights of `shift`: `v1 100, v2 0`.
    #[must_use]
    pub fn other_weights(&self, shift: &Shift) -> Option<String> {
        let Seen::Other(routes) = &self.seen else { return None };
        let routes: Vec<_> = routes
            .iter()
            .map(|live| describe(live, versions(shift, &live.object, live.id), routes.len() > 1))
            .collect();
        Some(routes.join("; "))
    }
}

fn versions<'a>(shift: &'a Shift, object: &ObjectRef, id: RouteId) -> &'a [String] {
    let is_it = |each: &&RouteShift| each.route.id == id && shift.virtual_service.object == *object;
    shift.routes.iter().find(is_it).map_or(&[], |route| &route.versions)
}

fn describe(live: &LiveRoute, versions: &[String], several: bool) -> String {
    let shares = versions.iter().zip(&live.shares);
    let shares: Vec<_> = shares
        .map(|(version, share)| format!("{} {}", Printable(version), split::display(*share)))
        .collect();
    let shares = shares.join(", ");
    if several { format!("{}: {shares}", live.id) } else { shares }
}

/// Returns a pod as `namespace/name`.
#[must_use]
pub fn pod_name(pod: &ObjectRef) -> String {
    format!("{}/{}", pod.namespace, pod.name)
}
