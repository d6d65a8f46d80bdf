//! Why a connection does not come about or breaks, in the words kubectl has from Go.
//!
//! The errors of hyper, rustls and the operating system are nested, in part where `source` does not
//! lead, and repeat each other; only the innermost says something. kube's own print debug output
//! (kube-client 5.0.0, `error.rs`, `Error::Api`).

use std::{error::Error as StdError, io};

use rustls::{CertificateError, InvalidMessage};

use super::{certificate::Untrusted, exec::LoginError, messages::reason, proxy::ProxyError};
use crate::cluster::Failure;

/// Says why a request to `server` (`host:port`) failed.
pub(super) fn failure(error: &(dyn StdError + 'static), server: &str) -> Failure {
    let mut found = Found { prefix: "", dialled: false, resolved: false };
    let mut cause = error;
    loop {
        if let Some(failure) = found.look_at(cause, server) {
            return failure;
        }
        match inner(cause).or_else(|| cause.source()) {
            Some(source) => cause = source,
            None => return found.unknown(&cause.to_string()),
        }
    }
}

/// What an error carries and does not name as its source.
fn inner<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    if let Some(error) = error.downcast_ref::<h2::Error>() {
        return error.get_io().map(|error| error as &(dyn StdError + 'static));
    }
    let carried = error.downcast_ref::<io::Error>()?.get_ref()?;
    Some(carried as &(dyn StdError + 'static))
}

/// What was learnt on the way to the innermost cause.
struct Found {
    prefix: &'static str,
    /// Whether it failed while the TCP connection was made.
    dialled: bool,
    /// Whether it failed while the name was looked up.
    resolved: bool,
}

impl Found {
    fn look_at(&mut self, cause: &(dyn StdError + 'static), server: &str) -> Option<Failure> {
        if cause.is::<ProxyError>() {
            self.prefix = "proxyconnect tcp: ";
        } else if let Some(error) = cause.downcast_ref::<LoginError>() {
            let advice = error.install_hint.clone();
            return Some(Failure::unreachable(&error.to_string(), advice, false));
        } else if let Some(error) = cause.downcast_ref::<rustls::Error>() {
            return Some(self.of_tls(error));
        } else if let Some(error) = cause.downcast_ref::<h2::Error>() {
            return self.of_h2(error);
        } else if let Some(error) = cause.downcast_ref::<hyper::Error>() {
            return self.of_hyper(error);
        } else if let Some(error) = cause.downcast_ref::<io::Error>() {
            return self.of_system(error, server);
        } else {
            // hyper-util's own errors are told apart by their text alone.
            match cause.to_string().as_str() {
                "tcp connect error" => self.dialled = true,
                "dns error" => self.resolved = true,
                "tunnel error: proxy authorization required" => {
                    return Some(Failure::unreachable(
                        "Proxy Authentication Required",
                        None,
                        false,
                    ));
                }
                "tunnel error: unsuccessful" => {
                    return Some(Failure::unreachable("the proxy refused to connect", None, false));
                }
                "tunnel error: unexpected end of file" => return Some(self.broken("EOF")),
                _ => {}
            }
        }
        None
    }

    fn of_system(&self, error: &io::Error, server: &str) -> Option<Failure> {
        if self.resolved {
            let host = server.rsplit_once(':').map_or(server, |(host, _)| host);
            let text = format!("dial tcp: lookup {host}: no such host");
            return Some(Failure::unreachable(&text, None, false));
        }
        match error.kind() {
            io::ErrorKind::ConnectionRefused => {
                Some(Failure::ConnectionRefused { server: server.to_owned() })
            }
            // rustls and hyper say it in words of their own.
            io::ErrorKind::UnexpectedEof => Some(self.broken("EOF")),
            io::ErrorKind::ConnectionReset => Some(self.broken("connection reset by peer")),
            io::ErrorKind::BrokenPipe => Some(self.broken("broken pipe")),
            io::ErrorKind::TimedOut if self.dialled => {
                Some(self.unknown(&format!("dial tcp {server}: i/o timeout")))
            }
            _ if error.get_ref().is_some() => None,
            _ if self.dialled => {
                Some(self.unknown(&format!("dial tcp {server}: connect: {}", reason(error))))
            }
            _ => Some(self.unknown(&reason(error))),
        }
    }

    fn of_hyper(&self, error: &hyper::Error) -> Option<Failure> {
        // A request that was not sent any more has what ended the connection as its cause.
        let cause = error.source().and_then(|cause| cause.downcast_ref());
        let ended = cause.filter(|_| error.is_canceled()).and_then(|cause| self.of_hyper(cause));
        if ended.is_some() {
            return ended;
        }
        if error.is_incomplete_message() || error.is_canceled() {
            return Some(self.broken("EOF"));
        }
        // Of hyper's own, only that of HTTP/2's pings: deadlines are kept elsewhere.
        if error.is_timeout() {
            return Some(self.broken("http2: client connection lost"));
        }
        let is_nonsense = error.is_parse() || error.to_string().contains("unexpected message");
        if is_nonsense {
            return Some(self.unknown("malformed HTTP response"));
        }
        None
    }

    fn of_h2(&self, error: &h2::Error) -> Option<Failure> {
        let reason = error.reason()?;
        let reason = format!("{reason:?}");
        let what = if error.is_go_away() { "server sent GOAWAY" } else { "stream error" };
        let who = if error.is_remote() { "; received from peer" } else { "" };
        Some(self.broken(&format!("{what}: {reason}{who}")))
    }

    fn of_tls(&self, error: &rustls::Error) -> Failure {
        match error {
            rustls::Error::InvalidCertificate(CertificateError::Other(other)) => {
                match other.0.downcast_ref::<Untrusted>() {
                    Some(error) => {
                        let text = format!("{}{error}", self.prefix);
                        Failure::unreachable(&text, Some(error.advice.clone()), false)
                    }
                    None => self.unknown(&format!("tls: {error}")),
                }
            }
            rustls::Error::AlertReceived(alert) => self.unknown(&format!("{ALERT}{alert:?}")),
            rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
                self.unknown("http: server gave HTTP response to HTTPS client")
            }
            error => self.unknown(&format!("tls: {error}")),
        }
    }

    /// The connection was there, and broke: it may be better the next time.
    fn broken(&self, text: &str) -> Failure {
        Failure::unreachable(&format!("{}{text}", self.prefix), None, true)
    }

    fn unknown(&self, text: &str) -> Failure {
        // What h2 hands on of rustls is its text.
        let alert =
            text.strip_prefix(ALERT).map(|name| format!("remote error: tls: {}", words(name)));
        let text = alert.as_deref().unwrap_or(text);
        Failure::unreachable(&format!("{}{text}", self.prefix), None, false)
    }
}

/// How rustls says that the server sent an alert.
const ALERT: &str = "received fatal alert: ";

/// Go's words for what a server says of our side of TLS (`crypto/tls`, `alertText`), by rustls' name.
fn words(alert: &str) -> String {
    let words = match alert {
        "HandshakeFailure" => "handshake failure",
        "BadCertificate" => "bad certificate",
        "UnsupportedCertificate" => "unsupported certificate",
        "CertificateRevoked" => "revoked certificate",
        "CertificateExpired" => "expired certificate",
        "CertificateUnknown" => "unknown certificate",
        "CertificateRequired" => "certificate required",
        "UnknownCA" => "unknown certificate authority",
        "AccessDenied" => "access denied",
        "ProtocolVersion" => "protocol version not supported",
        "InternalError" => "internal error",
        "UnrecognisedName" => "unrecognized name",
        alert => return format!("alert {alert}"),
    };
    words.to_owned()
}
