//! A shell in a terminal of its own, so that TAB means what it means to a person.

use std::{
    io::Write,
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
};

use super::{
    process::Printed,
    wait::{holds, wait_for},
};

/// A shell that runs in a terminal made by `script` of util-linux.
pub(crate) struct Terminal {
    child: Child,
    keys: ChildStdin,
    screen: Printed,
    /// How much had been shown when a key was last pressed.
    shown: usize,
}

impl Terminal {
    /// Runs a shell's command line in the environment of `command`, whose program is `script`.
    pub(crate) fn run(mut command: Command, shell: &str) -> Self {
        command.args(["--quiet", "--flush", "--return", "--command", shell, "/dev/null"]);
        // Without cursor movements the screen is what was written, in that order.
        command.env("TERM", "dumb").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("script: {error}"));
        let keys = child.stdin.take().expect("it was asked for");
        let screen = Printed::read(child.stdout.take().expect("it was asked for"));
        Self { child, keys, screen, shown: 0 }
    }

    /// Types these keys.
    pub(crate) fn press(&mut self, keys: &str) {
        self.shown = self.screen.len();
        self.keys.write_all(keys.as_bytes()).expect("the terminal is open");
        self.keys.flush().expect("the terminal is open");
    }

    /// Waits until all of these have been shown since the last key.
    pub(crate) fn shows(&self, texts: &[&str]) {
        wait_for(&format!("{texts:?} in the terminal"), || {
            let new = self.screen.since(self.shown);
            holds(texts.iter().all(|text| new.contains(text)), || self.screen.since(0))
        });
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // The shell ends with its terminal.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Panics with what to install when a program or file of a package is not there.
pub(crate) fn needs(path: &str, package: &str) {
    assert!(Path::new(path).exists(), "{path} is missing: `apt install {package}`");
}
