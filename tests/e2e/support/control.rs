//! The sandbox's control API: parts, xDS of one gateway, and API requests that go wrong on purpose.

use http::Method;
use serde_json::{Value, json};

use super::{
    http::{Connections, Http},
    process::Running,
    proxies::GATEWAY,
    wait::{holds, wait_for},
};

/// A client of the control API.
pub(crate) struct Control(Http);

impl Control {
    /// `base` as in `state.json`, for example `http://127.7.0.1:6445`.
    pub(crate) fn new(base: &str) -> Self {
        Self(Http::plain(base, Connections::New))
    }

    /// `GET /status`.
    pub(crate) fn status(&self) -> Value {
        self.call(Method::GET, "/status", &Value::Null)
    }

    /// `POST /parts/NAME/ACTION`: stop, continue, kill or restart.
    pub(crate) fn part(&self, name: &str, action: &str) {
        self.call(Method::POST, &format!("/parts/{name}/{action}"), &Value::Null);
    }

    /// `PUT /xds/NAMESPACE/POD`.
    pub(crate) fn xds(&self, namespace: &str, pod: &str, mode: &Value) {
        self.call(Method::PUT, &format!("/xds/{namespace}/{pod}"), mode);
    }

    /// The same until the value goes; then pushes pass again.
    pub(crate) fn xds_for_now<'a>(&'a self, pod: &'a str, mode: &Value) -> Xds<'a> {
        self.xds(GATEWAY, pod, mode);
        Xds { control: self, pod }
    }

    /// `PUT /load`: that many writes a second to an object of no importance; 0 ends them.
    pub(crate) fn load(&self, writes_per_second: u32) {
        self.call(Method::PUT, "/load", &json!({"writesPerSecond": writes_per_second}));
    }

    /// Adds a rule for requests that go through `proxied.kubeconfig`; it ends with the guard.
    pub(crate) fn rule(&self, rule: &Value) -> Rule<'_> {
        let answer = self.call(Method::POST, "/requests", rule);
        Rule { control: self, id: answer["id"].as_str().expect("a rule has an id").to_owned() }
    }

    fn call(&self, method: Method, path: &str, body: &Value) -> Value {
        let shown = format!("{method} {path} {body}");
        let response = if body.is_null() {
            self.0.send(method, path, &[], String::new())
        } else {
            self.0.send_json(method, path, "application/json", body)
        };
        assert!(response.status.is_success(), "{shown}: {} {}", response.status, response.body);
        if response.body.trim().is_empty() { json!({}) } else { response.json() }
    }
}

/// The xDS connection of one gateway pod while it is cut or delayed.
pub(crate) struct Xds<'a> {
    control: &'a Control,
    pod: &'a str,
}

impl Drop for Xds<'_> {
    fn drop(&mut self) {
        // Errors are ignored: the pod may be gone, and a panic while panicking would hide the first.
        let path = format!("/xds/{GATEWAY}/{}", self.pod);
        let pass = json!({"mode": "pass"}).to_string();
        let _ = self.control.0.try_send(Method::PUT, &path, &[], pass);
    }
}

/// A rule of the request proxy.
pub(crate) struct Rule<'a> {
    control: &'a Control,
    id: String,
}

impl Rule<'_> {
    /// Waits until a request is held.
    pub(crate) fn wait_held(&self) {
        // The server waits 30 s; a slow machine may need more than one of these.
        for _ in 0..4 {
            let path = format!("/requests/{}?held=1", self.id);
            if self.control.call(Method::GET, &path, &Value::Null)["held"].as_u64() >= Some(1) {
                return;
            }
        }
        panic!("no request was held by rule {}", self.id);
    }

    /// How many requests the rule has met.
    pub(crate) fn matched(&self) -> u64 {
        self.count("matched")
    }

    /// How many requests, or answers, the rule holds now.
    pub(crate) fn held(&self) -> u64 {
        self.count("held")
    }

    fn count(&self, which: &str) -> u64 {
        let path = format!("/requests/{}", self.id);
        let counts = self.control.call(Method::GET, &path, &Value::Null);
        counts[which].as_u64().unwrap_or_else(|| panic!("no count {which}: {counts}"))
    }

    /// Waits until a request, or an answer, is held; false when the process ends without.
    pub(crate) fn held_or_ended(&self, running: &mut Running) -> bool {
        wait_for("a request or the end", || {
            let (held, ended) = (self.held() > 0, running.has_ended());
            holds(held || ended, || "neither".to_owned()).map(|()| held)
        })
    }

    /// Lets held requests go on to the server.
    pub(crate) fn release(&self) {
        self.control.call(Method::POST, &format!("/requests/{}/release", self.id), &Value::Null);
    }
}

impl Drop for Rule<'_> {
    fn drop(&mut self) {
        // Errors are ignored: a panic while panicking would hide the first one.
        let path = format!("/requests/{}", self.id);
        let _ = self.control.0.try_send(Method::DELETE, &path, &[], String::new());
    }
}
