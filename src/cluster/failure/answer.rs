//! Reads answers that are no success: a Status, or whatever a stranger on the way has said.

use std::fmt::{self, Display, Write as _};

use serde_json::Value;

use super::{Failure, MESSAGE_LIMIT, printable};
use crate::{
    cluster::connection::Reply,
    domain::{
        snapshot::{list, text},
        text::{Printable, shorten},
    },
};

/// What a request asks for, in kubectl's words: `get services kubia`.
pub(in crate::cluster) struct Place {
    verb: String,
    resource: String,
    name: String,
}

impl Failure {
    /// Reads the answer to a request that was not successful.
    pub(in crate::cluster) fn from_reply(reply: &Reply, place: Option<&Place>) -> Self {
        let code = reply.status.as_u16();
        match serde_json::from_slice::<Value>(&reply.body) {
            Ok(status) if status["kind"] == "Status" => Self::from_status(code, &status),
            _ => Self::from_stranger(code, reply, place),
        }
    }

    /// Reads a Status, which may also come with a code of success.
    pub(in crate::cluster) fn from_status(code: u16, status: &Value) -> Self {
        let message = printable(&text(status, "/message"));
        let reason = printable(&text(status, "/reason"));
        let causes = list(status, "/details/causes");
        let owned = |cause: &&Value| cause["reason"] == "FieldManagerConflict";
        match (reason.as_str(), code) {
            ("NotFound", _) => Self::NotFound { message },
            ("Unauthorized", _) => Self::Unauthorized { message },
            ("Forbidden", _) => Self::Forbidden { message },
            (_, 409) if causes.iter().any(|cause| owned(&cause)) => {
                let field = |cause: &Value| {
                    printable(&format!("{} {}", text(cause, "/message"), text(cause, "/field")))
                };
                Self::Owned { fields: causes.iter().filter(owned).map(field).collect() }
            }
            ("Conflict", _) => Self::Conflict { message },
            ("Invalid", _) => invalid(status, message),
            _ => {
                let is_open = leaves_open(code) && !is_before_the_write(code, &message);
                Self::Refused { code, reason, message, is_open }
            }
        }
    }

    /// Reads an answer that is no Status: from a proxy, or about a path the server does not have.
    /// The words are those client-go has for each code (`errors.NewGenericServerResponse`).
    fn from_stranger(code: u16, reply: &Reply, place: Option<&Place>) -> Self {
        let body = String::from_utf8_lossy(&reply.body);
        let body = if reply.is_text { body.trim() } else { "unknown" };
        let body = shorten(body, MESSAGE_LIMIT);
        let (reason, words) = match code {
            404 => return Self::NotServed,
            400 => ("BadRequest", "the server rejected our request for an unknown reason"),
            401 => ("Unauthorized", "the server has asked for the client to provide credentials"),
            405 => (
                "MethodNotAllowed",
                "the server does not allow this method on the requested resource",
            ),
            406 if ["", "unknown"].contains(&body.as_str()) => (
                "NotAcceptable",
                "the server was unable to respond with a content type that the client supports",
            ),
            409 => ("Conflict", "the server reported a conflict"),
            403 => ("Forbidden", body.as_str()),
            406 => ("NotAcceptable", body.as_str()),
            415 => ("UnsupportedMediaType", body.as_str()),
            422 => ("Invalid", "the server rejected our request due to an error in our request"),
            429 => (
                "TooManyRequests",
                "the server has received too many requests and has asked us to try again later",
            ),
            503 => ("ServiceUnavailable", "the server is currently unable to handle the request"),
            504 => (
                "Timeout",
                "the server was unable to return a response in the time allotted, but may still be \
                 processing the request",
            ),
            _ => ("", ""),
        };
        let (reason, words) = match (words, code) {
            ("", 500..) => {
                let words = format!(
                    "an error on the server ({}) has prevented the request from succeeding",
                    quoted(&body)
                );
                ("InternalError", words)
            }
            ("", 0..500) if reason.is_empty() => {
                let words = format!(
                    "the server responded with the status code {code} but did not return more \
                     information"
                );
                ("", words)
            }
            (words, _) => (reason, printable(words)),
        };
        let message = match place {
            Some(place) => format!("{words} ({place})"),
            None => words,
        };
        match code {
            401 => Self::Unauthorized { message },
            403 => Self::Forbidden { message },
            409 => Self::Conflict { message },
            422 => Self::PatchDoesNotFit { message },
            code => {
                let is_open = leaves_open(code);
                Self::Refused { code, reason: reason.to_owned(), message, is_open }
            }
        }
    }
}

/// Returns whether who answers so may have passed the request on, or not have waited for its end: a
/// load balancer whose connection to the API server broke, or an API server whose etcd did not answer.
fn leaves_open(code: u16) -> bool {
    code == 408 || code >= 500
}

/// Returns whether the API server says so before it writes. Of its own accord it is unavailable only
/// then; when etcd did not answer, it says 500 without a reason, or `ServerTimeout` (apiserver,
/// `ErrorToAPIStatus` and `InterpretUpdateError`). Webhooks are called before the write, and a
/// denial has whatever code its webhook likes.
fn is_before_the_write(code: u16, message: &str) -> bool {
    code == 503
        || message.contains("failed calling webhook")
        || message.starts_with("admission webhook ")
}

/// Reads a Status about something invalid. The server drops the reason of a failed `test`, so one
/// that names nothing is about the patch.
fn invalid(status: &Value, message: String) -> Failure {
    let (kind, name) = (text(status, "/details/kind"), text(status, "/details/name"));
    let mut causes: Vec<String> = Vec::new();
    for cause in list(status, "/details/causes") {
        let cause = printable(&format!("{}: {}", text(cause, "/field"), text(cause, "/message")));
        if !causes.contains(&cause) {
            causes.push(cause);
        }
    }
    match (kind.is_empty() && name.is_empty(), causes.is_empty()) {
        (true, true) => Failure::PatchDoesNotFit { message },
        (true, false) => Failure::Invalid { object: "The request".to_owned(), causes },
        (false, _) => {
            let object = format!("The {} \"{}\"", printable(&kind), printable(&name));
            Failure::Invalid { object, causes }
        }
    }
}

impl Place {
    /// Reads what a request to the path of an object or a collection asks for.
    pub(in crate::cluster) fn of(verb: &str, path: &str) -> Option<Self> {
        let path = path.split('?').next()?;
        let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let (group, rest) = match segments.as_slice() {
            ["api", _version, rest @ ..] => ("", rest),
            ["apis", group, _version, rest @ ..] => (*group, rest),
            _ => return None,
        };
        let (plural, name) = match rest {
            ["namespaces", _, plural, name @ ..] | [plural, name @ ..] => (*plural, name.first()),
            [] => return None,
        };
        let resource =
            if group.is_empty() { plural.to_owned() } else { format!("{plural}.{group}") };
        let name = name.copied().unwrap_or_default().to_owned();
        Some(Self { verb: verb.to_lowercase(), resource, name })
    }
}

impl Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.verb, Printable(&self.resource))?;
        if self.name.is_empty() {
            return Ok(());
        }
        write!(formatter, " {}", Printable(&self.name))
    }
}

/// Puts a text in quotes as Go does (`%q`).
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for letter in text.chars() {
        // Writing to a String cannot fail.
        let _ = match letter {
            '"' | '\\' => write!(quoted, "\\{letter}"),
            '\n' => write!(quoted, "\\n"),
            '\r' => write!(quoted, "\\r"),
            '\t' => write!(quoted, "\\t"),
            letter if letter.is_ascii_control() => write!(quoted, "\\x{:02x}", u32::from(letter)),
            letter => write!(quoted, "{}", Printable(letter.encode_utf8(&mut [0; 4]))),
        };
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    fn reply(code: u16, body: &[u8]) -> Failure {
        let status = StatusCode::from_u16(code).unwrap();
        let place = Place::of("GET", "/apis/a.b/v1/namespaces/n/things/x?y=z");
        Failure::from_reply(&Reply::new(status, true, body), place.as_ref())
    }

    #[track_caller]
    fn check(code: u16, body: &str, expected: &str) {
        assert_eq!(reply(code, body.as_bytes()).to_string(), expected);
    }

    #[test]
    fn answers_are_told_apart_by_their_reasons_and_causes() {
        let status = |rest: &str| format!(r#"{{"kind":"Status",{rest}}}"#);
        check(
            404,
            &status(r#""reason":"NotFound","message":"pods \"a\" not found""#),
            "pods \"a\" not found",
        );
        check(404, "404 page not found\n", "the server has no such resource");
        check(
            403,
            &status(r#""reason":"Forbidden","message":"no\u001b[2J""#),
            "forbidden: no^[[2J",
        );
        check(409, &status(r#""reason":"Conflict","message":"modified""#), "conflict: modified");
        check(
            409,
            &status(
                r#""details":{"causes":[{"reason":"FieldManagerConflict","message":"conflict with \"helm\"","field":".spec.http"}]}"#,
            ),
            "fields belong to others: conflict with \"helm\" .spec.http",
        );
        let invalid = r#""reason":"Invalid","message":"m""#;
        check(422, &status(invalid), "the patch does not fit the object: m");
        check(
            422,
            &status(&format!(
                r#"{invalid},"details":{{"causes":[{{"field":"a","message":"b"}}]}}"#
            )),
            "The request is invalid: a: b",
        );
        check(400, &status(r#""message":"denied""#), "denied (HTTP 400)");
    }

    #[test]
    fn an_answer_leaves_a_write_open_unless_the_api_server_gave_it_before_the_write() {
        let status = |reason: &str, message: &str| {
            format!(r#"{{"kind":"Status","reason":"{reason}","message":"{message}"}}"#)
        };
        let timed_out = status("", "etcdserver: request timed out");
        let etcd = status("ServerTimeout", "The update operation could not be performed");
        let slow = status("Timeout", "request did not complete within requested timeout");
        let busy = status("ServiceUnavailable", "apiserver is shutting down");
        let many = status("TooManyRequests", "please try again later");
        let webhook = status(
            "InternalError",
            "Internal error occurred: failed calling webhook \\\"a\\\": EOF",
        );
        let denied = status("", "admission webhook \\\"a\\\" denied the request: no");
        let reset = "upstream connect error or disconnect/reset before headers";
        for (code, body, is_open) in [
            (503, reset, true),
            (500, "oops", true),
            (502, "", true),
            (504, "", true),
            (520, "<html>", true),
            (408, "", true),
            (500, &timed_out, true),
            (500, &etcd, true),
            (504, &slow, true),
            (503, &busy, false),
            (429, &many, false),
            (429, "Too many requests, please try again later.", false),
            (500, &webhook, false),
            (500, &denied, false),
            (400, "bad", false),
            (404, "", false),
        ] {
            assert_eq!(reply(code, body.as_bytes()).leaves_open(), is_open, "{code} {body}");
        }
    }

    #[test]
    fn answers_of_strangers_are_cut_and_made_printable() {
        let failed = |body: &str| {
            format!(
                "an error on the server ({body}) has prevented the request from succeeding (get \
                 things.a.b x) (HTTP 502)"
            )
        };
        check(502, "", &failed("\"\""));
        check(502, "<html>\nno\u{1b}\u{202e}", &failed("\"<html>\\nno\\x1b\\u{202e}\""));
        let long = reply(502, &[b'x'; 5000]).to_string();
        assert!(long.len() < 450, "{}", long.len());
        let binary = reply(500, &[0xff; 1000]).to_string();
        assert!(binary.len() < 1500, "{}", binary.len());
    }

    #[test]
    fn places_are_named_as_in_kubectl() {
        let place = |path: &str| Place::of("GET", path).map(|place| place.to_string());
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(place("/api/v1/namespaces/n/pods?a=b"), some("get pods"));
        assert_eq!(place("/api/v1/nodes/a"), some("get nodes a"));
        assert_eq!(place("/api/v1/namespaces/n/services/a"), some("get services a"));
        assert_eq!(place("/apis/networking.istio.io"), None);
        assert_eq!(place("/"), None);
    }
}
