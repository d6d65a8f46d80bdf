//! What a request carries to say who we are, and how it is kept fresh.
//!
//! client-go's order of precedence, which is not kube's (kube-client 5.0.0, `client/auth/mod.rs`,
//! `Auth::try_from`): a token file beats a token, and either beats a provider or a plugin.

use std::{
    fs,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{HeaderValue, Request, header::AUTHORIZATION};
use kube::{
    client::Body,
    config::{AuthInfo, AuthProviderConfig},
};
use secrecy::{ExposeSecret as _, SecretString};
use tower::{BoxError, filter::AsyncPredicate};

use super::{
    ConnectError,
    exec::{Credential, LoginError, Plugin, Terms},
    messages::reason,
    oidc,
    settings::Settings,
    target::given,
    tls::Identity,
};

/// How long a token file is believed before it is read again, as in client-go.
const FILE_LIFE: Duration = Duration::from_secs(60);

/// Who we are, in whatever form a server wants it.
pub(super) struct Credentials {
    kind: Kind,
    /// How often the client certificate has changed.
    identities: AtomicUsize,
}

enum Kind {
    Nobody,
    Header(HeaderValue),
    TokenFile {
        path: String,
        last: Mutex<(Instant, HeaderValue)>,
    },
    Plugin {
        plugin: Box<Plugin>,
        /// Held while it runs, so that it runs once for all who wait.
        running: tokio::sync::Mutex<()>,
        current: Mutex<Option<Current>>,
    },
}

/// A plugin's last answer.
#[derive(Clone)]
struct Current {
    header: Option<HeaderValue>,
    identity: Option<Identity>,
    renew: Option<SystemTime>,
}

impl Credentials {
    /// Reads the user of `settings`; a server without TLS is told nothing.
    pub(super) fn new(settings: &Settings, terms: Terms) -> Result<Self, ConnectError> {
        let kind = if settings.is_secure() { Kind::new(settings, terms)? } else { Kind::Nobody };
        Ok(Self { kind, identities: AtomicUsize::new(0) })
    }

    /// Returns the `Authorization` header, got anew when the last one is about to expire.
    pub(super) async fn header(&self) -> Result<Option<HeaderValue>, LoginError> {
        match &self.kind {
            Kind::Nobody => Ok(None),
            Kind::Header(header) => Ok(Some(header.clone())),
            Kind::TokenFile { path, last } => Ok(Some(of_file(path, last))),
            Kind::Plugin { plugin, running, current } => {
                let _running = running.lock().await;
                let last = peek(current);
                let is_due = match &last {
                    None => true,
                    Some(last) => last.renew.is_some_and(|renew| SystemTime::now() >= renew),
                };
                let last = if is_due { Some(self.run(plugin, current).await?) } else { last };
                Ok(last.and_then(|last| last.header))
            }
        }
    }

    /// Gets a credential anew after the server has refused `header`, which may be an old one
    /// already. Returns whether there is another now.
    pub(super) async fn renew(&self, header: Option<&HeaderValue>) -> Result<bool, LoginError> {
        let Kind::Plugin { plugin, running, current } = &self.kind else { return Ok(false) };
        let _running = running.lock().await;
        if peek(current).and_then(|last| last.header).as_ref() != header {
            return Ok(true);
        }
        let before = self.identity_number();
        let renewed = self.run(plugin, current).await?;
        Ok(renewed.header.as_ref() != header || self.identity_number() != before)
    }

    /// Returns certificate and key, PEM, if a plugin has given them.
    pub(super) fn identity(&self) -> Option<Identity> {
        match &self.kind {
            Kind::Plugin { current, .. } => peek(current)?.identity,
            _ => None,
        }
    }

    /// Returns a number that changes with the client certificate.
    pub(super) fn identity_number(&self) -> usize {
        self.identities.load(Ordering::Relaxed)
    }

    async fn run(
        &self,
        plugin: &Plugin,
        current: &Mutex<Option<Current>>,
    ) -> Result<Current, LoginError> {
        let Credential { token, identity, renew } = plugin.run().await?;
        let header = match &token {
            Some(token) => Some(bearer(token.expose_secret()).map_err(LoginError::new)?),
            None => None,
        };
        let fresh = Current { header, identity, renew };
        let last = peek(current).and_then(|last| last.identity);
        let certificate =
            |identity: &Option<Identity>| identity.as_ref().map(|(pem, _)| pem.clone());
        if certificate(&last) != certificate(&fresh.identity) {
            self.identities.fetch_add(1, Ordering::Relaxed);
        }
        *current.lock().unwrap_or_else(PoisonError::into_inner) = Some(fresh.clone());
        Ok(fresh)
    }
}

fn peek(current: &Mutex<Option<Current>>) -> Option<Current> {
    current.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

impl Kind {
    fn new(settings: &Settings, terms: Terms) -> Result<Self, ConnectError> {
        let user = &settings.user;
        let setup = |reason: String| ConnectError::Setup(reason);
        let token = secret(user.token.as_ref());
        if let Some(path) = given(user.token_file.as_ref()) {
            match fs::read_to_string(path) {
                // An empty file says nothing.
                Ok(text) if text.trim().is_empty() => {}
                Ok(text) => {
                    let last = Mutex::new((Instant::now(), bearer(text.trim()).map_err(setup)?));
                    return Ok(Self::TokenFile { path: path.to_owned(), last });
                }
                // It may appear later; until then there is the token.
                Err(_) if token.is_some() => {}
                Err(error) => return Err(setup(format!("open {path}: {}", reason(&error)))),
            }
        }
        if let Some(token) = token {
            return Ok(Self::Header(
                bearer(token)
                    .map_err(|reason| ConnectError::Login { reason, install_hint: None })?,
            ));
        }
        let (name, password) = (given(user.username.as_ref()), secret(user.password.as_ref()));
        if name.is_some() || password.is_some() {
            let pair = format!("{}:{}", name.unwrap_or_default(), password.unwrap_or_default());
            let value = format!("Basic {}", BASE64_STANDARD.encode(pair));
            return Ok(Self::Header(sensitive(&value).map_err(setup)?));
        }
        match (&user.exec, &user.auth_provider) {
            // Who has a certificate of their own needs no plugin to log them in.
            (Some(_), _) if has_certificate(user) => Ok(Self::Nobody),
            (Some(config), _) => {
                let plugin = Plugin::new(config.clone(), &settings.cluster, terms);
                let plugin = Box::new(plugin.map_err(setup)?);
                Ok(Self::Plugin {
                    plugin,
                    running: tokio::sync::Mutex::default(),
                    current: Mutex::default(),
                })
            }
            (None, Some(provider)) => of_provider(provider),
            (None, None) => Ok(Self::Nobody),
        }
    }
}

/// Reads a provider's entry, of which only that for `OpenID` Connect is left in kubectl.
fn of_provider(provider: &AuthProviderConfig) -> Result<Kind, ConnectError> {
    let gone = |plugin| ConnectError::ProviderGone { name: provider.name.clone(), plugin };
    match provider.name.as_str() {
        "oidc" => {
            let can_refresh = given(provider.config.get("refresh-token")).is_some();
            let token = oidc::id_token(&provider.config, SystemTime::now());
            let token = token.ok_or(ConnectError::Expired { can_refresh })?;
            bearer(token).map(Kind::Header).map_err(ConnectError::Setup)
        }
        "gcp" => Err(gone("gke-gcloud-auth-plugin")),
        "azure" => Err(gone("kubelogin")),
        name => Err(ConnectError::Setup(format!("no Auth Provider found for name {name:?}"))),
    }
}

fn of_file(path: &str, last: &Mutex<(Instant, HeaderValue)>) -> HeaderValue {
    let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
    if last.0.elapsed() >= FILE_LIFE {
        last.0 = Instant::now();
        // A file that is gone or broken leaves the last token as it is (kubernetes/kubernetes#68164).
        let text = fs::read_to_string(path).unwrap_or_default();
        if !text.trim().is_empty()
            && let Ok(header) = bearer(text.trim())
        {
            last.1 = header;
        }
    }
    last.1.clone()
}

fn has_certificate(user: &AuthInfo) -> bool {
    given(user.client_certificate.as_ref()).is_some()
        || given(user.client_certificate_data.as_ref()).is_some()
}

fn secret(secret: Option<&SecretString>) -> Option<&str> {
    secret.map(SecretString::expose_secret).filter(|secret| !secret.is_empty())
}

fn bearer(token: &str) -> Result<HeaderValue, String> {
    sensitive(&format!("Bearer {token}"))
}

fn sensitive(text: &str) -> Result<HeaderValue, String> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| "net/http: invalid header field value for \"Authorization\"".to_owned())?;
    value.set_sensitive(true);
    Ok(value)
}

/// Puts the `Authorization` header on every request.
#[derive(Clone)]
pub(super) struct Authorize(pub(super) Arc<Credentials>);

impl AsyncPredicate<Request<Body>> for Authorize {
    type Future = Pin<Box<dyn Future<Output = Result<Request<Body>, BoxError>> + Send>>;
    type Request = Request<Body>;

    fn check(&mut self, mut request: Request<Body>) -> Self::Future {
        let credentials = Arc::clone(&self.0);
        Box::pin(async move {
            if let Some(header) = credentials.header().await? {
                request.headers_mut().insert(AUTHORIZATION, header);
            }
            Ok(request)
        })
    }
}
