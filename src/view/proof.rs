//! What was seen on the gateway proxies after a write.

use std::io::{self, Write};

use serde::Serialize;

use crate::domain::{
    proof::evidence::{Evidence, ProxyEvidence, Seen, Verdict, pod_name},
    shift::Shift,
    text::Printable,
};

/// The proof of new weights.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProofView {
    /// What it amounts to.
    pub verdict: VerdictView,
    /// Why it is no proof, or not one for everything.
    pub reasons: Vec<String>,
    /// One per proxy that was asked.
    pub proxies: Vec<ProxyView>,
    #[serde(skip)]
    gaps: Vec<String>,
}

/// What the proof amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum VerdictView {
    /// Every proxy that runs the route runs the weights.
    Proven,
    /// It could not be seen everywhere.
    NotProven,
    /// A proxy runs other weights.
    Disproven,
}

/// What one proxy ran in the end.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProxyView {
    /// `namespace/name` of the gateway pod.
    pub pod: String,
    /// Whether it runs the weights, null when that could not be told.
    pub live: Option<bool>,
    /// Seconds from the write until it did, null when it does not.
    pub seconds: Option<f64>,
    /// What it runs instead, or why that could not be told.
    pub detail: Option<String>,
}

impl ProofView {
    pub(super) fn new(evidence: &Evidence, shift: &Shift) -> Self {
        Self {
            verdict: match evidence.verdict() {
                Verdict::Proven => VerdictView::Proven,
                Verdict::NotProven => VerdictView::NotProven,
                Verdict::Disproven => VerdictView::Disproven,
            },
            reasons: evidence.reasons(),
            proxies: evidence.proxies.iter().map(|proxy| ProxyView::new(proxy, shift)).collect(),
            gaps: evidence.gaps.clone(),
        }
    }

    /// Returns why nothing is proven at all, and nothing disproven.
    pub(super) fn doubt(&self) -> Option<String> {
        if self.proxies.iter().any(|proxy| proxy.live.is_some()) {
            return None;
        }
        let nobody = || "no proxy was asked".to_owned();
        Some(if self.reasons.is_empty() { nobody() } else { self.reasons.join("; ") })
    }

    fn live(&self) -> usize {
        self.proxies.iter().filter(|proxy| proxy.live == Some(true)).count()
    }

    /// Writes how many proxies run the weights, then one line for each; nothing where nothing was seen.
    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.doubt().is_some() {
            return Ok(());
        }
        write!(out, "gateway proxies {}/{} live", self.live(), self.proxies.len())?;
        for gap in &self.gaps {
            write!(out, " · not proven: {}", Printable(gap))?;
        }
        let unseen = self.proxies.iter().filter(|proxy| proxy.live.is_none()).count();
        if unseen > 0 {
            write!(out, " · not proven: {unseen} of {}", self.proxies.len())?;
        }
        writeln!(out)?;
        self.proxies.iter().try_for_each(|proxy| {
            let pod = Printable(&proxy.pod);
            match (proxy.seconds, &proxy.detail) {
                (Some(seconds), _) => writeln!(out, "  {pod} live after {seconds:.2} s"),
                (None, detail) => {
                    let detail = detail.as_deref().unwrap_or_default();
                    writeln!(out, "  {pod} {}", Printable(detail))
                }
            }
        })
    }
}

impl ProxyView {
    fn new(proxy: &ProxyEvidence, shift: &Shift) -> Self {
        let (live, seconds, detail) = match &proxy.seen {
            Seen::Live { seconds } => (Some(true), Some(*seconds), None),
            Seen::Other(_) => {
                (Some(false), None, proxy.other_weights(shift).map(|other| format!("runs {other}")))
            }
            Seen::Unproven(why) | Seen::Unread(why) => (None, None, Some(why.clone())),
            Seen::Absent => (None, None, None),
        };
        Self { pod: pod_name(&proxy.pod), live, seconds, detail }
    }
}
