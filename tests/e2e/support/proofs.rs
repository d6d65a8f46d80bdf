//! Shifts while each gateway hears of them at a time of its own: what is called proven is held
//! against what the proxies themselves say.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{
    control::Control,
    extra_pod::ExtraPod,
    namespace::Namespace,
    process::{Output, Running},
    proxies::Proxies,
    sandbox::Sandbox,
    timeline::{Look, Timeline, Weights, disagreement},
    wait::{holds, wait_for},
};

/// What came out of some shifts.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// How many the plugin called proven.
    pub(crate) proven: u32,
    /// During how many the proxies disagreed for more than a second.
    pub(crate) disagreed: u32,
    /// How often a proxy was looked at between the plugin's decision and its end.
    pub(crate) looks: usize,
    /// Looks that speak against what was called proven.
    pub(crate) contradictions: Vec<String>,
}

/// Shifts `rounds` times with each push held back for a random time up to three seconds, for each
/// gateway its own.
pub(crate) fn shift_with_late_pushes(sandbox: &Sandbox, rounds: u32) -> Findings {
    let namespace = Namespace::new(sandbox);
    namespace.deploy();
    // Of three, two disagree more often.
    let extra = ExtraPod::start(&namespace, &[("dr-v1", 50), ("dr-v2", 50)]);
    extra.make_ready();
    let proxies = Proxies::open(sandbox);
    namespace.wait_live(&proxies, 50, 50);
    let timeline = Timeline::start(proxies, namespace.name());
    let control = sandbox.control();
    let delay = json!({"mode": "delay", "minMs": 0, "maxMs": 3000});
    let pods = timeline.pods();
    let _delays: Vec<_> = pods.iter().map(|pod| control.xds_for_now(pod, &delay)).collect();
    let mut findings = Findings::default();
    for round in 1..=rounds {
        // Every share of v2 once, 0 and 100 among them, no two neighbours alike.
        let v2 = (50 + 37 * round) % 101;
        let (output, moments) = observe(&namespace, &control, &timeline, v2);
        findings.add(&output, &moments, &timeline.take(), v2);
    }
    findings
}

/// When a shift was decided, as far as can be seen from outside, and when it ended.
struct Moments {
    /// The plugin has asked which pods there are: before the write, or when it has seen all of them.
    asked: Option<Instant>,
    ended: Instant,
}

/// Shifts, and keeps the plugin waiting whenever it asks for the gateway's pods until every proxy was
/// looked at. The last time it asks, it has made up its mind.
fn observe(
    namespace: &Namespace<'_>,
    control: &Control,
    timeline: &Timeline,
    v2: u32,
) -> (Output, Moments) {
    let rule =
        control.rule(&json!({"method": "GET", "path": "^/api/v1/pods\\?", "action": "hold"}));
    let proxied = namespace.sandbox().proxied_kubeconfig();
    let arguments = ["shift", "--v2", &v2.to_string(), "-o", "json"];
    let mut running = Running::start(&mut namespace.plugin(&proxied, &arguments));
    let mut asked = None;
    while rule.held_or_ended(&mut running) {
        let now = Instant::now();
        timeline.wait_looked_since(now);
        asked = Some(now);
        let met = rule.matched();
        rule.release();
        // Until it has gone on, it would count as held once more.
        wait_for("the question to go on", || {
            holds(rule.held() == 0 || rule.matched() > met, || "held".to_owned())
        });
    }
    let moments = Moments { asked, ended: Instant::now() };
    (running.wait(), moments)
}

impl Findings {
    /// Adds one shift.
    ///
    /// A look contradicts a proof when the proxy was asked after the plugin had made up its mind, and
    /// answered before the plugin ended, with other weights than those.
    fn add(&mut self, output: &Output, moments: &Moments, looks: &[Look], v2: u32) {
        let weights = [("dr-v1".to_owned(), 100 - v2), ("dr-v2".to_owned(), v2)];
        let wanted: Weights = weights.into_iter().filter(|(_, weight)| *weight > 0).collect();
        if disagreement(looks, &wanted) > Duration::from_secs(1) {
            self.disagreed += 1;
        }
        let is_proven = output.code == Some(0) && output.json()["proof"]["verdict"] == "proven";
        if !is_proven {
            return;
        }
        self.proven += 1;
        let asked = moments.asked.unwrap_or(moments.ended);
        let late = looks.iter().filter(|l| l.began >= asked && l.ended <= moments.ended);
        for look in late {
            self.looks += 1;
            if look.weights != wanted {
                self.contradictions.push(format!("{look:?} contradicts {wanted:?}: {output}"));
            }
        }
    }

    /// Panics unless every shift was proven, and no proof was contradicted.
    pub(crate) fn assert_true(&self, rounds: u32) {
        assert_eq!(self.contradictions, Vec::<String>::new());
        assert_eq!(self.proven, rounds, "{self:?}");
        assert!(self.looks >= 3 * rounds as usize, "too few looks to tell: {self:?}");
    }
}

/// Panics unless a result says this of a VirtualService, `NAME VERB`, and that every proxy is live.
#[track_caller]
pub(crate) fn assert_proven(output: &Output, what: &str) {
    let lines: Vec<_> = output.stdout.lines().collect();
    let [result, "gateway proxies 2/2 live", one, two] = lines[..] else { panic!("{output}") };
    assert_eq!(result, format!("virtualservice.networking.istio.io/{what}"), "{output}");
    for proxy in [one, two] {
        let is_live = proxy.starts_with("  istio-system/istio-ingressgateway-")
            && proxy.contains(" live after ")
            && proxy.ends_with(" s");
        assert!(is_live, "{output}");
    }
}

/// The proxies of a result, by pod, as `-o json` has them.
pub(crate) fn proxies_of(result: &Value) -> Vec<(String, Option<bool>)> {
    let proxies = result["proof"]["proxies"].as_array().expect("the proof has proxies");
    let proxies = proxies.iter().map(|proxy| {
        let pod = proxy["pod"].as_str().expect("a proxy is a pod's").to_owned();
        (pod, proxy["live"].as_bool())
    });
    proxies.collect()
}
