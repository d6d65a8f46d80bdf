//! Proxies that remember where they were asked to connect to, and by whom.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

use super::{runtime, server::Tls};

/// What a proxy speaks.
#[derive(Clone)]
pub(crate) enum Kind {
    /// CONNECT, or whole URLs for plain HTTP.
    Http,
    /// The same on TLS.
    Https(TlsAcceptor),
    /// SOCKS 5; with `true` it insists on a user.
    Socks5 { wants_user: bool },
    /// Answers CONNECT with this status line.
    Refuses(&'static str),
    /// Accepts connections and never says a word.
    IsSilent,
}

impl Kind {
    pub(crate) fn https(tls: &Tls) -> Self {
        Self::Https(tls.acceptor())
    }
}

/// A proxy that ends with the value.
pub(crate) struct Proxy {
    address: SocketAddr,
    used: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Proxy {
    /// Starts a proxy that leads everybody to `target`, whatever they ask for.
    pub(crate) fn start(kind: Kind, target: SocketAddr) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let used = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&used);
        let task = runtime().spawn(async move {
            let listener = TcpListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(kind.clone(), stream, target, Arc::clone(&record)));
            }
        });
        Self { address, used, task }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it was asked for, each thing once.
    pub(crate) fn used(&self) -> Vec<String> {
        let mut used = self.used.lock().unwrap().clone();
        used.sort();
        used.dedup();
        used
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(kind: Kind, stream: TcpStream, target: SocketAddr, used: Arc<Mutex<Vec<String>>>) {
    // Whoever hangs up half-way is no failure of the proxy.
    let _ = match kind {
        Kind::IsSilent => std::future::pending().await,
        Kind::Http => http(stream, target, &used, None).await,
        Kind::Refuses(status) => http(stream, target, &used, Some(status)).await,
        Kind::Https(acceptor) => match acceptor.accept(stream).await {
            Ok(stream) => http(stream, target, &used, None).await,
            Err(error) => Err(error),
        },
        Kind::Socks5 { wants_user } => socks5(stream, target, &used, wants_user).await,
    };
}

async fn http<S>(
    mut stream: S,
    target: SocketAddr,
    record: &Mutex<Vec<String>>,
    refusal: Option<&str>,
) -> std::io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let text = String::from_utf8_lossy(&head).into_owned();
    let line = text.lines().next().unwrap_or_default().to_owned();
    let line = line.trim_end_matches(" HTTP/1.1");
    let user = text.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("proxy-authorization").then(|| format!(" as {value}"))
    });
    // The path of a whole URL differs from one request to the next.
    let line = match line.split_once("://") {
        Some((start, rest)) => {
            format!("{start}://{}/…", rest.split('/').next().unwrap_or_default())
        }
        None => line.to_owned(),
    };
    record.lock().unwrap().push(format!("{line}{}", user.unwrap_or_default()));
    if let Some(status) = refusal {
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
        return stream.write_all(answer.as_bytes()).await;
    }
    let mut server = TcpStream::connect(target).await?;
    if line.starts_with("CONNECT ") {
        stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
    } else {
        server.write_all(&head).await?;
    }
    tokio::io::copy_bidirectional(&mut stream, &mut server).await.map(drop)
}

/// RFC 1928 and, for the user, RFC 1929.
async fn socks5(
    mut stream: TcpStream,
    target: SocketAddr,
    record: &Mutex<Vec<String>>,
    wants_user: bool,
) -> std::io::Result<()> {
    const USER: u8 = 2;
    let _version = stream.read_u8().await?;
    let mut methods = vec![0; usize::from(stream.read_u8().await?)];
    stream.read_exact(&mut methods).await?;
    let mut user = String::new();
    if wants_user && methods.contains(&USER) {
        stream.write_all(&[5, USER]).await?;
        let _version = stream.read_u8().await?;
        let (name, password) = (short_text(&mut stream).await?, short_text(&mut stream).await?);
        user = format!(" as {name}:{password}");
        stream.write_all(&[1, 0]).await?;
    } else if wants_user {
        record.lock().unwrap().push("SOCKS without a user".to_owned());
        return stream.write_all(&[5, 0xff]).await;
    } else {
        stream.write_all(&[5, 0]).await?;
    }
    let mut head = [0; 4];
    stream.read_exact(&mut head).await?;
    let host = match head[3] {
        1 => {
            let mut address = [0; 4];
            stream.read_exact(&mut address).await?;
            std::net::Ipv4Addr::from(address).to_string()
        }
        4 => {
            let mut address = [0; 16];
            stream.read_exact(&mut address).await?;
            std::net::Ipv6Addr::from(address).to_string()
        }
        _ => short_text(&mut stream).await?,
    };
    let port = stream.read_u16().await?;
    record.lock().unwrap().push(format!("SOCKS {host}:{port}{user}"));
    let mut server = TcpStream::connect(target).await?;
    stream.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 0]).await?;
    tokio::io::copy_bidirectional(&mut stream, &mut server).await.map(drop)
}

async fn short_text(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut text = vec![0; usize::from(stream.read_u8().await?)];
    stream.read_exact(&mut text).await?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
