//! An open way to one server: sends requests, each within its deadline, and again where that is safe.
//!
//! kube waits for an answer for ever (kube-rs/kube#1945) and does not log in again after a 401.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use http::{HeaderValue, Request, StatusCode, Uri};
use k8s_openapi::api::core::v1;
use kube::{Api, Client, api::Portforwarder, client::Body};
use tokio::time::timeout_at;

use super::{
    ConnectError, cause,
    exec::LoginError,
    log,
    messages::{Log, Silence},
    retry::{self, Ending, Repeat},
    transport::{DialError, Recipe},
    warnings,
};
use crate::{
    cluster::{Failure, failure::Phase},
    domain::{object::ObjectRef, text::Printable},
};

/// A request, and when it may be sent again.
pub(in crate::cluster) struct Call {
    pub(in crate::cluster) request: Request<Vec<u8>>,
    pub(in crate::cluster) repeat: Repeat,
}

/// An answer, whatever its status.
pub(in crate::cluster) struct Reply {
    pub(in crate::cluster) status: StatusCode,
    /// Whether the body is meant for people.
    pub(in crate::cluster) is_text: bool,
    pub(in crate::cluster) body: Vec<u8>,
    retry_after: Option<u64>,
}

/// An open way to a server.
pub(in crate::cluster) struct Link {
    current: Mutex<Current>,
    /// What `current` is made of; none when it was made elsewhere.
    recipe: Option<Recipe>,
    /// `host:port`, for messages.
    server: String,
    timeout: Timeout,
    log: Log,
}

/// The deadline of each request.
#[derive(Clone, Copy)]
pub(super) struct Timeout {
    pub(super) limit: Duration,
    /// Whether the server is told, as kubectl does when the limit was asked for.
    pub(super) is_told: bool,
}

#[derive(Clone)]
struct Current {
    client: Client,
    /// The client certificate it was made with.
    identity: usize,
}

impl Reply {
    /// Makes an answer of which only the body matters.
    pub(in crate::cluster) fn new(status: StatusCode, is_text: bool, body: &[u8]) -> Self {
        Self { status, is_text, body: body.to_vec(), retry_after: None }
    }
}

impl Link {
    /// Sends requests to whatever is behind `client`.
    pub(super) fn ready(client: Client) -> Self {
        Self {
            current: Mutex::new(Current { client, identity: 0 }),
            recipe: None,
            server: "the server".to_owned(),
            timeout: Timeout { limit: Duration::from_secs(10), is_told: false },
            log: Log { messages: Arc::new(Silence), verbosity: 0 },
        }
    }

    /// Logs in where that takes a program, and dials.
    pub(super) async fn open(
        recipe: Recipe,
        timeout: Timeout,
        log: Log,
    ) -> Result<Self, DialError> {
        recipe.credentials.header().await.map_err(ConnectError::from)?;
        let deadline = Instant::now() + timeout.limit;
        let (mut tries, mut last) = (0, None);
        let client = loop {
            tries += 1;
            let failure = match (dial(&recipe, deadline, timeout).await, last) {
                (Ok(client), _) => break client,
                (Err(DialError::Failed(Failure::TimedOut { .. })), Some(last)) => last,
                (Err(DialError::Failed(failure)), _) => failure,
                (Err(error), _) => return Err(error),
            };
            // Nothing was sent yet. A server that refuses is down, and its user is not to wait.
            let ending = if failure.is_broken() { Ending::Broken } else { Ending::Final };
            match retry::wait(ending, tries, deadline - Instant::now().min(deadline)) {
                Some(pause) => again(&log, pause, tries, &failure.to_string()).await,
                None => return Err(DialError::Failed(failure)),
            }
            last = Some(failure);
        };
        let identity = recipe.credentials.identity_number();
        let server = recipe.server();
        let current = Mutex::new(Current { client, identity });
        Ok(Self { current, recipe: Some(recipe), server, timeout, log })
    }

    /// Returns how long a request may take.
    pub(in crate::cluster) fn limit(&self) -> Duration {
        self.timeout.limit
    }

    /// Returns a client for requests that are upgraded to another protocol.
    pub(in crate::cluster) fn upgrading_client(&self) -> Result<Client, ConnectError> {
        match &self.recipe {
            Some(recipe) => recipe.upgrading_client(),
            None => Ok(self.current().client),
        }
    }

    /// Opens a way to a port of a pod, on a connection of its own.
    pub(in crate::cluster) async fn port_forward(
        &self,
        pod: &ObjectRef,
        port: u16,
    ) -> Result<Portforwarder, Failure> {
        let forwarding = async {
            let client = self
                .upgrading_client()
                .map_err(|error| Failure::unreachable(&error.to_string(), None, false))?;
            let pods = Api::<v1::Pod>::namespaced(client, &pod.namespace);
            pods.portforward(&pod.name, &[port]).await.map_err(|error| self.failed(&error))
        };
        let forwarded = tokio::time::timeout(self.timeout.limit, forwarding).await;
        forwarded.unwrap_or_else(|_| Err(self.timed_out(Phase::Headers)))
    }

    fn failed(&self, error: &kube::Error) -> Failure {
        match error {
            // An upgrade that was refused; kube has read the answer.
            kube::Error::Api(status) => {
                Failure::from_status(status.code, &serde_json::to_value(status).unwrap_or_default())
            }
            kube::Error::Service(error) => cause::failure(error.as_ref(), &self.server),
            error => cause::failure(error, &self.server),
        }
    }

    /// Sends a request and reads the whole answer.
    pub(in crate::cluster) async fn exchange(&self, call: &Call) -> Result<Reply, Failure> {
        let deadline = Instant::now() + self.timeout.limit;
        let request = self.with_timeout(&call.request);
        log::body(&self.log, "Request Body", request.body());
        let (mut is_renewed, mut tries, mut last) = (false, 0, None);
        loop {
            tries += 1;
            let result = self.once(&request, deadline, &mut is_renewed).await;
            let result = match last {
                Some(last) => telling(last, result, call.repeat),
                None => result,
            };
            let (ending, reason) = match &result {
                Ok(reply) if reply.status.is_success() => return result,
                Ok(reply) => {
                    let status = reply.status;
                    (Ending::Status(status.as_u16(), reply.retry_after), status.to_string())
                }
                Err(failure) if failure.is_transient() => (Ending::Broken, failure.to_string()),
                Err(_) => return result,
            };
            let left = deadline.saturating_duration_since(Instant::now());
            let pause = retry::wait(ending, tries, left).filter(|_| call.repeat.allows(ending));
            match pause {
                Some(pause) => again(&self.log, pause, tries, &reason).await,
                None => return result,
            }
            last = Some(result);
        }
    }

    /// Sends it once; twice when the server asks for credentials and there are new ones.
    async fn once(
        &self,
        request: &Request<Vec<u8>>,
        deadline: Instant,
        is_renewed: &mut bool,
    ) -> Result<Reply, Failure> {
        loop {
            let (client, header) = self.client(deadline).await?;
            let reply = self.send(client, request.clone(), deadline).await?;
            if reply.status != StatusCode::UNAUTHORIZED || *is_renewed {
                return Ok(reply);
            }
            *is_renewed = true;
            let Some(recipe) = &self.recipe else { return Ok(reply) };
            // A plugin that fails now leaves the server's answer as it is.
            if !recipe.credentials.renew(header.as_ref()).await.unwrap_or(false) {
                return Ok(reply);
            }
        }
    }

    async fn send(
        &self,
        client: Client,
        request: Request<Vec<u8>>,
        deadline: Instant,
    ) -> Result<Reply, Failure> {
        let sending = client.send(request.map(Body::from));
        let answer = timeout_at(deadline.into(), sending).await;
        let answer = answer.map_err(|_| self.timed_out(Phase::Headers))?;
        let (head, body) = answer.map_err(|error| self.failed(&error))?.into_parts();
        for text in warnings::texts(&head.headers) {
            self.log.messages.warning(&Printable(&text).to_string());
        }
        let body = timeout_at(deadline.into(), body.collect_bytes()).await;
        let body = body.map_err(|_| self.timed_out(Phase::Body))?;
        let body = body.map_err(|error| self.failed(&error).within_the_body())?;
        log::body(&self.log, "Response Body", &body);
        let content_type = head.headers.get("content-type").and_then(|value| value.to_str().ok());
        Ok(Reply {
            status: head.status,
            is_text: content_type.is_none_or(|kind| kind.starts_with("text/")),
            body: body.into(),
            retry_after: retry::seconds(head.headers.get("retry-after")),
        })
    }

    /// Returns the client to send with, and the credentials it will send: a connection with an old
    /// client certificate is replaced.
    async fn client(&self, deadline: Instant) -> Result<(Client, Option<HeaderValue>), Failure> {
        let Some(recipe) = &self.recipe else { return Ok((self.current().client, None)) };
        let login = |error: LoginError| cause::failure(&error, &self.server);
        let header = recipe.credentials.header().await.map_err(login)?;
        let (current, identity) = (self.current(), recipe.credentials.identity_number());
        if current.identity == identity {
            return Ok((current.client, header));
        }
        let client = dial(recipe, deadline, self.timeout).await.map_err(|error| match error {
            DialError::Setup(error) => Failure::unreachable(&error.to_string(), None, false),
            DialError::Failed(failure) => failure,
        })?;
        let fresh = Current { client: client.clone(), identity };
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok((client, header))
    }

    fn current(&self) -> Current {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn timed_out(&self, phase: Phase) -> Failure {
        Failure::TimedOut { seconds: self.timeout.limit.as_secs_f64(), phase }
    }

    /// Adds `?timeout=`, so that the server does not go on with what nobody waits for.
    fn with_timeout(&self, request: &Request<Vec<u8>>) -> Request<Vec<u8>> {
        let mut request = request.clone();
        if self.timeout.is_told {
            let uri = request.uri().to_string();
            let sign = if uri.contains('?') { '&' } else { '?' };
            let uri = format!("{uri}{sign}timeout={}ms", self.timeout.limit.as_millis());
            if let Ok(uri) = uri.parse::<Uri>() {
                *request.uri_mut() = uri;
            }
        }
        request
    }
}

/// How long a connection may take: as long as in client-go, where TCP and TLS have limits of their own.
const DIAL_LIMIT: Duration = Duration::from_secs(20);

async fn dial(recipe: &Recipe, deadline: Instant, timeout: Timeout) -> Result<Client, DialError> {
    let limit = Instant::now() + DIAL_LIMIT;
    let dialled = timeout_at(deadline.min(limit).into(), recipe.dial()).await;
    dialled.unwrap_or_else(|_| {
        let seconds = timeout.limit.as_secs_f64();
        Err(DialError::Failed(if deadline < limit {
            Failure::TimedOut { seconds, phase: Phase::Dialling }
        } else {
            Failure::unreachable("net/http: TLS handshake timeout", None, true)
        }))
    })
}

/// Returns which of two tries in a row to go by. At the deadline of what only reads, what went wrong
/// before says more. A write that may have been carried out stays one, until an answer says how the
/// object is: a success, or a `test` that failed.
fn telling(
    before: Result<Reply, Failure>,
    now: Result<Reply, Failure>,
    repeat: Repeat,
) -> Result<Reply, Failure> {
    let is_open = |result: &Result<Reply, Failure>| match result {
        Ok(reply) if reply.status.is_success() => false,
        Ok(reply) => Failure::from_reply(reply, None).leaves_open(),
        Err(failure) => failure.leaves_open(),
    };
    let is_told = match &now {
        Ok(reply) => reply.status.is_success() || matches!(reply.status.as_u16(), 409 | 422),
        Err(_) => false,
    };
    let is_before = if repeat.writes() {
        is_open(&before) && !is_open(&now) && !is_told
    } else {
        matches!(now, Err(Failure::TimedOut { .. }))
    };
    if is_before { before } else { now }
}

async fn again(log: &Log, pause: Duration, tries: u32, reason: &str) {
    log.write(
        4,
        "Trying again",
        format_args!(" delay=\"{}ms\" attempt={tries} reason={reason:?}", pause.as_millis()),
    );
    tokio::time::sleep(pause).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_that_one_try_left_open_stays_open_until_the_object_is_told() {
        let reply = |code: u16, body: &str| {
            Ok(Reply::new(StatusCode::from_u16(code).unwrap(), true, body.as_bytes()))
        };
        let refused = || Err(Failure::ConnectionRefused { server: String::new() });
        let late = || Err(Failure::TimedOut { seconds: 1.0, phase: Phase::Headers });
        let unavailable = || reply(503, r#"{"kind":"Status","reason":"ServiceUnavailable"}"#);
        let check = |before, now, repeat, expected: &str| {
            let told = telling(before, now, repeat);
            let told = told.map_or_else(
                |failure| failure.to_string(),
                |reply| {
                    format!("{} {}", reply.status.as_u16(), String::from_utf8_lossy(&reply.body))
                },
            );
            assert!(told.starts_with(expected), "{told}");
        };
        let write = Repeat::IfRefused;
        check(reply(503, "reset"), unavailable(), write, "503 reset");
        check(reply(503, "reset"), reply(429, ""), write, "503 reset");
        check(reply(503, "reset"), refused(), write, "503 reset");
        check(reply(503, "reset"), reply(422, ""), write, "422");
        check(reply(503, "reset"), reply(200, "{}"), write, "200");
        check(unavailable(), reply(429, ""), write, "429");
        check(unavailable(), late(), write, "no answer");
        check(unavailable(), late(), Repeat::Always, "503");
        check(reply(503, "reset"), unavailable(), Repeat::Always, r#"503 {"kind"#);
    }
}
