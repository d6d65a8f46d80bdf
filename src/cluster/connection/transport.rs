//! The HTTP transport: one TCP connection and one TLS handshake, HTTP/2 where the server has it.
//!
//! kube's own stack speaks only HTTP/1.1 (kube-rs/kube#1923), opens a connection per parallel
//! request, leaves Nagle's algorithm on and has no response deadline. So the connection is dialled
//! here, once, and handed to hyper's pool as its first; a later one is dialled only if it breaks.

use std::{
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
    client::{
        legacy::{
            Client as HttpClient,
            connect::{Connect, Connection as _, HttpConnector},
        },
        proxy::matcher::Intercept,
    },
    rt::{TokioExecutor, TokioTimer},
};
use kube::{
    Client, Config,
    client::{Body, ConfigExt as _, middleware::ExtraHeadersLayer},
    config::Cluster,
};
use rustls::{ClientConfig, pki_types::ServerName};
use tower::{BoxError, Service, ServiceBuilder, ServiceExt as _, filter::AsyncFilterLayer};

use super::{
    ConnectError, cause,
    credentials::{Authorize, Credentials},
    exec::Terms,
    log::Logging,
    messages::Log,
    proxy::{self, Dialer, Stream},
    settings::Settings,
    target::given,
    tls,
};
use crate::cluster::Failure;

type Connector = HttpsConnector<Dialer>;
type Io = MaybeHttpsStream<Stream>;

/// All that a client to one server, as one user, is made of.
pub(super) struct Recipe {
    /// Base URL and headers, in the form kube's layers take.
    config: Config,
    headers: ExtraHeadersLayer,
    settings: Settings,
    proxy: Option<Intercept>,
    pub(super) credentials: Arc<Credentials>,
    log: Log,
}

/// Which versions of HTTP a connection may speak.
#[derive(Clone, Copy)]
enum Protocols {
    All,
    Http1,
}

impl Recipe {
    pub(super) fn new(settings: Settings, terms: Terms, log: Log) -> Result<Self, ConnectError> {
        let proxy = proxy::choose(&settings.url, settings.cluster.proxy_url.as_ref())?;
        let credentials = Arc::new(Credentials::new(&settings, terms)?);
        let mut config = Config::new(settings.url.clone());
        config.headers.push((HeaderName::from_static("user-agent"), user_agent()));
        if let Some(user) = proxy::authorization(proxy.as_ref(), &settings.url) {
            config.headers.push((HeaderName::from_static("proxy-authorization"), user));
        }
        let user = &mut config.auth_info;
        user.impersonate = given(settings.user.impersonate.as_ref()).map(str::to_owned);
        if user.impersonate.is_some() {
            user.impersonate_uid = given(settings.user.impersonate_uid.as_ref()).map(str::to_owned);
            user.impersonate_groups.clone_from(&settings.user.impersonate_groups);
            user.impersonate_user_extra.clone_from(&settings.user.impersonate_user_extra);
        }
        let headers = config.extra_headers_layer().map_err(|_| {
            ConnectError::Setup("the user to impersonate cannot be sent in a header".to_owned())
        })?;
        Ok(Self { config, headers, settings, proxy, credentials, log })
    }

    /// The server as messages name it: `host:port`, as it was written.
    pub(super) fn server(&self) -> String {
        let authority = self.settings.url.authority().map_or("", |authority| authority.as_str());
        authority.rsplit('@').next().unwrap_or_default().to_owned()
    }

    /// Dials the server and returns a client on that connection.
    pub(super) async fn dial(&self) -> Result<Client, DialError> {
        let mut connector = self.connector(Protocols::All)?;
        let broken =
            |error: BoxError| DialError::Failed(cause::failure(error.as_ref(), &self.server()));
        let ready = connector.ready().await.map_err(broken)?;
        let io = ready.call(self.settings.url.clone()).await.map_err(broken)?;
        let mut builder = HttpClient::builder(TokioExecutor::new());
        builder.pool_timer(TokioTimer::new()).timer(TokioTimer::new());
        if io.connected().is_negotiated_h2() {
            builder.http2_only(true);
            builder.http2_keep_alive_interval(Duration::from_secs(30));
            builder.http2_keep_alive_timeout(Duration::from_secs(15));
        }
        let seeded = Seeded { connector, first: Arc::new(Mutex::new(Some(io))) };
        Ok(self.client(builder.build(seeded)))
    }

    /// Returns a client that speaks HTTP/1.1 and opens a connection for each request: HTTP/2 has no
    /// upgrades, and an upgraded connection is of no use to others (kube-rs/kube#1923).
    pub(super) fn upgrading_client(&self) -> Result<Client, ConnectError> {
        let mut builder = HttpClient::builder(TokioExecutor::new());
        builder.pool_max_idle_per_host(0);
        Ok(self.client(builder.build(self.connector(Protocols::Http1)?)))
    }

    fn client<C>(&self, http: HttpClient<C, Body>) -> Client
    where
        C: Connect + Clone + Send + Sync + 'static,
    {
        let service = ServiceBuilder::new()
            .layer(self.config.base_uri_layer())
            .layer(AsyncFilterLayer::new(Authorize(Arc::clone(&self.credentials))))
            .layer(&self.headers)
            .layer(Logging(self.log.clone()))
            .map_err(BoxError::from)
            .service(http);
        Client::new(service, "default")
    }

    fn connector(&self, protocols: Protocols) -> Result<Connector, ConnectError> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        // Without this the first request waits for the ACK of the TLS handshake's last segment.
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(Duration::from_secs(30)));
        tcp.set_connect_timeout(Some(Duration::from_secs(10)));
        let tls = self.tls()?;
        let dialer = Dialer::new(tcp, self.proxy.as_ref(), &self.settings.url, &tls);
        let builder = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http();
        let builder = match given(self.settings.cluster.tls_server_name.as_ref()) {
            None => builder,
            Some(name) => {
                let name = ServerName::try_from(name.to_owned()).map_err(|_| {
                    ConnectError::Setup(format!("tls-server-name {name:?} is no name"))
                })?;
                builder.with_server_name_resolver(FixedServerNameResolver::new(name))
            }
        };
        Ok(match protocols {
            Protocols::All => builder.enable_all_versions().wrap_connector(dialer),
            Protocols::Http1 => builder.enable_http1().wrap_connector(dialer),
        })
    }

    fn tls(&self) -> Result<ClientConfig, ConnectError> {
        if !self.settings.is_secure() {
            // Only a proxy can be on TLS, and then it has to be one that the system trusts.
            let is_plain = |proxy: &Intercept| proxy.uri().scheme_str() != Some("https");
            let is_plain = self.proxy.as_ref().is_none_or(is_plain);
            let nobody = Cluster { insecure_skip_tls_verify: Some(is_plain), ..Cluster::default() };
            return tls::client_config(&nobody, None);
        }
        let identity = match self.credentials.identity() {
            Some(identity) => Some(identity),
            None => tls::identity(&self.settings.user)?,
        };
        tls::client_config(&self.settings.cluster, identity.as_ref())
    }
}

/// Why there is no connection.
pub(super) enum DialError {
    /// It cannot be set up.
    Setup(ConnectError),
    /// The server cannot be reached.
    Failed(Failure),
}

impl From<ConnectError> for DialError {
    fn from(error: ConnectError) -> Self {
        Self::Setup(error)
    }
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

/// A connector whose first connection is already open.
#[derive(Clone)]
struct Seeded {
    connector: Connector,
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
