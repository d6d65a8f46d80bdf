//! The id-token of an `auth-provider` entry for `OpenID` Connect, used for as long as it is good.
//!
//! It is never refreshed: a provider that rotates refresh tokens would accept kubectl's own no more,
//! and kube keeps the new one in memory only (kube-client 5.0.0, `client/auth/oidc.rs`), so whoever
//! ran this program would be logged out of kubectl.

use std::{
    collections::HashMap,
    time::{Duration, SystemTime},
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::Value;

/// How long before its end a token is not used any more, as in client-go.
const MARGIN: Duration = Duration::from_secs(10);

/// Returns the token, unless there is none or it has expired.
pub(in crate::cluster) fn id_token(
    config: &HashMap<String, String>,
    now: SystemTime,
) -> Option<&str> {
    let token = config.get("id-token").filter(|token| !token.is_empty())?;
    let expiry = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(expiry(token)?))?;
    (now + MARGIN < expiry).then_some(token)
}

/// The claim `exp` of a JSON web token. The signature is for the server to check.
fn expiry(token: &str) -> Option<u64> {
    let claims = token.split('.').nth(1)?.trim_end_matches('=');
    let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    claims["exp"].as_u64()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(token: &str, is_good: bool) {
        let config = HashMap::from([("id-token".to_owned(), token.to_owned())]);
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        assert_eq!(id_token(&config, now).is_some(), is_good, "{token}");
    }

    #[test]
    fn a_token_is_good_until_shortly_before_it_expires() {
        let with = |claims: &str| format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(claims));
        check(&with(r#"{"exp": 1000011}"#), true);
        check(&with(r#"{"exp": 1000010}"#), false);
        check(&with(r#"{"exp": 18446744073709551615}"#), false);
        for broken in [r#"{"exp": "x"}"#, "{}", "", "[", "{\"exp\": -1}"] {
            check(&with(broken), false);
        }
        for broken in ["", "a", "a.b", "..", "a.*.c"] {
            check(broken, false);
        }
    }
}
