//! A small blocking HTTP client: plain for the control API and the gateway, TLS for the API server.

use std::{path::Path, sync::Arc, time::Duration};

use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::kubeconfig::Kubeconfig;

/// Long enough for a machine under load; a request that takes longer has hung.
const DEADLINE: Duration = Duration::from_mins(2);

/// `User-Agent` of these clients, which tells their requests from the plugin's.
pub(crate) const AGENT: &str = "kubia-e2e";

/// Whether connections are kept for the next request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Connections {
    /// One connection, used again.
    Kept,
    /// A new one for each request.
    New,
}

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    headers: HeaderMap,
    pub(crate) body: String,
}

impl Response {
    /// A header's value, when it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|error| panic!("no JSON ({error}): {}", self.body))
    }
}

/// A client with its own runtime: connections are driven only while a request waits.
pub(crate) struct Http {
    runtime: Runtime,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    base: String,
    authorization: Option<String>,
}

impl Http {
    /// A client without TLS for `base`, for example `http://127.7.0.1:6445`.
    pub(crate) fn plain(base: &str, connections: Connections) -> Self {
        let config = tls_builder().with_root_certificates(RootCertStore::empty());
        Self::new(base, config.with_no_client_auth(), None, connections)
    }

    /// A client for the API server that a kubeconfig names, as the user it names.
    pub(crate) fn of_kubeconfig(path: &Path) -> Self {
        let kubeconfig = Kubeconfig::read(path);
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&kubeconfig.authority()) {
            roots.add(certificate.expect("the sandbox writes PEM")).expect("its CA is a CA");
        }
        let builder = tls_builder().with_root_certificates(roots);
        let config = match kubeconfig.client_certificate() {
            Some((certificate, key)) => builder
                .with_client_auth_cert(
                    CertificateDer::pem_slice_iter(&certificate)
                        .collect::<Result<_, _>>()
                        .expect("the sandbox writes PEM"),
                    PrivateKeyDer::from_pem_slice(&key).expect("the sandbox writes PEM"),
                )
                .expect("certificate and key belong together"),
            None => builder.with_no_client_auth(),
        };
        let authorization = kubeconfig.token().map(|token| format!("Bearer {token}"));
        Self::new(&kubeconfig.server(), config, authorization, Connections::Kept)
    }

    fn new(
        base: &str,
        config: ClientConfig,
        authorization: Option<String>,
        connections: Connections,
    ) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime needs only memory and a few descriptors");
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(config)
            .https_or_http()
            .enable_http1()
            .build();
        let idle = usize::from(connections == Connections::Kept);
        let client =
            Client::builder(TokioExecutor::new()).pool_max_idle_per_host(idle).build(connector);
        Self { runtime, client, base: base.to_owned(), authorization }
    }

    /// Sends a request without body.
    pub(crate) fn get(&self, path: &str) -> Response {
        self.send(Method::GET, path, &[], String::new())
    }

    /// Sends a request with a JSON body of the given content type.
    pub(crate) fn send_json(
        &self,
        method: Method,
        path: &str,
        content_type: &str,
        body: &Value,
    ) -> Response {
        self.send(method, path, &[("content-type", content_type)], body.to_string())
    }

    /// Sends a request; panics when no whole answer comes.
    pub(crate) fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Response {
        self.try_send(method, path, headers, body)
            .unwrap_or_else(|error| panic!("{}{path}: {error}", self.base))
    }

    /// Sends a request and reads the whole answer.
    pub(crate) fn try_send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Result<Response, String> {
        let request = self.request(method, path, headers, body);
        self.runtime.block_on(async {
            let exchange = async {
                let response = self.client.request(request).await.map_err(chain)?;
                let (parts, body) = response.into_parts();
                let body = body.collect().await.map_err(chain)?.to_bytes();
                let body = String::from_utf8_lossy(&body).into_owned();
                Ok(Response { status: parts.status, headers: parts.headers, body })
            };
            match tokio::time::timeout(DEADLINE, exchange).await {
                Ok(answer) => answer,
                Err(_) => Err(format!("no answer within {} s", DEADLINE.as_secs())),
            }
        })
    }

    /// Sends a GET and hands over each line of the answer until `line` returns false or it ends.
    pub(crate) fn lines(&self, path: &str, mut line: impl FnMut(&str) -> bool) {
        let request = self.request(Method::GET, path, &[], String::new());
        self.runtime.block_on(async {
            let response = self.client.request(request).await.expect("the server answers");
            assert_eq!(response.status(), StatusCode::OK, "{path}");
            each_line(response.into_body(), &mut line).await;
        });
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Request<Full<Bytes>> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        if !headers.iter().any(|(name, _)| *name == "user-agent") {
            request = request.header("user-agent", AGENT);
        }
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request
            .body(Full::new(Bytes::from(body)))
            .unwrap_or_else(|error| panic!("{path} is no path: {error}"))
    }
}

async fn each_line(mut body: Incoming, line: &mut impl FnMut(&str) -> bool) {
    let mut pending = Vec::new();
    while let Some(Ok(frame)) = body.frame().await {
        let Ok(data) = frame.into_data() else { continue };
        for byte in data {
            if byte != b'\n' {
                pending.push(byte);
            } else if !line(&String::from_utf8_lossy(&std::mem::take(&mut pending))) {
                return;
            }
        }
    }
}

fn tls_builder() -> rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier> {
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has every version rustls has")
}

/// An error with all that caused it, in one line.
fn chain(error: impl std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
