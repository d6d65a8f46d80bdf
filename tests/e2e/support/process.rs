//! Runs the plugin, kubectl and the sandbox's own program in a clean environment.

use std::{
    env,
    ffi::OsStr,
    fmt,
    io::{Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
};

use serde_json::Value;

use super::wait::{holds, wait_for};

/// What a process left behind.
pub(crate) struct Output {
    pub(crate) command: String,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: Option<i32>,
}

impl Output {
    /// Panics, with everything printed, unless the exit code is the expected one.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// Panics unless stderr contains each text.
    #[track_caller]
    pub(crate) fn says(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(self.stderr.contains(text), "stderr lacks {text:?}: {self}");
        }
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self}"))
    }
}

impl fmt::Display for Output {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { command, stdout, stderr, code } = self;
        write!(
            formatter,
            "{command}\nexit code {code:?}\n--- stdout\n{stdout}--- stderr\n{stderr}---"
        )
    }
}

/// The plugin: cargo builds it for tests, and the Makefile, in release, for programs.
pub(crate) fn plugin() -> PathBuf {
    match option_env!("CARGO_BIN_EXE_kubectl-kubia") {
        Some(built) => PathBuf::from(built),
        None => PathBuf::from(
            env::var_os("KUBIA_PLUGIN").expect("the Makefile sets KUBIA_PLUGIN for programs"),
        ),
    }
}

/// A command with nothing of the reader's environment but what is given: no kubeconfig but this
/// one, an empty home, and a PATH with the sandbox's own kubectl before the system's programs.
pub(crate) fn clean(
    program: impl AsRef<OsStr>,
    kubeconfig: &Path,
    home: &Path,
    path: &str,
) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("HOME", home)
        .env("KUBECONFIG", kubeconfig)
        .env("PATH", path)
        .stdin(Stdio::null());
    command
}

/// Runs to the end, with nothing on standard input.
pub(crate) fn run(command: &mut Command) -> Output {
    run_with_input(command, "")
}

/// Runs to the end, with `input` on standard input.
pub(crate) fn run_with_input(command: &mut Command, input: &str) -> Output {
    let shown = shown(command);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{shown}: {error}"));
    let mut pipe = child.stdin.take().expect("it was asked for");
    // A process that ends without reading all its input has its own reasons, told by its code.
    let _ = pipe.write_all(input.as_bytes());
    drop(pipe);
    let output = child.wait_with_output().unwrap_or_else(|error| panic!("{shown}: {error}"));
    Output {
        command: shown,
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        code: output.status.code(),
    }
}

/// A process that runs while the test does something else; it is killed with the value.
pub(crate) struct Running {
    child: Child,
    command: String,
    stdout: Printed,
    stderr: Printed,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        let shown = shown(command);
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{shown}: {error}"));
        let stdout = Printed::read(child.stdout.take().expect("it was asked for"));
        let stderr = Printed::read(child.stderr.take().expect("it was asked for"));
        Self { child, command: shown, stdout, stderr }
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("it is our own child").is_some()
    }

    /// Sends a signal by its name, as `kill` has it.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        run(Command::new("kill").args(["-s", name, &pid])).exits(0);
    }

    /// Waits until it has said this on stderr.
    pub(crate) fn wait_says(&self, text: &str) {
        wait_for(&format!("{} to say {text:?}", self.command), || {
            let said = self.stderr.so_far();
            holds(said.contains(text), || said.clone())
        });
    }

    /// What it has said on stderr so far.
    pub(crate) fn said(&self) -> String {
        self.stderr.so_far()
    }

    /// Waits for its end.
    pub(crate) fn wait(mut self) -> Output {
        let status = self.child.wait().expect("it is our own child");
        Output {
            command: std::mem::take(&mut self.command),
            stdout: self.stdout.all(),
            stderr: self.stderr.all(),
            code: status.code(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a process prints, read as it comes.
pub(crate) struct Printed {
    text: Arc<Mutex<Vec<u8>>>,
    reading: Option<JoinHandle<()>>,
}

impl Printed {
    pub(crate) fn read(mut pipe: impl Read + Send + 'static) -> Self {
        let text = Arc::new(Mutex::new(Vec::new()));
        let written = Arc::clone(&text);
        let reading = thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = pipe.read(&mut buffer) {
                written.lock().expect("nobody panics with it").extend(&buffer[..count]);
            }
        });
        Self { text, reading: Some(reading) }
    }

    /// How many bytes there are.
    pub(crate) fn len(&self) -> usize {
        self.text.lock().expect("nobody panics with it").len()
    }

    /// What there is from one byte on.
    pub(crate) fn since(&self, start: usize) -> String {
        let text = self.text.lock().expect("nobody panics with it");
        String::from_utf8_lossy(&text[start..]).into_owned()
    }

    fn so_far(&self) -> String {
        self.since(0)
    }

    fn all(&mut self) -> String {
        if let Some(reading) = self.reading.take() {
            reading.join().expect("reading does not panic");
        }
        self.so_far()
    }
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
