//! An API server made of objects in memory, for screens and recorded error bodies.
//!
//! It answers GET, LIST and PATCH by path and knows nothing of patch or apply semantics, which are
//! tested on a real server only; but for JSON Patches whose answers are made up on the way.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::{Arc, Mutex},
};

use http::{Method, Request, Response};
use http_body_util::Full;
use kube::client::Body;
use serde_json::{Value, json};

use super::objects;
use crate::planning::laws::server::patched;

/// Answers by method and path, and a record of the requests.
#[derive(Clone, Default)]
pub(crate) struct FakeApi {
    answers: BTreeMap<(Method, String), (u16, String)>,
    requests: Arc<Mutex<Vec<String>>>,
    misled: Option<Misled>,
}

/// An object whose writes are carried out although their answers say otherwise.
#[derive(Clone)]
struct Misled {
    path: String,
    answer: (u16, String),
    afterwards: fn(&mut Value),
    now: Arc<Mutex<Value>>,
}

impl FakeApi {
    /// A server with Istio and nothing else.
    pub(crate) fn with_istio() -> Self {
        let versions = json!([{"version": "v1"}, {"version": "v1beta1"}]);
        Self::default().answer("/apis/networking.istio.io", 200, &json!({"versions": versions}))
    }

    /// Adds an object, which its own path and the lists of its namespace and kind then show.
    pub(crate) fn object(self, plural: &str, object: &Value) -> Self {
        let prefix = match object["apiVersion"].as_str().unwrap() {
            "v1" => "/api/v1".to_owned(),
            version => format!("/apis/{version}"),
        };
        let name = object["metadata"]["name"].as_str().unwrap();
        let Some(namespace) = object["metadata"]["namespace"].as_str() else {
            return self.append(&format!("{prefix}/{plural}"), object).answer(
                &format!("{prefix}/{plural}/{name}"),
                200,
                object,
            );
        };
        self.append(&format!("{prefix}/{plural}"), object)
            .append(&format!("{prefix}/namespaces/{namespace}/{plural}"), object)
            .answer(&format!("{prefix}/namespaces/{namespace}/{plural}/{name}"), 200, object)
    }

    /// Sets the answer to a GET.
    pub(crate) fn answer(self, path: &str, code: u16, body: &Value) -> Self {
        self.raw_answer(&Method::GET, path, code, &body.to_string())
    }

    /// Sets the answer to a request, byte for byte.
    pub(crate) fn raw_answer(mut self, method: &Method, path: &str, code: u16, body: &str) -> Self {
        self.answers.insert((method.clone(), path.to_owned()), (code, body.to_owned()));
        self
    }

    /// Carries out a JSON Patch of an object and what happens `afterwards`, and gives this answer all
    /// the same. One that does not fit is told as a real server does; null is an object that cannot
    /// be read.
    pub(crate) fn misled(
        mut self,
        path: &str,
        (code, body): (u16, &str),
        afterwards: fn(&mut Value),
    ) -> Self {
        let object = &self.answers[&(Method::GET, path.to_owned())].1;
        let now = Arc::new(Mutex::new(serde_json::from_str(object).unwrap()));
        let (path, answer) = (path.to_owned(), (code, body.to_owned()));
        self.misled = Some(Misled { path, answer, afterwards, now });
        self
    }

    fn append(mut self, path: &str, object: &Value) -> Self {
        let empty = (200, json!({"items": []}).to_string());
        let answer = self.answers.entry((Method::GET, path.to_owned())).or_insert(empty);
        let mut list: Value = serde_json::from_str(&answer.1).unwrap();
        list["items"].as_array_mut().unwrap().push(object.clone());
        answer.1 = list.to_string();
        self
    }

    /// A kube client whose requests end here.
    pub(crate) fn client(&self) -> kube::Client {
        let api = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let api = api.clone();
            async move { Ok::<_, Infallible>(api.respond(request).await) }
        });
        kube::Client::new(service, "default")
    }

    /// The requests so far: method, path and query, and the body of those that have one.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// The requests so far that write: method, path and query.
    pub(crate) fn writes(&self) -> Vec<String> {
        let words = |request: &String| request.split(' ').take(2).collect::<Vec<_>>().join(" ");
        let requests = self.requests();
        requests.iter().filter(|request| !request.starts_with("GET ")).map(words).collect()
    }

    async fn respond(&self, request: Request<Body>) -> Response<Full<hyper::body::Bytes>> {
        let (parts, body) = request.into_parts();
        let body = body.collect_bytes().await.unwrap();
        let body = String::from_utf8_lossy(&body).into_owned();
        let uri = parts.uri.path_and_query().unwrap();
        self.requests
            .lock()
            .unwrap()
            .push(format!("{} {uri} {body}", parts.method).trim().to_owned());
        let misled = self.misled.as_ref().filter(|misled| misled.path == uri.path());
        let set = self.answers.get(&(parts.method.clone(), uri.path().to_owned()));
        let (code, answer) = match (misled, set) {
            (Some(misled), _) => misled.respond(&parts.method, &body),
            (_, Some((code, answer))) => (*code, selected(answer, uri.query().unwrap_or_default())),
            _ => self.fallback(&parts.method, uri.path(), &body),
        };
        let answer = Full::new(hyper::body::Bytes::from(answer));
        Response::builder().status(code).body(answer).unwrap()
    }

    /// What a real server says about paths nobody set: an empty list, an applied object, or a 404.
    fn fallback(&self, method: &Method, path: &str, body: &str) -> (u16, String) {
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        if method == Method::PATCH {
            let code = if self.knows(path) { 200 } else { 201 };
            return (code, body.to_owned());
        }
        if path.ends_with("/portforward") {
            let status =
                json!({"kind": "Status", "reason": "Forbidden", "code": 403, "message": ""});
            return (403, status.to_string());
        }
        if path.ends_with("/selfsubjectreviews") {
            return (201, json!({"status": {"userInfo": {"username": "alice"}}}).to_string());
        }
        let served = self.knows("/apis/networking.istio.io");
        if !served && path.starts_with("/apis/networking.istio.io") {
            return (404, "404 page not found\n".to_owned());
        }
        let is_list = parts.len() % 2 == usize::from(parts[0] == "api");
        match (is_list, parts.last()) {
            (true, _) => (200, json!({"items": []}).to_string()),
            (false, name) => {
                let message = format!("{:?} not found", name.unwrap_or(&""));
                let status = json!({"kind": "Status", "reason": "NotFound", "code": 404, "message": message});
                (404, status.to_string())
            }
        }
    }

    fn knows(&self, path: &str) -> bool {
        self.answers.contains_key(&(Method::GET, path.to_owned()))
    }
}

impl Misled {
    fn respond(&self, method: &Method, body: &str) -> (u16, String) {
        let mut now = self.now.lock().unwrap();
        match method {
            &Method::GET if now.is_null() => return (500, "unreadable".to_owned()),
            &Method::GET => return (200, now.to_string()),
            _ => {}
        }
        let patch = serde_json::from_str::<json_patch::Patch>(body).unwrap();
        let Ok(mut after) = patched(&now, &patch) else {
            let words = "the server rejected our request due to an error in our request";
            return (422, objects::status(422, "Invalid", words));
        };
        (self.afterwards)(&mut after);
        *now = after;
        self.answer.clone()
    }
}

/// Leaves those items of a list that a query's `labelSelector` matches.
fn selected(answer: &str, query: &str) -> String {
    let selector = query.split('&').find_map(|pair| pair.strip_prefix("labelSelector="));
    let Some(selector) = selector else { return answer.to_owned() };
    let selector = selector.replace("%3D", "=").replace("%2C", ",").replace("%2F", "/");
    let Ok(mut list) = serde_json::from_str::<Value>(answer) else { return answer.to_owned() };
    let matches = |item: &Value| {
        let mut pairs = selector.split(',').filter_map(|pair| pair.split_once('='));
        pairs.all(|(key, value)| item["metadata"]["labels"][key] == value)
    };
    if let Some(items) = list["items"].as_array_mut() {
        items.retain(matches);
    }
    list.to_string()
}
