//! All talk with the API server: one connection, a deadline on every request, errors in words.

use std::fmt::Write as _;

use http::Request;
use serde_json::Value;
use tokio::sync::OnceCell;

mod apply;
mod backends;
mod connection;
mod failure;
mod gateways;
pub mod hostile;
mod identity;
mod lean;
mod names;
mod proxies;
mod read;

use self::{
    connection::{Call, Link, Repeat},
    failure::Place,
    lean::Lean,
};
pub use self::{
    connection::{ConnectError, Connection, Messages, Named, Silence, Target},
    failure::{ApiError, Failure, Phase},
    gateways::{Found, GatewayChoice},
    proxies::{Proxy, ProxyError},
    read::{Freshness, Listing},
};
use crate::domain::object::{ISTIO_GROUP, ISTIO_VERSIONS, Kind};

/// An API server, and the context it was found by.
pub struct Cluster {
    link: Link,
    /// Name of the kubeconfig context, or `in-cluster`.
    pub context: String,
    /// The namespace commands act on.
    pub namespace: String,
    /// API version of Istio's kinds, once it is known not to be the first guess.
    istio_version: OnceCell<&'static str>,
}

/// What a request asks for, for error messages: `cannot VERB SUBJECT`.
#[derive(Clone, Copy)]
struct Intent<'a> {
    verb: &'static str,
    subject: &'a dyn std::fmt::Display,
    /// When it may be sent again.
    repeat: Repeat,
    extent: Extent,
}

/// How much of an answer is read.
#[derive(Clone, Copy)]
enum Extent {
    Whole,
    /// Without what nobody reads of a list.
    Lean,
}

impl Extent {
    fn parse(self, body: &[u8]) -> serde_json::Result<Value> {
        match self {
            Self::Whole => serde_json::from_slice(body),
            Self::Lean => serde_json::from_slice(body).map(|Lean(value)| value),
        }
    }
}

impl<'a> Intent<'a> {
    /// Something that is only read.
    fn new(verb: &'static str, subject: &'a dyn std::fmt::Display) -> Self {
        Self { verb, subject, repeat: Repeat::Always, extent: Extent::Whole }
    }

    fn of(self, extent: Extent) -> Self {
        Self { extent, ..self }
    }

    fn repeated(self, repeat: Repeat) -> Self {
        Self { repeat, ..self }
    }
}

/// A successful answer.
struct Answer {
    created: bool,
    object: Value,
}

impl Cluster {
    fn new(link: Link, context: String, namespace: String) -> Self {
        Self { link, context, namespace, istio_version: OnceCell::new() }
    }

    /// Returns a client whose requests may be upgraded to another protocol, as port-forwarding does:
    /// the same server and the same user, but HTTP/1.1, and a connection of its own per request.
    ///
    /// # Errors
    /// [`ConnectError`], when TLS cannot be set up without HTTP/2.
    pub fn upgrading_client(&self) -> Result<kube::Client, ConnectError> {
        self.link.upgrading_client()
    }

    /// Sends a request and reads the whole answer, within the deadline.
    async fn send(
        &self,
        intent: Intent<'_>,
        request: Request<Vec<u8>>,
    ) -> Result<Answer, ApiError> {
        let place = Place::of(request.method().as_str(), request.uri().path());
        let call = Call { request, repeat: intent.repeat };
        let answer = self.link.exchange(&call).await.and_then(|reply| {
            if !reply.status.is_success() {
                return Err(Failure::from_reply(&reply, place.as_ref()));
            }
            let object = intent.extent.parse(&reply.body).map_err(|_| Failure::NotJson)?;
            if object["kind"] == "Status" && object["status"] == "Failure" {
                let code = object["code"].as_u64().and_then(|code| u16::try_from(code).ok());
                return Err(Failure::from_status(code.unwrap_or_default(), &object));
            }
            Ok(Answer { created: reply.status == http::StatusCode::CREATED, object })
        });
        answer.map_err(|failure| {
            let is_open = intent.repeat.writes() && failure.leaves_open();
            ApiError { is_open, ..ApiError::new(intent.verb, intent.subject, failure) }
        })
    }

    /// Sends a request about `kind`, built for the API version of that kind.
    ///
    /// Istio's kinds are tried at `v1` first, which saves a round trip wherever it is served; only
    /// when the server knows no such version is it asked which ones it has.
    async fn send_versioned(
        &self,
        kind: Kind,
        intent: Intent<'_>,
        build: impl Fn(&str) -> Request<Vec<u8>>,
    ) -> Result<Answer, ApiError> {
        let prefix = |version: &str| match kind.group() {
            "" => "/api/v1".to_owned(),
            ISTIO_GROUP => format!("/apis/{ISTIO_GROUP}/{version}"),
            group => format!("/apis/{group}/v1"),
        };
        let guess = self.istio_version.get().copied().unwrap_or(ISTIO_VERSIONS[0]);
        let answer = self.send(intent, build(&prefix(guess))).await;
        match answer {
            Err(error) if kind.is_istio() && error.failure.is_not_served() => {
                let served = self.istio_version().await?;
                if served == guess {
                    return Err(error);
                }
                self.send(intent, build(&prefix(served))).await
            }
            answer => answer,
        }
    }

    /// Returns the best API version of Istio's kinds that the server has, by asking it once.
    ///
    /// # Errors
    /// [`Failure::NoIstio`] when it has none this program understands.
    pub async fn istio_version(&self) -> Result<&'static str, ApiError> {
        self.istio_version.get_or_try_init(|| self.discover_istio()).await.copied()
    }

    async fn discover_istio(&self) -> Result<&'static str, ApiError> {
        let subject = format!("the API group {ISTIO_GROUP}");
        let intent = Intent::new("get", &subject);
        let no_istio = || ApiError::new(intent.verb, intent.subject, Failure::NoIstio);
        let request = request("GET", &format!("/apis/{ISTIO_GROUP}"));
        let group = match self.send(intent, request).await {
            Ok(answer) => answer.object,
            Err(error) if error.failure.is_not_served() => return Err(no_istio()),
            Err(error) => return Err(error),
        };
        let served = crate::domain::snapshot::list(&group, "/versions");
        let is_served = |version: &str| served.iter().any(|each| each["version"] == version);
        ISTIO_VERSIONS.into_iter().find(|version| is_served(version)).ok_or_else(no_istio)
    }
}

/// Returns a request without a body. Paths are made of API names, so they are valid URIs.
fn request(method: &str, path: &str) -> Request<Vec<u8>> {
    request_with_body(method, path, None)
}

fn request_with_body(
    method: &str,
    path: &str,
    body: Option<(&'static str, Vec<u8>)>,
) -> Request<Vec<u8>> {
    let mut builder =
        Request::builder().method(method).uri(path).header("accept", "application/json");
    let mut content = Vec::new();
    if let Some((content_type, bytes)) = body {
        builder = builder.header("content-type", content_type);
        content = bytes;
    }
    builder.body(content).expect("paths are percent-encoded")
}

/// Returns why a text cannot be one segment of a path, in the words of apimachinery's
/// `IsValidPathSegmentName`: an API server decodes a path before it splits it.
#[must_use]
pub fn segment_problems(text: &str) -> Vec<String> {
    if [".", ".."].contains(&text) {
        return vec![format!("may not be '{text}'")];
    }
    let present = ["/", "%"].into_iter().filter(|part| text.contains(part));
    present.map(|part| format!("may not contain '{part}'")).collect()
}

/// Percent-encodes a name from the command line for use as one path segment or query value.
fn encode(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        if is_plain(byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}
