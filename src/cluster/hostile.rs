//! What reads the bytes of strangers and is nobody else's business: for fuzzers alone.

use std::{collections::HashMap, time::SystemTime};

use http::{HeaderMap, HeaderValue, StatusCode};

use super::{
    connection::{Reply, hostile},
    failure::{Failure, Place},
};

/// Reads an answer with this status, and says what is wrong with it.
#[must_use]
pub fn answer(code: u16, is_text: bool, body: &[u8]) -> String {
    let status = StatusCode::from_u16(code).unwrap_or_default();
    let place = Place::of("GET", "/api/v1/namespaces/n/services/x");
    Failure::from_reply(&Reply::new(status, is_text, body), place.as_ref()).sentence()
}

/// Reads what the path of a request asks for.
#[must_use]
pub fn place(path: &str) -> Option<String> {
    Place::of("GET", path).map(|place| place.to_string())
}

/// Reads a `Warning` header.
#[must_use]
pub fn warnings(header: &[u8]) -> Vec<String> {
    let Ok(value) = HeaderValue::from_bytes(header) else { return Vec::new() };
    hostile::warnings(&HeaderMap::from_iter([(http::header::WARNING, value)]))
}

/// Reads what a credential plugin printed; the error is for people.
///
/// # Errors
/// When there is no credential in it.
pub fn credential(printed: &[u8]) -> Result<(), String> {
    hostile::credential(printed, SystemTime::now())
}

/// Returns whether a JSON web token has not expired.
#[must_use]
pub fn is_good(token: &str) -> bool {
    let config = HashMap::from([("id-token".to_owned(), token.to_owned())]);
    hostile::id_token(&config, SystemTime::now()).is_some()
}

/// Returns whether `NO_PROXY` names a host.
#[must_use]
pub fn is_exempt(exceptions: &str, host: &str, port: u16) -> bool {
    hostile::is_exempt(exceptions, host, port)
}

/// Says what is wrong with a proxy's URL.
///
/// # Errors
/// When something is.
pub fn proxy(url: &str) -> Result<(), String> {
    hostile::check(url)
}

/// Reads issuer and subject of a certificate.
#[must_use]
pub fn common_names(certificate: &[u8]) -> [String; 2] {
    hostile::common_names(certificate)
}
