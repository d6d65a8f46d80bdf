//! All talk with the API server: one connection, a deadline on every request, errors in words.

use std::{fmt::Write as _, time::Duration};

use http::Request;
use kube::client::Body;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::OnceCell;

mod apply;
mod connection;
mod failure;
mod gateways;
mod lean;
mod names;
mod read;

use self::connection::Link;
pub use self::{
    connection::{ConnectError, Connection, Settings, Target},
    failure::{ApiError, Failure},
    gateways::{Found, GatewayChoice},
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
    /// The deadline of each request.
    timeout: Duration,
    /// API version of Istio's kinds, once it is known not to be the first guess.
    istio_version: OnceCell<&'static str>,
}

/// What a request asks for, for error messages: `cannot VERB SUBJECT`.
#[derive(Clone, Copy)]
struct Intent<'a> {
    verb: &'static str,
    subject: &'a dyn std::fmt::Display,
}

/// A successful answer.
struct Answer<T = Value> {
    created: bool,
    object: T,
}

impl Cluster {
    fn new(link: Link, context: String, namespace: String, timeout: Duration) -> Self {
        Self { link, context, namespace, timeout, istio_version: OnceCell::new() }
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
    async fn send<T: DeserializeOwned>(
        &self,
        intent: Intent<'_>,
        request: Request<Vec<u8>>,
    ) -> Result<Answer<T>, ApiError> {
        let exchange = async {
            let answer =
                self.link.client.send(request.map(Body::from)).await.map_err(Failure::from_kube)?;
            let status = answer.status();
            let body = answer.into_body().collect_bytes().await.map_err(Failure::from_kube)?;
            if !status.is_success() {
                return Err(Failure::from_status(status, &body));
            }
            let object = serde_json::from_slice(&body).map_err(|_| Failure::NotJson)?;
            Ok(Answer { created: status == http::StatusCode::CREATED, object })
        };
        let failure = match tokio::time::timeout(self.timeout, exchange).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(failure)) => failure,
            Err(_) => Failure::TimedOut { seconds: self.timeout.as_secs_f64() },
        };
        Err(ApiError::new(intent.verb, intent.subject, failure))
    }

    /// Sends a request about `kind`, built for the API version of that kind.
    ///
    /// Istio's kinds are tried at `v1` first, which saves a round trip wherever it is served; only
    /// when the server knows no such version is it asked which ones it has.
    async fn send_versioned<T: DeserializeOwned>(
        &self,
        kind: Kind,
        intent: Intent<'_>,
        build: impl Fn(&str) -> Request<Vec<u8>>,
    ) -> Result<Answer<T>, ApiError> {
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
        let intent = Intent { verb: "get", subject: &format_args!("the API group {ISTIO_GROUP}") };
        let no_istio = || ApiError::new(intent.verb, intent.subject, Failure::NoIstio);
        let request = request("GET", &format!("/apis/{ISTIO_GROUP}"));
        let group: Value = match self.send(intent, request).await {
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
