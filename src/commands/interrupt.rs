//! Ctrl-C, or SIGTERM, while weights are written or proven: says what they are then, instead of leaving it open.

use std::{
    future::{Future, pending},
    pin::Pin,
    time::Duration,
};

use super::Invocation;
use crate::{
    cluster::Cluster,
    domain::shift::{Aftermath, Shift},
    error::Error,
};

/// How long the object may take to be read again.
const READING: Duration = Duration::from_secs(5);

/// Waits for Ctrl-C or SIGTERM from its creation on.
pub(super) struct Interrupt {
    pressed: Pin<Box<dyn Future<Output = ()>>>,
    /// Pressed twice: nobody waits for an answer any more.
    is_over: bool,
    /// Whether what was under way may still be carried out.
    is_open: bool,
}

impl Interrupt {
    pub(super) fn new() -> Self {
        Self { pressed: Box::pin(pressed()), is_over: false, is_open: false }
    }

    /// Runs `work` that changes nothing; nothing when it was interrupted.
    pub(super) async fn before<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            result = work => Some(result),
            () = &mut self.pressed => None,
        }
    }

    /// Runs `work`; nothing when it was interrupted. What is under way then has `grace` to end.
    pub(super) async fn or<T>(
        &mut self,
        invocation: &mut Invocation<'_>,
        grace: Duration,
        work: impl Future<Output = T>,
    ) -> Option<T> {
        let mut work = std::pin::pin!(work);
        tokio::select! {
            result = &mut work => return Some(result),
            () = &mut self.pressed => {}
        }
        self.pressed = Box::pin(pressed());
        let ending = async {
            invocation.note("interrupted: looking at what is written (Ctrl-C again ends at once)");
            // A write that was sent may be carried out whether or not its answer is waited for.
            tokio::time::timeout(grace, work).await.is_err()
        };
        tokio::select! {
            // Listens before anybody is told to press again.
            biased;
            () = &mut self.pressed => self.is_over = true,
            // What gets no time to end only looks.
            is_open = ending => self.is_open = is_open && !grace.is_zero(),
        }
        None
    }

    /// Reads the object again and says what its weights are; pressed once more, gives up.
    pub(super) async fn explain(self, cluster: &Cluster, shift: &Shift) -> Error {
        let object = shift.virtual_service.object.clone();
        if self.is_over {
            return Error::Interrupted { object, now: None };
        }
        let reading = tokio::time::timeout(READING, cluster.get(&object));
        let now = tokio::select! {
            read = reading => read.ok().and_then(Result::ok).map(|now| shift.aftermath(&now)),
            () = self.pressed => None,
        };
        let now = now.map(|(aftermath, shares)| match aftermath {
            Aftermath::NotWritten if self.is_open => (Aftermath::NotWrittenYet, shares),
            told => (told, shares),
        });
        Error::Interrupted { object, now }
    }
}

async fn pressed() {
    let ctrl_c = async {
        // Where signals cannot be waited for, they end the process as they always did.
        if tokio::signal::ctrl_c().await.is_err() {
            pending::<()>().await;
        }
    };
    tokio::select! {
        () = ctrl_c => {}
        () = terminated() => {}
    }
}

#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut signal) => drop(signal.recv().await),
        Err(_) => pending().await,
    }
}

#[cfg(not(unix))]
async fn terminated() {
    pending().await
}
