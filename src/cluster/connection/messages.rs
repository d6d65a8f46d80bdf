//! What a connection says besides its answers: somebody at the top listens, and shows it in time.

use std::{fmt, io, sync::Arc};

use crate::domain::text::Printable;

/// Hears what happens, in the order in which it happens.
pub trait Messages: Send + Sync {
    /// Hears a warning of the server, printable.
    fn warning(&self, text: &str);
    /// Hears a line for the log that `-v` asks for, printable.
    fn log(&self, line: &str);
}

/// Hears nothing.
#[derive(Clone, Copy, Debug)]
pub struct Silence;

impl Messages for Silence {
    fn warning(&self, _: &str) {}
    fn log(&self, _: &str) {}
}

/// Where messages go, and how many of them.
#[derive(Clone)]
pub(super) struct Log {
    pub(super) messages: Arc<dyn Messages>,
    pub(super) verbosity: u8,
}

impl Log {
    /// Writes one line in the form of kubectl's log, if that much is asked for.
    pub(super) fn write(&self, verbosity: u8, event: &str, fields: fmt::Arguments<'_>) {
        if self.verbosity >= verbosity {
            let now = jiff::Timestamp::now().strftime("%m%d %H:%M:%S.%6f").to_string();
            let process = std::process::id();
            // klog's form, so that what reads kubectl's log reads this one too.
            self.messages.log(&format!("I{now} {process:>7} connection] {event:?}{fields}"));
        }
    }
}

/// A value of a log line, in quotes.
pub(super) struct Quoted<'a>(pub(super) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let escaped = self.0.replace('\\', "\\\\").replace('"', "\\\"");
        write!(formatter, "\"{}\"", Printable(&escaped))
    }
}

/// The reason of an error of the operating system as Go has it: in lower case, without a number.
pub(super) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_lowercase().to_string());
    format!("{}{}", first.unwrap_or_default(), letters.as_str())
}
