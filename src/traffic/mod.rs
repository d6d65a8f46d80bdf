//! Requests through the gateway: the only I/O besides the API server.

use std::{io, time::Duration};

use http::{Request, header};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, time::timeout};

use crate::domain::{address::Host, named_gateway::Scheme};

/// How long one address may take to answer.
const DEADLINE: Duration = Duration::from_secs(3);

/// Where a probe goes.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The host to connect to.
    pub host: &'a Host,
    /// The port to connect to.
    pub port: u16,
    /// What to speak there.
    pub scheme: Scheme,
    /// Value of the header `Host`, when it is not the host itself.
    pub virtual_host: Option<&'a str>,
}

/// What answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// An HTTP server, with this status. Any status is an answer: the app may serve other paths.
    Http(u16),
    /// Something that accepts connections; TLS is not tried, since its names are not ours to judge.
    Tcp,
}

/// Why nothing answered.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// No TCP connection.
    #[error("no TCP connection: {0}")]
    Connect(String),
    /// A connection, but no HTTP answer.
    #[error("no HTTP answer: {0}")]
    Http(String),
    /// No answer in time.
    #[error("no answer within {} s", DEADLINE.as_secs())]
    TimedOut,
}

/// Tries TCP, then HTTP.
///
/// # Errors
/// [`ProbeError`] when nothing answers.
pub async fn probe(target: Target<'_>) -> Result<Answer, ProbeError> {
    timeout(DEADLINE, try_out(target)).await.unwrap_or(Err(ProbeError::TimedOut))
}

async fn try_out(target: Target<'_>) -> Result<Answer, ProbeError> {
    let address = (target.host.to_string(), target.port);
    let refused = |error: io::Error| ProbeError::Connect(error.to_string());
    let stream = TcpStream::connect(address).await.map_err(refused)?;
    if target.scheme == Scheme::Https {
        return Ok(Answer::Tcp);
    }
    let no_http = |error: hyper::Error| ProbeError::Http(error.to_string());
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(no_http)?;
    // The connection ends with the runtime; one request is all it is for.
    tokio::spawn(connection);
    let host =
        target.virtual_host.map_or_else(|| target.host.with_port(target.port), str::to_owned);
    let request = Request::get("/")
        .header(header::HOST, host)
        .body(String::new())
        .map_err(|error| ProbeError::Http(error.to_string()))?;
    let answer = sender.send_request(request).await.map_err(no_http)?;
    Ok(Answer::Http(answer.status().as_u16()))
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;

    async fn probe_server(answer: &'static [u8]) -> Result<Answer, ProbeError> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 1024]).await;
            let _ = stream.write_all(answer).await;
        });
        let host = "127.0.0.1".parse().unwrap();
        probe(Target { host: &host, port, scheme: Scheme::Http, virtual_host: None }).await
    }

    #[tokio::test]
    async fn any_http_status_is_an_answer() {
        let answer = probe_server(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n").await;
        assert_eq!(answer.unwrap(), Answer::Http(404));
    }

    #[tokio::test]
    async fn what_speaks_no_http_is_no_answer() {
        assert!(matches!(probe_server(b"SSH-2.0-x\r\n").await, Err(ProbeError::Http(_))));
        assert!(matches!(probe_server(b"").await, Err(ProbeError::Http(_))));
    }

    #[tokio::test]
    async fn a_closed_port_is_no_answer() {
        let host = "127.0.0.1".parse().unwrap();
        let target = Target { host: &host, port: 1, scheme: Scheme::Https, virtual_host: None };
        assert!(matches!(probe(target).await, Err(ProbeError::Connect(_))));
    }
}
