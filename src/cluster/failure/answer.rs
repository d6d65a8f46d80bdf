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
            _ => Self::Refused { code, reason, message },
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
            code => Self::Refused { code, reason: reason.to_owned(), message },
        }
    }
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
