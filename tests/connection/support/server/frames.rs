//! HTTP/2 frame by frame: what hyper's server would never do.

use std::{
    pin::Pin,
    task::{Context, Poll, Waker},
};

use h2::{Reason, server::SendResponse};
use http::Response;
use hyper::body::{Body, Bytes};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    Action, Host, Seen,
    answer::{Scripted, discovery, object},
    is_discovery,
};

pub(super) async fn serve<S>(host: Host, stream: S)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Ok(mut connection) = h2::server::handshake(stream).await else { return };
    while let Some(Ok((request, mut answer))) = connection.accept().await {
        let path = request.uri().path().to_owned();
        host.seen.lock().unwrap().push(Seen::new(&request, None, None));
        if is_discovery(&path) {
            send(&mut answer, discovery(&path));
            continue;
        }
        match host.next() {
            Action::RefuseStream => answer.send_reset(Reason::REFUSED_STREAM),
            Action::GoAway => connection.abrupt_shutdown(Reason::NO_ERROR),
            Action::ObjectAndGoAway => {
                connection.graceful_shutdown();
                send(&mut answer, object(&path));
            }
            _ => send(&mut answer, object(&path)),
        }
    }
}

/// Sends an answer whose body is all there.
fn send(answer: &mut SendResponse<Bytes>, response: Response<Scripted>) {
    let (head, mut body) = response.into_parts();
    let mut context = Context::from_waker(Waker::noop());
    let data = match Pin::new(&mut body).poll_frame(&mut context) {
        Poll::Ready(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
        _ => Bytes::new(),
    };
    // Whoever hung up needs no answer.
    if let Ok(mut stream) = answer.send_response(Response::from_parts(head, ()), false) {
        let _ = stream.send_data(data, true);
    }
}
