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
        connect::{Connect, Connection as _, HttpConnector},
    },
    rt::{TokioExecutor, TokioIo, TokioTimer},
};
use kube::{
    Client, Config,
    client::{
        Body, ConfigExt as _,
        middleware::{AuthLayer, ExtraHeadersLayer},
    },
};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tower::{BoxError, Service, ServiceBuilder, ServiceExt as _};

use super::{ConnectError, tls};
use crate::cluster::{Failure, failure::describe_auth};

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

/// An open way to an API server.
pub(in crate::cluster) struct Link {
    /// Sends requests on the one connection.
    pub(in crate::cluster) client: Client,
    /// What another client to the same server, as the same user, is made of.
    recipe: Option<Recipe>,
}

/// Server, TLS and user, without the HTTP client at the end.
struct Recipe {
    config: Config,
    auth: Option<AuthLayer>,
    headers: ExtraHeadersLayer,
}

impl Link {
    /// Sends requests to whatever is behind `client`.
    pub(super) fn ready(client: Client) -> Self {
        Self { client, recipe: None }
    }

    /// Dials the server of `config`.
    pub(super) async fn connect(config: Config) -> Result<Self, TransportError> {
        if config.proxy_url.is_some() {
            return Err(ConnectError::Unsupported { what: "a proxy" }.into());
        }
        let mut connector = connector(&config, Protocols::All)?;
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
        let recipe = Recipe::new(config)?;
        Ok(Self { client: recipe.client(builder.build(seeded)), recipe: Some(recipe) })
    }

    /// Returns a client that speaks HTTP/1.1 and opens a connection for each request: HTTP/2 has no
    /// upgrades, and an upgraded connection is of no use to others (kube-rs/kube#1923).
    pub(in crate::cluster) fn upgrading_client(&self) -> Result<Client, ConnectError> {
        let Some(recipe) = &self.recipe else { return Ok(self.client.clone()) };
        let mut builder = HttpClient::builder(TokioExecutor::new());
        builder.pool_max_idle_per_host(0);
        Ok(recipe.client(builder.build(connector(&recipe.config, Protocols::Http1)?)))
    }
}

impl Recipe {
    fn new(mut config: Config) -> Result<Self, ConnectError> {
        config.headers.push((HeaderName::from_static("user-agent"), user_agent()));
        let layers = || -> Result<_, kube::Error> {
            Ok((config.auth_layer()?, config.extra_headers_layer()?))
        };
        let (auth, headers) = layers().map_err(|error| ConnectError::Credentials {
            what: "the user of the kubeconfig",
            cause: match &error {
                kube::Error::Auth(error) => describe_auth(error),
                error => Failure::from_cause(error).to_string(),
            },
        })?;
        Ok(Self { config, auth, headers })
    }

    fn client<C>(&self, http: HttpClient<C, Body>) -> Client
    where
        C: Connect + Clone + Send + Sync + 'static,
    {
        let service = ServiceBuilder::new()
            .layer(self.config.base_uri_layer())
            .option_layer(self.auth.as_ref())
            .layer(&self.headers)
            .map_err(BoxError::from)
            .service(http);
        Client::new(service, self.config.default_namespace.clone())
    }
}

/// Which versions of HTTP a connection may speak.
#[derive(Clone, Copy)]
enum Protocols {
    All,
    Http1,
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

fn connector(
    config: &Config,
    protocols: Protocols,
) -> Result<HttpsConnector<HttpConnector>, ConnectError> {
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
    Ok(match protocols {
        Protocols::All => builder.enable_all_versions().wrap_connector(tcp),
        Protocols::Http1 => builder.enable_http1().wrap_connector(tcp),
    })
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
