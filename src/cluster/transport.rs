//! The HTTP transport: one TCP connection and one TLS handshake, HTTP/2 where the server has it.
//!
//! kube's own stack speaks only HTTP/1.1 (kube-rs/kube#1923), opens a connection per parallel
//! request, leaves Nagle's algorithm on and has no response deadline. So the connection is dialled
//! here, once, and handed to hyper's pool as its first; a later one is dialled only if it breaks.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use http::{HeaderName, HeaderValue, Uri};
use hyper_rustls::{
    FixedServerNameResolver, HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream,
};
use hyper_util::{
    client::legacy::{
        Client as HttpClient,
        connect::{Connection as _, HttpConnector},
    },
    rt::{TokioExecutor, TokioIo, TokioTimer},
};
use kube::{
    Client, Config,
    client::{Body, ConfigExt as _},
};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tower::{BoxError, Service, ServiceBuilder, ServiceExt as _};

use super::{ConnectError, Failure, failure::describe_auth};

mod tls;

type Io = MaybeHttpsStream<TokioIo<TcpStream>>;

/// Why there is no connection.
pub(super) enum TransportError {
    /// The configuration cannot be used.
    Setup(ConnectError),
    /// The server cannot be reached.
    Dial(Failure),
}

impl From<ConnectError> for TransportError {
    fn from(error: ConnectError) -> Self {
        Self::Setup(error)
    }
}

/// Dials the server of `config` and returns a client on that connection.
pub(super) async fn connect(config: &Config) -> Result<Client, TransportError> {
    if config.proxy_url.is_some() {
        return Err(ConnectError::Unsupported { what: "a proxy" }.into());
    }
    let mut connector = connector(config)?;
    let io =
        dial(&mut connector, config.cluster_url.clone()).await.map_err(TransportError::Dial)?;
    let mut builder = HttpClient::builder(TokioExecutor::new());
    builder.pool_timer(TokioTimer::new()).timer(TokioTimer::new());
    if io.connected().is_negotiated_h2() {
        builder.http2_only(true);
        builder.http2_keep_alive_interval(Duration::from_secs(30));
        builder.http2_keep_alive_timeout(Duration::from_secs(15));
    }
    let seeded = Seeded { connector, first: Arc::new(Mutex::new(Some(io))) };
    let http: HttpClient<_, Body> = builder.build(seeded);
    let mut config = config.clone();
    config.headers.push((HeaderName::from_static("user-agent"), user_agent()));
    let layers =
        || -> Result<_, kube::Error> { Ok((config.auth_layer()?, config.extra_headers_layer()?)) };
    let (auth, headers) = layers().map_err(|error| ConnectError::Credentials {
        what: "the user of the kubeconfig",
        cause: match &error {
            kube::Error::Auth(error) => describe_auth(error),
            error => Failure::from_cause(error).to_string(),
        },
    })?;
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(auth)
        .layer(headers)
        .map_err(BoxError::from)
        .service(http);
    Ok(Client::new(service, config.default_namespace))
}

fn user_agent() -> HeaderValue {
    let text = format!(
        "kubectl-kubia/{} ({}/{})",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH
    );
    HeaderValue::from_str(&text).expect("version and platform are ASCII")
}

fn connector(config: &Config) -> Result<HttpsConnector<HttpConnector>, ConnectError> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    // Without this the first request waits for the ACK of the TLS handshake's last segment.
    tcp.set_nodelay(true);
    tcp.set_keepalive(Some(Duration::from_secs(30)));
    tcp.set_connect_timeout(Some(Duration::from_secs(10)));
    let builder = HttpsConnectorBuilder::new().with_tls_config(tls::client_config(config)?);
    let builder = builder.https_or_http();
    let builder = match &config.tls_server_name {
        None => builder,
        Some(name) => {
            let name = ServerName::try_from(name.clone()).map_err(|error| {
                ConnectError::Credentials { what: "tls-server-name", cause: error.to_string() }
            })?;
            builder.with_server_name_resolver(FixedServerNameResolver::new(name))
        }
    };
    Ok(builder.enable_all_versions().wrap_connector(tcp))
}

async fn dial(connector: &mut HttpsConnector<HttpConnector>, url: Uri) -> Result<Io, Failure> {
    let failure = |error: BoxError| Failure::from_cause(error.as_ref());
    connector.ready().await.map_err(failure)?.call(url).await.map_err(failure)
}

/// A connector whose first connection is already open.
#[derive(Clone)]
struct Seeded {
    connector: HttpsConnector<HttpConnector>,
    first: Arc<Mutex<Option<Io>>>,
}

impl Service<Uri> for Seeded {
    type Response = Io;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Io, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.connector.poll_ready(context)
    }

    fn call(&mut self, url: Uri) -> Self::Future {
        match self.first.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(io) => Box::pin(std::future::ready(Ok(io))),
            None => self.connector.call(url),
        }
    }
}
