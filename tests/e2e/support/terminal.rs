//! A shell in a terminal of its own, so that TAB means what it means to a person.

use std::{
    io::{Read, Write},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
};

use super::wait::{holds, wait_for};

/// A shell that runs in a terminal made by `script` of util-linux.
pub(crate) struct Terminal {
    child: Child,
    keys: ChildStdin,
    screen: Arc<Mutex<Vec<u8>>>,
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
        let mut output = child.stdout.take().expect("it was asked for");
        let screen = Arc::new(Mutex::new(Vec::new()));
        let written = Arc::clone(&screen);
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut buffer) {
                written.lock().expect("nobody panics with it").extend(&buffer[..count]);
            }
        });
        Self { child, keys, screen, shown: 0 }
    }

    /// Types these keys.
    pub(crate) fn press(&mut self, keys: &str) {
        self.shown = self.screen.lock().expect("nobody panics with it").len();
        self.keys.write_all(keys.as_bytes()).expect("the terminal is open");
        self.keys.flush().expect("the terminal is open");
    }

    /// Waits until all of these have been shown since the last key.
    pub(crate) fn shows(&self, texts: &[&str]) {
        wait_for(&format!("{texts:?} in the terminal"), || {
            let screen = self.screen.lock().expect("nobody panics with it");
            let new = String::from_utf8_lossy(&screen[self.shown..]).into_owned();
            holds(texts.iter().all(|text| new.contains(text)), || {
                String::from_utf8_lossy(&screen).into_owned()
            })
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
