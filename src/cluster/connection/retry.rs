//! When a request is sent again.
//!
//! kube sends any request again, fifteen times (kube-rs/kube#2082), client-go a GET or what has a
//! `Retry-After`, ten times. Here it is only what may be sent twice, at most [`TRIES`] times, and
//! never past the deadline of the request.

use std::time::{Duration, SystemTime};

/// How often a request is sent at most.
pub(super) const TRIES: u32 = 4;

/// When a request may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cluster) enum Repeat {
    /// It writes, and would write again.
    Never,
    /// When the answer says that it was not carried out: it writes, but guarded by a `test`. Whoever
    /// says so may be wrong; then the second try fails that test, and changes nothing.
    IfRefused,
    /// It only reads.
    Always,
}

impl Repeat {
    pub(in crate::cluster) fn writes(self) -> bool {
        self != Self::Always
    }

    pub(super) fn allows(self, ending: Ending) -> bool {
        match self {
            Self::Never => false,
            Self::IfRefused => matches!(ending, Ending::Status(429 | 503, _)),
            Self::Always => true,
        }
    }
}

/// What the last try came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// An answer with this status, and after how many seconds the server wants to be asked again.
    Status(u16, Option<u64>),
    /// The connection broke, or was refused when it had been there before.
    Broken,
    /// Anything else is as it is.
    Final,
}

/// Returns how long to wait before the next try, if there is one.
pub(super) fn wait(ending: Ending, tries: u32, left: Duration) -> Option<Duration> {
    let wait = match ending {
        Ending::Status(429 | 500..=599, Some(seconds)) => Duration::from_secs(seconds),
        Ending::Status(429 | 502..=504, None) | Ending::Broken => pause(tries),
        Ending::Status(..) | Ending::Final => return None,
    };
    (tries < TRIES && wait < left).then_some(wait)
}

/// 0.2 s, 0.4 s, 0.8 s, each with up to a quarter more, so that many do not come back at once.
fn pause(tries: u32) -> Duration {
    let base = Duration::from_millis(200) * 2_u32.pow(tries.min(TRIES) - 1);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    base + base * (now.subsec_micros() % 250) / 1000
}

/// Reads a `Retry-After` header: whole seconds, as in client-go.
pub(super) fn seconds(header: Option<&http::HeaderValue>) -> Option<u64> {
    header?.to_str().ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(30);

    #[test]
    fn what_may_get_better_is_tried_again() {
        let is_tried = |ending| wait(ending, 1, LONG).is_some();
        for ending in [
            Ending::Broken,
            Ending::Status(429, None),
            Ending::Status(503, None),
            Ending::Status(500, Some(1)),
        ] {
            assert!(is_tried(ending), "{ending:?}");
        }
        for ending in [
            Ending::Final,
            Ending::Status(500, None),
            Ending::Status(404, Some(1)),
            Ending::Status(503, Some(31)),
            Ending::Status(503, Some(u64::MAX)),
        ] {
            assert!(!is_tried(ending), "{ending:?}");
        }
    }

    #[test]
    fn a_guarded_write_is_tried_again_only_when_it_was_refused() {
        let allows = |ending| Repeat::IfRefused.allows(ending);
        assert!(allows(Ending::Status(429, None)) && allows(Ending::Status(503, Some(1))));
        assert!(!allows(Ending::Broken) && !allows(Ending::Status(504, None)));
        assert!(!Repeat::Never.allows(Ending::Status(429, Some(1))));
    }

    #[test]
    fn tries_and_time_are_limited() {
        let waits = |tries| wait(Ending::Broken, tries, LONG).unwrap();
        assert!((200..=250).contains(&waits(1).as_millis()));
        assert!((800..=1000).contains(&waits(3).as_millis()));
        assert_eq!(wait(Ending::Broken, TRIES, LONG), None);
        assert_eq!(wait(Ending::Status(429, Some(1)), TRIES, LONG), None);
        assert_eq!(wait(Ending::Broken, 1, Duration::from_millis(100)), None);
        assert_eq!(wait(Ending::Status(429, Some(2)), 1, LONG), Some(Duration::from_secs(2)));
    }
}
