//! What a scripted server answers: the discovery of APIs, the object, a Status, or anything else.

use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use http::{HeaderName, HeaderValue, Response, StatusCode};
use hyper::body::{Body, Bytes, Frame};
use serde_json::{Value, json};

/// An answer that is no object.
#[derive(Clone)]
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Answer {
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<String>) -> Self {
        let headers = match content_type {
            "" => Vec::new(),
            content_type => vec![("content-type", content_type.to_owned())],
        };
        Self { status, headers, body: body.into() }
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

/// What kubectl asks first, in the form it likes best.
pub(super) fn discovery(path: &str) -> Response<Scripted> {
    let resource = |kind: &str, plural: &str| {
        json!({"resource": plural, "responseKind": {"group": "", "version": "", "kind": kind},
               "scope": "Namespaced", "singularResource": kind.to_lowercase(),
               "verbs": ["get", "list"]})
    };
    let version = |resources: Value| json!({"version": "v1", "resources": resources});
    let items = if path.ends_with("/apis") {
        json!([{"metadata": {"name": "networking.istio.io"},
                "versions": [version(json!([resource("Gateway", "gateways")]))]}])
    } else {
        json!([{"metadata": {"name": ""},
                "versions": [version(json!([resource("Service", "services")]))]}])
    };
    let body = json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2",
                      "metadata": {}, "items": items});
    let kind = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    Answer::new(200, kind, body.to_string()).into_response()
}

/// The Service or Gateway that both programs ask for, by the last segments of its path.
pub(super) fn object(path: &str) -> Response<Scripted> {
    let segments: Vec<&str> = path.rsplit('/').collect();
    let [name, plural, namespace, ..] = segments.as_slice() else {
        return Answer::new(404, "", "404 page not found\n").into_response();
    };
    let metadata = json!({"name": name, "namespace": namespace});
    let list = |kind: &str, items: Value| {
        let body = json!({"apiVersion": "v1", "kind": kind, "metadata": {}, "items": items});
        Answer::new(200, "application/json", body.to_string()).into_response()
    };
    match *name {
        "pods" => {
            return list(
                "PodList",
                json!([{"metadata": {"name": "a", "namespace": "edge",
            "labels": {"istio": "x"}}, "status": {"phase": "Running"}}]),
            );
        }
        "services" => {
            return list(
                "ServiceList",
                json!([{"metadata": {"name": "edge",
            "namespace": "edge"}, "spec": {"type": "LoadBalancer", "selector": {"istio": "x"},
            "ports": [{"name": "http2", "port": 80}]},
            "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}}]),
            );
        }
        _ => {}
    }
    let body = match *plural {
        "services" => json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata,
            "spec": {"type": "LoadBalancer", "ports": [{"name": "http2", "port": 80}]},
            "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}}),
        _ => json!({"apiVersion": "networking.istio.io/v1", "kind": "Gateway",
            "metadata": metadata, "spec": {"selector": {"istio": "x"},
                "servers": [{"port": {"number": 80, "protocol": "HTTP"}, "hosts": ["*"]}]}}),
    };
    Answer::new(200, "application/json", body.to_string()).into_response()
}

/// A Status as the API server sends it.
pub(crate) fn status(code: u16, reason: &str, message: &str) -> String {
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
           "message": message, "reason": reason, "code": code})
    .to_string()
}

impl Answer {
    pub(super) fn into_response(self) -> Response<Scripted> {
        let mut response = Response::new(Scripted::new([Step::Data(Bytes::from(self.body))]));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap();
        for (name, value) in self.headers {
            let name = HeaderName::from_static(name);
            response.headers_mut().append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        response
    }
}

pub(super) fn json_response(body: Scripted) -> Response<Scripted> {
    Response::builder()
        .header("content-type", "application/json")
        .header("content-length", 1000)
        .body(body)
        .unwrap()
}

/// A body that can stop half-way.
pub(super) struct Scripted(VecDeque<Step>);

pub(super) enum Step {
    Data(Bytes),
    /// What was said goes out before the next step.
    Pause,
    Paused(Pin<Box<tokio::time::Sleep>>),
    Hang,
    Break,
}

impl Scripted {
    pub(super) fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        Self(steps.into_iter().collect())
    }
}

impl Body for Scripted {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match self.0.pop_front() {
            None => Poll::Ready(None),
            Some(Step::Data(data)) => Poll::Ready(Some(Ok(Frame::data(data)))),
            Some(Step::Hang) => {
                self.0.push_front(Step::Hang);
                Poll::Pending
            }
            Some(Step::Pause) => {
                let pause = tokio::time::sleep(Duration::from_millis(100));
                self.0.push_front(Step::Paused(Box::pin(pause)));
                self.poll_frame(context)
            }
            Some(Step::Paused(mut pause)) => match pause.as_mut().poll(context) {
                Poll::Ready(()) => self.poll_frame(context),
                Poll::Pending => {
                    self.0.push_front(Step::Paused(pause));
                    Poll::Pending
                }
            },
            Some(Step::Break) => Poll::Ready(Some(Err(io::Error::other("as the script says")))),
        }
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        match self.0.front() {
            Some(Step::Data(data)) if self.0.len() == 1 => {
                hyper::body::SizeHint::with_exact(data.len() as u64)
            }
            _ => hyper::body::SizeHint::default(),
        }
    }
}
