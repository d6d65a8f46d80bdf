//! What gateway proxies run from moment to moment, looked at from beside the plugin.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::{
    proxies::{Proxies, Proxy},
    wait::{holds, wait_for},
};

/// Short against the delays that are to be told apart.
const PAUSE: Duration = Duration::from_millis(30);

/// The weight of each subset that has one.
pub(crate) type Weights = BTreeMap<String, u32>;

/// One look at one proxy.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    pub(crate) pod: String,
    /// When it was asked; what it answered was true some time after.
    pub(crate) began: Instant,
    /// When the answer was there.
    pub(crate) ended: Instant,
    pub(crate) weights: Weights,
}

/// Looks at proxies again and again, each on its own, until the value goes.
pub(crate) struct Timeline {
    pods: Vec<String>,
    looks: Arc<Mutex<Vec<Look>>>,
    is_over: Arc<AtomicBool>,
    looking: Vec<JoinHandle<()>>,
}

impl Timeline {
    /// Looks at the weights of the tutorial's route in a namespace.
    pub(crate) fn start(proxies: Proxies, namespace: &str) -> Self {
        let (looks, is_over) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (mut pods, mut looking) = (Vec::new(), Vec::new());
        for proxy in proxies.into_iter() {
            pods.push(proxy.pod().to_owned());
            let (looks, is_over) = (Arc::clone(&looks), Arc::clone(&is_over));
            let namespace = namespace.to_owned();
            looking.push(thread::spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    let look = look(&proxy, &namespace);
                    looks.lock().expect("nobody panics with it").push(look);
                    thread::sleep(PAUSE);
                }
            }));
        }
        Self { pods, looks, is_over, looking }
    }

    /// The pods whose proxies are looked at.
    pub(crate) fn pods(&self) -> &[String] {
        &self.pods
    }

    /// Waits until each proxy has answered a question that was asked after this moment.
    pub(crate) fn wait_looked_since(&self, moment: Instant) {
        wait_for("a look at every proxy", || {
            let looks = self.looks.lock().expect("nobody panics with it");
            let lacks = |pod: &&String| !looks.iter().any(|l| l.pod == **pod && l.began >= moment);
            let lacking: Vec<_> = self.pods.iter().filter(lacks).collect();
            holds(lacking.is_empty(), || format!("none at {lacking:?}"))
        });
    }

    /// Returns the looks so far, and forgets them.
    pub(crate) fn take(&self) -> Vec<Look> {
        std::mem::take(&mut *self.looks.lock().expect("nobody panics with it"))
    }
}

impl Drop for Timeline {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        for looking in self.looking.drain(..) {
            // One that panicked has printed why; whoever waited for its looks has failed by that.
            let _ = looking.join();
        }
    }
}

fn look(proxy: &Proxy, namespace: &str) -> Look {
    let began = Instant::now();
    let weights = proxy.weights(namespace);
    Look { pod: proxy.pod().to_owned(), began, ended: Instant::now(), weights }
}

/// For how long at least two proxies certainly disagreed: one had been seen with the wanted weights,
/// the other was still to be asked and answered with others.
pub(crate) fn disagreement(looks: &[Look], wanted: &Weights) -> Duration {
    let first = looks.iter().filter(|look| look.weights == *wanted).map(|look| look.ended).min();
    let last = looks.iter().filter(|look| look.weights != *wanted).map(|look| look.began).max();
    match (first, last) {
        (Some(first), Some(last)) => last.saturating_duration_since(first),
        _ => Duration::ZERO,
    }
}
