//! Waits for conditions. The pause between two looks is never what a test relies on.

use std::{
    thread,
    time::{Duration, Instant},
};

/// Long enough for two busy cores; only a failing test waits as long.
pub(crate) const DEADLINE: Duration = Duration::from_mins(2);

const PAUSE: Duration = Duration::from_millis(20);

/// Looks until there is a value; panics with what it waited for and what it saw last.
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Result<T, String>) -> T {
    let start = Instant::now();
    loop {
        match look() {
            Ok(value) => return value,
            Err(seen) => assert!(
                start.elapsed() < DEADLINE,
                "waited {} s for {what}; last seen: {seen}",
                DEADLINE.as_secs()
            ),
        }
        thread::sleep(PAUSE);
    }
}

/// `Ok` when a condition holds, else what was seen instead: the usual end of a look.
pub(crate) fn holds(condition: bool, seen: impl FnOnce() -> String) -> Result<(), String> {
    if condition { Ok(()) } else { Err(seen()) }
}
