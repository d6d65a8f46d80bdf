//! Requests through the gateway at a steady rate, while something else happens.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{MissedTickBehavior, interval, timeout},
};

use super::{
    traffic::{Counts, version},
    wait::{holds, wait_for},
};

/// How long an answer may take: far longer than a busy machine needs.
const PATIENCE: Duration = Duration::from_secs(30);

/// How many requests may be open: a machine that cannot keep up would drown in connections.
const AT_ONCE: usize = 100;

/// How many requests are waited for with one deadline.
const AT_A_TIME: u32 = 500;

/// What became of the requests.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// How many were answered, or failed.
    pub(crate) ended: u32,
    /// Answers by version.
    pub(crate) answers: Counts,
    /// What else came instead, and how often.
    pub(crate) failures: BTreeMap<String, u32>,
}

impl Tally {
    pub(crate) fn failed(&self) -> u32 {
        self.failures.values().sum()
    }
}

/// Requests that are sent, whether or not earlier ones were answered, until the value goes.
pub(crate) struct Load {
    tally: Arc<Mutex<Tally>>,
    is_over: Arc<AtomicBool>,
    sending: Option<JoinHandle<()>>,
    start: Instant,
}

impl Load {
    /// Sends requests to `host:port` for a host.
    pub(crate) fn start(address: &str, host: &str, per_second: u32) -> Self {
        let tally = Arc::new(Mutex::new(Tally::default()));
        let is_over = Arc::new(AtomicBool::new(false));
        let sender = Sender {
            client: Client::builder(TokioExecutor::new()).build(HttpConnector::new()),
            uri: format!("http://{address}/"),
            host: host.to_owned(),
            tally: Arc::clone(&tally),
        };
        let over = Arc::clone(&is_over);
        let sending = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.expect("a runtime needs only memory and a few descriptors");
            runtime.block_on(sender.send_all(per_second, &over));
        });
        Self { tally, is_over, sending: Some(sending), start: Instant::now() }
    }

    /// What became of them so far.
    pub(crate) fn tally(&self) -> Tally {
        self.tally.lock().expect("nobody panics with it").clone()
    }

    /// Waits until so many more have ended, however long a busy machine takes for all of them.
    pub(crate) fn wait_more(&self, requests: u32) {
        let goal = self.tally().ended + requests;
        while self.tally().ended < goal {
            let next = goal.min(self.tally().ended + AT_A_TIME);
            wait_for(&format!("{next} requests"), || {
                let ended = self.tally().ended;
                holds(ended >= next, || format!("{ended}"))
            });
        }
    }

    /// Sends no more, waits for the answers that are still to come, and returns how many requests
    /// ended per second besides.
    pub(crate) fn end(mut self) -> (Tally, f64) {
        self.is_over.store(true, Ordering::Relaxed);
        let sending = self.sending.take().expect("it ends once");
        sending.join().expect("sending does not panic");
        let tally = self.tally();
        let rate = f64::from(tally.ended) / self.start.elapsed().as_secs_f64();
        (tally, rate)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

#[derive(Clone)]
struct Sender {
    client: Client<HttpConnector, Empty<Bytes>>,
    uri: String,
    host: String,
    tally: Arc<Mutex<Tally>>,
}

impl Sender {
    async fn send_all(self, per_second: u32, is_over: &AtomicBool) {
        let mut ticks = interval(Duration::from_secs(1) / per_second);
        // What a busy machine could not send in time is sent after it.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let places = Arc::new(Semaphore::new(AT_ONCE));
        let mut open = JoinSet::new();
        while !is_over.load(Ordering::Relaxed) {
            ticks.tick().await;
            let place = Arc::clone(&places).acquire_owned().await.expect("it is never closed");
            let sending = self.clone().send();
            open.spawn(async move {
                sending.await;
                drop(place);
            });
            while open.try_join_next().is_some() {}
        }
        open.join_all().await;
    }

    async fn send(self) {
        let request = Request::get(&self.uri).header("host", &self.host).body(Empty::new());
        let request = request.expect("the gateway's address is one");
        let answer = async {
            let answer = self.client.request(request).await.map_err(|error| error.to_string())?;
            let status = answer.status();
            let body = answer.into_body().collect().await.map_err(|error| error.to_string())?;
            let body = String::from_utf8_lossy(&body.to_bytes()).into_owned();
            if status == StatusCode::OK { Ok(body) } else { Err(format!("{status}: {body}")) }
        };
        let answer = timeout(PATIENCE, answer).await;
        let answer = answer.unwrap_or_else(|_| Err("no answer".to_owned()));
        let mut tally = self.tally.lock().expect("nobody panics with it");
        tally.ended += 1;
        match answer {
            Ok(body) => *tally.answers.entry(version(&body)).or_default() += 1,
            Err(why) => *tally.failures.entry(why).or_default() += 1,
        }
    }
}
