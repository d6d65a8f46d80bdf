//! Which proxy leads to a server, by Go's rules, and how a connection through it is made.
//!
//! hyper-util speaks to proxies and reads their URLs. Whether one is to be used is decided here: its
//! matcher, and kube's, follow curl's rules for `NO_PROXY` (hyper-util 0.1.21, `client/proxy/matcher.rs`;
//! kube-client 5.0.0, `config/file_loader.rs`, `proxy_url`, which asks about the proxy's own host).

use std::{
    env,
    error::Error as StdError,
    fmt, io,
    net::IpAddr,
    pin::Pin,
    task::{Context, Poll},
};

use http::{HeaderValue, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::{
    client::{
        legacy::connect::{
            Connected, Connection, HttpConnector,
            proxy::{SocksV5, Tunnel},
        },
        proxy::matcher::{Intercept, Matcher},
    },
    rt::TokioIo,
};
use ipnet::IpNet;
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tower::{BoxError, Service};

use super::{ConnectError, target::given};

/// Returns the proxy to `server`: the one that is named for the cluster, else the environment's.
pub(super) fn choose(
    server: &Uri,
    of_cluster: Option<&String>,
) -> Result<Option<Intercept>, ConnectError> {
    if let Some(url) = given(of_cluster) {
        return read(url, server).map(Some).ok_or_else(|| unreadable("proxy-url", url));
    }
    let (host, port) = place(server);
    let (name, small) = match server.scheme_str() {
        Some("http") => ("HTTP_PROXY", "http_proxy"),
        _ => ("HTTPS_PROXY", "https_proxy"),
    };
    let Some(url) = variable(name, small) else { return Ok(None) };
    let exceptions = variable("NO_PROXY", "no_proxy").unwrap_or_default();
    if is_local(&host) || is_exempt(&exceptions, &host, port) {
        return Ok(None);
    }
    read(&url, server).map(Some).ok_or_else(|| unreadable(name, &url))
}

/// Says what is wrong with a `proxy-url`, in client-go's words (`clientcmd.parseProxyURL`).
pub(in crate::cluster) fn check(url: &str) -> Result<(), String> {
    let scheme = match url.split_once(':') {
        Some((scheme, rest)) if rest.starts_with("//") => scheme,
        Some((scheme, _)) if scheme.parse::<IpAddr>().is_ok() => {
            return Err(format!("could not parse: {}", without_user(url)));
        }
        Some((scheme, _)) => scheme,
        None => "",
    };
    if !["http", "https", "socks5"].contains(&scheme) {
        return Err(format!("unsupported scheme {scheme:?}, must be http, https, or socks5"));
    }
    match url.parse::<Uri>() {
        Ok(uri) if uri.host().is_some_and(|host| !host.is_empty()) => Ok(()),
        _ => Err(format!("could not parse: {}", without_user(url))),
    }
}

fn unreadable(what: &str, url: &str) -> ConnectError {
    ConnectError::Setup(format!("{what} is no proxy's URL: {:?}", without_user(url)))
}

/// Returns a URL without the user and the password it may have.
pub(super) fn without_user(url: &str) -> String {
    let (start, rest) = url.split_once("//").map_or(("", url), |(scheme, rest)| (scheme, rest));
    let (place, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let place = place.rsplit('@').next().unwrap_or_default();
    let slashes = if url.contains("//") { "//" } else { "" };
    format!("{start}{slashes}{place}{path}")
}

fn read(url: &str, server: &Uri) -> Option<Intercept> {
    Matcher::builder().all(url.to_owned()).build().intercept(server)
}

fn variable(name: &str, small: &str) -> Option<String> {
    let value = |name| env::var(name).ok().filter(|value| !value.is_empty());
    value(name).or_else(|| value(small))
}

fn place(server: &Uri) -> (String, u16) {
    let usual = if server.scheme_str() == Some("http") { 80 } else { 443 };
    let host = server.host().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    (host, server.port_u16().unwrap_or(usual))
}

/// Go leads nobody to this machine through the environment's proxy.
fn is_local(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether `NO_PROXY` names a host, by the rules of golang.org/x/net/http/httpproxy: addresses,
/// networks, names with all below them, `.name` and `*.name` for what is below alone, each with or
/// without a port, and `*` for everything.
pub(in crate::cluster) fn is_exempt(exceptions: &str, host: &str, port: u16) -> bool {
    let address = host.parse::<IpAddr>().ok();
    exceptions.split(',').map(|item| item.trim().to_ascii_lowercase()).any(|item| {
        if item.is_empty() {
            return false;
        }
        if item == "*" {
            return true;
        }
        if let Ok(network) = item.parse::<IpNet>() {
            return address.is_some_and(|address| network.contains(&address));
        }
        let (name, wanted) = with_port(&item);
        if wanted.is_some_and(|wanted| wanted != port) {
            return false;
        }
        match (name.parse::<IpAddr>(), address) {
            (Ok(name), Some(address)) => name == address,
            (Ok(_), None) | (Err(_), Some(_)) => false,
            (Err(_), None) => names(name, host),
        }
    })
}

fn with_port(item: &str) -> (&str, Option<u16>) {
    let split = item.rsplit_once(':').filter(|(name, _)| {
        // An IPv6 address without brackets is all name.
        !name.contains(':') || (name.starts_with('[') && name.ends_with(']'))
    });
    let (name, port) = match split {
        Some((name, port)) => (name, port.parse().ok()),
        None => (item, None),
    };
    (name.trim_start_matches('[').trim_end_matches(']'), port)
}

fn names(name: &str, host: &str) -> bool {
    let name = name.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(name);
    let below = name.strip_prefix('.').unwrap_or(name);
    let is_below = host.strip_suffix(below).is_some_and(|start| start.ends_with('.'));
    is_below || (host == name && !below.is_empty())
}

/// The way to a proxy: on TLS where its URL says so.
type Hop = HttpsConnector<HttpConnector>;

/// Opens connections to a server, directly or through a proxy.
#[derive(Clone)]
pub(super) enum Dialer {
    Direct(HttpConnector),
    /// Through a proxy for plain HTTP, which wants whole URLs.
    Forward(Hop, Uri),
    Tunnel(Tunnel<Hop>),
    Socks(SocksV5<HttpConnector>),
}

impl Dialer {
    /// `tls` is for a proxy that is itself on TLS: as in Go, it has to be one the cluster trusts.
    pub(super) fn new(
        tcp: HttpConnector,
        proxy: Option<&Intercept>,
        server: &Uri,
        tls: &ClientConfig,
    ) -> Self {
        let Some(proxy) = proxy else { return Self::Direct(tcp) };
        if proxy.uri().scheme_str().is_some_and(|scheme| scheme.starts_with("socks")) {
            let socks = SocksV5::new(with_default_port(proxy.uri(), 1080), tcp);
            return Self::Socks(match proxy.raw_auth() {
                Some((user, password)) => socks.with_auth(user.to_owned(), password.to_owned()),
                None => socks,
            });
        }
        let builder = HttpsConnectorBuilder::new().with_tls_config(tls.clone()).https_or_http();
        let hop = builder.enable_http1().wrap_connector(tcp);
        if server.scheme_str() == Some("http") {
            return Self::Forward(hop, proxy.uri().clone());
        }
        let tunnel = Tunnel::new(proxy.uri().clone(), hop);
        Self::Tunnel(match proxy.basic_auth() {
            Some(user) => tunnel.with_auth(user.clone()),
            None => tunnel,
        })
    }
}

fn with_default_port(url: &Uri, port: u16) -> Uri {
    let (None, Some(host), Some(scheme)) = (url.port(), url.host(), url.scheme_str()) else {
        return url.clone();
    };
    format!("{scheme}://{host}:{port}/").parse().unwrap_or_else(|_| url.clone())
}

/// Returns the header that names us to a proxy for plain HTTP, on every request.
pub(super) fn authorization(proxy: Option<&Intercept>, server: &Uri) -> Option<HeaderValue> {
    let is_plain = server.scheme_str() == Some("http");
    proxy.filter(|_| is_plain)?.basic_auth().cloned()
}

type Io = MaybeHttpsStream<TokioIo<TcpStream>>;

/// A connection that [`Dialer`] has opened.
pub(super) struct Stream {
    io: Io,
    /// Whether whole URLs have to be sent on it.
    is_forwarded: bool,
}

impl Service<Uri> for Dialer {
    type Response = Stream;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        match self {
            Self::Direct(tcp) => tcp.poll_ready(context).map_err(Into::into),
            Self::Forward(hop, _) => hop.poll_ready(context),
            Self::Tunnel(tunnel) => tunnel.poll_ready(context).map_err(Into::into),
            Self::Socks(socks) => socks.poll_ready(context).map_err(Into::into),
        }
    }

    fn call(&mut self, server: Uri) -> Self::Future {
        let direct = |io| Stream { io, is_forwarded: false };
        match self {
            Self::Direct(tcp) => {
                let dialling = tcp.call(server);
                Box::pin(async move { Ok(direct(MaybeHttpsStream::Http(dialling.await?))) })
            }
            Self::Forward(hop, proxy) => {
                let dialling = hop.call(proxy.clone());
                Box::pin(async move {
                    let io = dialling.await.map_err(ProxyError)?;
                    Ok(Stream { io, is_forwarded: true })
                })
            }
            Self::Tunnel(tunnel) => {
                let dialling = tunnel.call(server);
                Box::pin(async move {
                    Ok(direct(dialling.await.map_err(|error| ProxyError(error.into()))?))
                })
            }
            Self::Socks(socks) => {
                let dialling = socks.call(server);
                Box::pin(async move {
                    let io = dialling.await.map_err(|error| ProxyError(error.into()))?;
                    Ok(direct(MaybeHttpsStream::Http(io)))
                })
            }
        }
    }
}

/// What went wrong on the way to a proxy, or with it.
#[derive(Debug)]
pub(super) struct ProxyError(BoxError);

impl fmt::Display for ProxyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("proxyconnect tcp")
    }
}

impl StdError for ProxyError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(self.0.as_ref())
    }
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        self.io.connected().proxy(self.is_forwarded)
    }
}

impl hyper::rt::Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: hyper::rt::ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(context, buffer)
    }
}

impl hyper::rt::Write for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(context, slices)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each exception with hosts it names and hosts it does not.
    #[test]
    fn exceptions_are_gos() {
        let cases: [(&str, &[&str], &[&str]); 11] = [
            (
                "example.com",
                &["example.com", "a.example.com", "a.b.example.com"],
                &["badexample.com", "example.org"],
            ),
            (".example.com", &["a.example.com"], &["example.com", "aexample.com"]),
            ("*.example.com", &["a.example.com"], &["example.com"]),
            ("Example.COM", &["example.com"], &[]),
            ("example.com:443", &["example.com", "a.example.com"], &[]),
            ("example.com:80", &[], &["example.com"]),
            ("10.0.0.1", &["10.0.0.1"], &["10.0.0.2", "a.10.0.0.1"]),
            ("10.0.0.1:443, 10.0.0.2:80", &["10.0.0.1"], &["10.0.0.2"]),
            ("10.0.0.0/8,fd00::/8", &["10.1.2.3", "fd00::1"], &["11.0.0.1", "fe00::1"]),
            ("[::2]:443,::3", &["::2", "::3"], &["::4"]),
            (",, *", &["anything", "10.0.0.1"], &[]),
        ];
        for (exceptions, named, others) in cases {
            for host in named {
                assert!(is_exempt(exceptions, host, 443), "{exceptions}: {host}");
            }
            for host in others {
                assert!(!is_exempt(exceptions, host, 443), "{exceptions}: {host}");
            }
        }
        assert!(!is_exempt("", "example.com", 443));
        assert!(!is_exempt(".,:,*x,[", "example.com", 443));
    }

    #[test]
    fn passwords_are_not_shown() {
        let cases = [
            ("https://me:SECRET@a:1/b@c", "https://a:1/b@c"),
            ("https://a:1/b@c", "https://a:1/b@c"),
            ("me:SE@CRET@a", "a"),
            ("//me@", "//"),
            ("", ""),
        ];
        for (url, shown) in cases {
            assert_eq!(without_user(url), shown);
        }
    }

    #[test]
    fn this_machine_is_reached_directly() {
        for host in ["localhost", "127.0.0.1", "127.1.2.3", "::1"] {
            assert!(is_local(host), "{host}");
        }
        for host in ["localhost.example.com", "0.0.0.0", "128.0.0.1", "::"] {
            assert!(!is_local(host), "{host}");
        }
    }
}
