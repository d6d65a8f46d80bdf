//! Runs the plugin, kubectl and the sandbox's own program in a clean environment.

use std::{
    env,
    ffi::OsStr,
    fmt,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

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

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
