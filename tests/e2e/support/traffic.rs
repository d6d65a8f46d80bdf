//! Requests through the gateway, counted by the version that answered.

use std::collections::BTreeMap;

use http::{Method, StatusCode};

use super::{
    binomial::assert_follows,
    http::{Connections, Http},
};

/// How often each version answered.
pub(crate) type Counts = BTreeMap<String, u32>;

/// Sends requests to `host:port` for a host, one after the other; each must be answered 200.
pub(crate) fn count(url: &str, host: &str, requests: u32, connections: Connections) -> Counts {
    let client = Http::plain(&format!("http://{url}"), connections);
    let mut counts = Counts::new();
    for number in 1..=requests {
        let response = client.send(Method::GET, "/", &[("host", host)], String::new());
        let body = &response.body;
        assert_eq!(response.status, StatusCode::OK, "request {number} for {host}: {body}");
        *counts.entry(version(body)).or_default() += 1;
    }
    counts
}

/// The version in `You've hit v1 kubia-server-…`.
pub(crate) fn version(body: &str) -> String {
    let words: Vec<&str> = body.split_whitespace().collect();
    match words.as_slice() {
        ["You've", "hit", version, _pod] => (*version).to_owned(),
        _ => panic!("not the tutorial's answer: {body:?}"),
    }
}

/// Panics unless the counts follow the weight of v2, with nothing but v1 besides it.
pub(crate) fn assert_split(counts: &Counts, v2_percent: u32) {
    let of = |version| counts.get(version).copied().unwrap_or(0);
    let total: u32 = counts.values().sum();
    assert_eq!(of("v1") + of("v2"), total, "other versions answered: {counts:?}");
    assert_follows(of("v2"), total, v2_percent);
}
