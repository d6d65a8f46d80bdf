//! A scripted API server: it answers what it is told, breaks where it is told, and remembers who
//! asked.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use hyper::body::{Bytes, Incoming};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use rustls::{
    DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme,
    SupportedProtocolVersion,
    client::danger::HandshakeSignatureValid,
    crypto::{WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, UnixTime},
    server::danger::{ClientCertVerified, ClientCertVerifier},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

use super::{pki::Identity, runtime};

mod answer;
mod frames;

pub(crate) use self::answer::{Answer, status};
use self::answer::{Scripted, Step, discovery, json_response, object};

/// One request, and who sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) host: String,
    /// What identifies the user: a header or a certificate, in a fixed order.
    pub(crate) identity: Vec<String>,
    /// The name asked for in the TLS handshake; none for an IP address or plain HTTP.
    pub(crate) sni: Option<String>,
    pub(crate) headers: HeaderMap,
}

/// What happens to a request for the object.
#[derive(Clone)]
pub(crate) enum Action {
    /// The object, as JSON.
    Object,
    Answer(Answer),
    /// Nothing, for ever.
    Hang,
    /// The status line and headers, then nothing.
    HangAfterHeaders,
    /// Half of the body it promised, then the connection breaks.
    CutBody,
    /// The connection ends without an answer.
    Close,
    /// On HTTP/2: the stream is refused before anything was done.
    RefuseStream,
    /// On HTTP/2: the object, with word that the connection is to be left afterwards.
    ObjectAndGoAway,
    /// On HTTP/2: word that the connection is over, and its end.
    GoAway,
}

/// What happens to a connection before there is any HTTP.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    Works,
    /// It ends as soon as it is there.
    Closes,
    /// It is reset as soon as it is there.
    Resets,
    /// Nothing is ever said.
    IsSilent,
    /// TLS is set up, then it ends.
    ClosesAfterTls,
    /// TLS is set up, then nothing is ever said.
    IsSilentAfterTls,
    /// It is plain HTTP whatever the client speaks.
    IsPlain,
    /// Something that is no protocol at all.
    IsGarbage,
}

type Script = dyn Fn(usize) -> Action + Send + Sync;

/// How a server behaves.
pub(crate) struct Plan {
    pub(crate) tls: Option<Tls>,
    pub(crate) wire: Wire,
    /// What happens to the n-th request for the object.
    pub(crate) script: Arc<Script>,
    /// Whether the discovery of APIs works whatever the script says.
    pub(crate) discovery: bool,
    /// Whether it speaks HTTP/2 frame by frame, which some actions need.
    pub(crate) by_frames: bool,
    /// The only credential that is good, if there is one: another is answered with 401.
    pub(crate) wants: Option<String>,
}

/// TLS of a server.
pub(crate) struct Tls {
    pub(crate) identity: Identity,
    pub(crate) versions: Vec<&'static SupportedProtocolVersion>,
    pub(crate) protocols: Vec<&'static str>,
    /// Whether a client certificate is required.
    pub(crate) requires_certificate: bool,
}

impl Tls {
    pub(crate) fn new(identity: Identity) -> Self {
        Self {
            identity,
            versions: vec![&rustls::version::TLS13, &rustls::version::TLS12],
            protocols: vec!["h2", "http/1.1"],
            requires_certificate: false,
        }
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        let provider = Arc::new(ring::default_provider());
        let verifier = AnyCertificate {
            algorithms: provider.signature_verification_algorithms,
            required: self.requires_certificate,
        };
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&self.versions)
            .unwrap()
            .with_client_cert_verifier(Arc::new(verifier))
            .with_single_cert(self.identity.chain(), self.identity.key())
            .unwrap();
        config.alpn_protocols =
            self.protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        TlsAcceptor::from(Arc::new(config))
    }
}

/// A server that ends with the value.
pub(crate) struct Server {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    connections: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    pub(crate) fn start(plan: Plan) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        let host = Host {
            acceptor: plan.tls.as_ref().map(Tls::acceptor),
            plan: Arc::new(plan),
            seen: Arc::clone(&seen),
            asked: Arc::default(),
        };
        let task = runtime().spawn(async move {
            let listener = TcpListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(host.clone().serve(stream));
            }
        });
        Self { address, seen, connections, task }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections were accepted.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The requests for objects so far, without those that only discover APIs.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        let seen = self.seen.lock().unwrap().clone();
        seen.into_iter().filter(|seen| !is_discovery(&seen.path)).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Clone)]
struct Host {
    plan: Arc<Plan>,
    acceptor: Option<TlsAcceptor>,
    seen: Arc<Mutex<Vec<Seen>>>,
    asked: Arc<AtomicUsize>,
}

impl Host {
    async fn serve(self, mut stream: TcpStream) {
        stream.set_nodelay(true).unwrap();
        match self.plan.wire {
            Wire::Closes => return,
            Wire::Resets => return reset(&stream),
            Wire::IsSilent => return std::future::pending().await,
            Wire::IsGarbage => {
                let _ = stream.write_all(b"220 mail.example.com ESMTP\r\n").await;
                let mut rest = Vec::new();
                let _ = stream.read_to_end(&mut rest).await;
                return;
            }
            _ => {}
        }
        let acceptor = self.acceptor.clone().filter(|_| self.plan.wire != Wire::IsPlain);
        let Some(acceptor) = acceptor else {
            return self.http(stream, None, None).await;
        };
        let Ok(stream) = acceptor.accept(stream).await else { return };
        match self.plan.wire {
            Wire::ClosesAfterTls => return,
            Wire::IsSilentAfterTls => return std::future::pending().await,
            _ => {}
        }
        let (_, session) = stream.get_ref();
        let sni = session.server_name().map(str::to_owned);
        let certificate = session.peer_certificates().and_then(|chain| chain.first());
        let certificate = certificate.map(|der| common_name(der));
        if self.plan.by_frames {
            return frames::serve(self, stream).await;
        }
        self.http(stream, sni, certificate).await;
    }

    async fn http<S>(self, stream: S, sni: Option<String>, certificate: Option<String>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let service = tower::service_fn(move |request: Request<Incoming>| {
            let host = self.clone();
            let (sni, certificate) = (sni.clone(), certificate.clone());
            async move {
                if request.uri().path().starts_with("/upgrade/") {
                    return Ok(host.upgrade(request, sni, certificate));
                }
                host.answer(&request, sni, certificate).await
            }
        });
        let service = TowerToHyperService::new(service);
        let _ = auto::Builder::new(TokioExecutor::new())
            .serve_connection_with_upgrades(TokioIo::new(stream), service)
            .await;
    }

    /// What the script says about the next request.
    fn next(&self) -> Action {
        let turn = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        (self.plan.script)(turn)
    }

    /// Changes the protocol, and sends back whatever comes.
    fn upgrade(
        &self,
        request: Request<Incoming>,
        sni: Option<String>,
        certificate: Option<String>,
    ) -> Response<Scripted> {
        self.seen.lock().unwrap().push(Seen::new(&request, sni, certificate));
        tokio::spawn(async move {
            let stream = TokioIo::new(hyper::upgrade::on(request).await.unwrap());
            let (mut from, mut to) = tokio::io::split(stream);
            // It ends with the client.
            let _ = tokio::io::copy(&mut from, &mut to).await;
        });
        Answer::new(101, "", "")
            .with("connection", "upgrade")
            .with("upgrade", "echo")
            .into_response()
    }

    async fn answer(
        &self,
        request: &Request<Incoming>,
        sni: Option<String>,
        certificate: Option<String>,
    ) -> Result<Response<Scripted>, io::Error> {
        let seen = Seen::new(request, sni, certificate);
        let (path, identity) = (seen.path.clone(), seen.identity.clone());
        self.seen.lock().unwrap().push(seen);
        if self.plan.discovery && is_discovery(&path) {
            return Ok(discovery(&path));
        }
        if let Some(wanted) = &self.plan.wants
            && !identity.contains(wanted)
        {
            let body = status(401, "Unauthorized", "Unauthorized");
            return Ok(Answer::new(401, "application/json", body).into_response());
        }
        match self.next() {
            Action::Object if is_discovery(&path) => Ok(discovery(&path)),
            Action::Object => Ok(object(&path)),
            Action::Answer(answer) => Ok(answer.into_response()),
            Action::Hang => std::future::pending().await,
            Action::HangAfterHeaders => {
                Ok(json_response(Scripted::new([Step::Data(Bytes::from("{")), Step::Hang])))
            }
            Action::CutBody => {
                let half = Bytes::from(r#"{"kind":"Service","metadata":{"name":"#);
                Ok(json_response(Scripted::new([Step::Data(half), Step::Pause, Step::Break])))
            }
            Action::Close => Err(io::Error::other("as the script says")),
            Action::RefuseStream | Action::ObjectAndGoAway | Action::GoAway => {
                panic!("only a server by frames does this")
            }
        }
    }
}

/// Sends RST instead of FIN when it is dropped.
fn reset(stream: &TcpStream) {
    stream.set_zero_linger().unwrap();
}

impl Seen {
    fn new<B>(request: &Request<B>, sni: Option<String>, certificate: Option<String>) -> Self {
        let uri = request.uri();
        let headers = request.headers().clone();
        let mut identity: Vec<String> =
            certificate.map(|name| format!("certificate {name}")).into_iter().collect();
        let mut named: Vec<String> = headers
            .iter()
            .filter(|(name, _)| is_identity(name))
            .map(|(name, value)| format!("{name}: {}", text(value)))
            .collect();
        named.sort();
        identity.extend(named);
        let of_header = headers.get("host").map(text).unwrap_or_default();
        let host = uri.host().map_or(of_header, str::to_owned);
        Self {
            method: request.method().to_string(),
            path: uri.path().to_owned(),
            query: uri.query().unwrap_or_default().to_owned(),
            host,
            identity,
            sni,
            headers,
        }
    }
}

fn is_identity(name: &HeaderName) -> bool {
    name == "authorization" || name.as_str().starts_with("impersonate-")
}

fn text(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

fn is_discovery(path: &str) -> bool {
    let path = path.trim_start_matches("/prefix");
    matches!(path, "/api" | "/apis" | "/api/v1" | "/apis/networking.istio.io/v1" | "/version")
}

/// The last common name in a certificate: the subject's, which follows the issuer's.
fn common_name(der: &[u8]) -> String {
    const COMMON_NAME: [u8; 5] = [0x06, 0x03, 0x55, 0x04, 0x03];
    let Some(at) = der.windows(5).rposition(|window| window == COMMON_NAME) else {
        return "without a name".to_owned();
    };
    let length = usize::from(der[at + 6]);
    String::from_utf8_lossy(&der[at + 7..at + 7 + length]).into_owned()
}

/// Accepts every client certificate: who somebody is, is looked at later.
#[derive(Debug)]
struct AnyCertificate {
    algorithms: WebPkiSupportedAlgorithms,
    required: bool,
}

impl ClientCertVerifier for AnyCertificate {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn client_auth_mandatory(&self) -> bool {
        self.required
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        // A certificate of X.509 version 1 cannot be read here, but may be sent.
        let checked = verify_tls12_signature(message, certificate, signed, &self.algorithms);
        checked.or(Ok(HandshakeSignatureValid::assertion()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let checked = verify_tls13_signature(message, certificate, signed, &self.algorithms);
        checked.or(Ok(HandshakeSignatureValid::assertion()))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
