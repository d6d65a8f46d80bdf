//! `-v`: what is sent and answered, in the form of kubectl's log, without secrets.
//!
//! kube logs through `tracing`, bodies that cannot be parsed included (kube-client 5.0.0,
//! `client/mod.rs`, `request`); this is the innermost layer, so it sees what goes over the wire.

use std::{
    fmt::Write as _,
    pin::Pin,
    task::{Context, Poll},
    time::Instant,
};

use http::{HeaderMap, Request, Response};
use tower::{Layer, Service};

use super::{
    messages::{Log, Quoted},
    proxy::without_user,
};
use crate::domain::text::Printable;

/// Writes requests and answers down.
#[derive(Clone)]
pub(super) struct Logging(pub(super) Log);

/// A service whose requests are written down.
#[derive(Clone)]
pub(super) struct Logged<S> {
    log: Log,
    inner: S,
}

impl<S> Layer<S> for Logging {
    type Service = Logged<S>;

    fn layer(&self, inner: S) -> Logged<S> {
        Logged { log: self.0.clone(), inner }
    }
}

impl<S, B, C> Service<Request<B>> for Logged<S>
where
    S: Service<Request<B>, Response = Response<C>>,
    S::Future: Send + 'static,
{
    type Response = Response<C>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<C>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        if self.log.verbosity < 6 {
            return Box::pin(self.inner.call(request));
        }
        let log = self.log.clone();
        let (verb, url) = (request.method().clone(), without_user(&request.uri().to_string()));
        let place = format!(" verb=\"{verb}\" url={}", Quoted(&url));
        log.write(7, "Request", format_args!("{place}{}", headers(request.headers())));
        let start = Instant::now();
        let answering = self.inner.call(request);
        Box::pin(async move {
            let result = answering.await;
            let milliseconds = start.elapsed().as_millis();
            let status = result.as_ref().map(|answer| answer.status().to_string());
            let status = format!(" status={}", Quoted(&status.unwrap_or_default()));
            let end = format!(" milliseconds={milliseconds}");
            match (log.verbosity, &result) {
                (6, _) => log.write(6, "Response", format_args!("{place}{status}{end}")),
                (8.., Ok(answer)) => {
                    let headers = headers(answer.headers());
                    log.write(8, "Response", format_args!("{status}{headers}{end}"));
                }
                _ => log.write(7, "Response", format_args!("{status}{end}")),
            }
            result
        })
    }
}

/// The most bytes of a body that are shown, by verbosity.
const BODY_LIMITS: [(u8, usize); 2] = [(8, 1024), (9, 10_240)];

/// Writes down a body, cut as kubectl cuts it.
pub(super) fn body(log: &Log, event: &str, body: &[u8]) {
    if log.verbosity < 8 {
        return;
    }
    let limit = BODY_LIMITS.iter().find(|(verbosity, _)| *verbosity == log.verbosity);
    let limit = limit.map_or(usize::MAX, |(_, limit)| *limit);
    let text = String::from_utf8_lossy(body);
    let end = text.floor_char_boundary(limit);
    let cut = match text.len() - end {
        0 => String::new(),
        left => format!(" [truncated {left} chars]"),
    };
    log.write(8, event, format_args!(" body={}", Quoted(&format!("{}{cut}", &text[..end]))));
}

/// Headers in klog's form, one a line, sorted, without secrets.
fn headers(headers: &HeaderMap) -> String {
    let mut lines: Vec<String> = headers
        .iter()
        .map(|(name, value)| {
            let text = String::from_utf8_lossy(value.as_bytes());
            let text = match (name.as_str(), text.split_once(' ')) {
                ("authorization" | "proxy-authorization", Some((scheme, _)))
                    if ["bearer", "basic"].contains(&scheme.to_ascii_lowercase().as_str()) =>
                {
                    format!("{scheme} <masked>")
                }
                ("authorization" | "proxy-authorization" | "cookie" | "set-cookie", _) => {
                    "<masked>".to_owned()
                }
                _ => text.into_owned(),
            };
            format!("{}: {}", canonical(name.as_str()), Printable(&text))
        })
        .collect();
    lines.sort();
    let mut shown = " headers=<\n".to_owned();
    for line in lines {
        // Writing to a String cannot fail.
        let _ = writeln!(shown, "\t{line}");
    }
    shown + " >"
}

/// A header's name as Go writes it: `User-Agent`.
fn canonical(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    });
    words.collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn headers_are_shown_without_secrets() {
        let mut map = HeaderMap::new();
        for (name, value) in [
            ("user-agent", "kubectl-kubia/1"),
            ("authorization", "Bearer SECRET"),
            ("proxy-authorization", "Strange SECRET"),
            ("set-cookie", "a=SECRET"),
            ("x-odd", "\u{e9}[2J"),
        ] {
            map.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        assert_eq!(
            headers(&map),
            " headers=<\n\tAuthorization: Bearer <masked>\n\tProxy-Authorization: <masked>\n\
             \tSet-Cookie: <masked>\n\tUser-Agent: kubectl-kubia/1\n\tX-Odd: é[2J\n >"
        );
    }
}
