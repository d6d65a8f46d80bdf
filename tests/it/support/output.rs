//! Runs a command on a fake API and keeps everything it said.

use std::{ffi::OsString, fmt};

use kubia::{cluster::Connection, commands::Invocation};

use super::{FakeApi, schemas};

/// Everything a command said.
pub(crate) struct Output {
    /// The exit code.
    pub(crate) code: u8,
    /// What went to stdout.
    pub(crate) stdout: String,
    /// What went to stderr.
    pub(crate) stderr: String,
}

impl fmt::Display for Output {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "exit {}", self.code)?;
        write!(formatter, "--- stdout\n{}--- stderr\n{}", self.stdout, self.stderr)
    }
}

/// Runs `kubectl kubia ARGUMENTS` on `api`, in context `test` and namespace `shop`, at noon.
pub(crate) fn kubia(api: &FakeApi, arguments: &str) -> Output {
    kubia_in("shop", api, arguments)
}

/// Runs `kubectl kubia ARGUMENTS` on `api`, in this namespace.
pub(crate) fn kubia_in(namespace: &str, api: &FakeApi, arguments: &str) -> Output {
    let words = std::iter::once("kubectl-kubia").chain(arguments.split_whitespace());
    let words: Vec<OsString> = words.map(OsString::from).collect();
    let cli = match kubia::parse(&words) {
        Ok(cli) => cli,
        Err(error) => {
            return Output { code: 2, stdout: String::new(), stderr: error.to_string() };
        }
    };
    let namespace = cli.global.connection.namespace.clone().unwrap_or_else(|| namespace.to_owned());
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let code = runtime.block_on(async {
        // kube's client spawns its worker, so it is made inside the runtime.
        let connection = Connection::Ready(api.client(), "test".to_owned(), namespace);
        let invocation = Invocation {
            connection,
            format: cli.global.output,
            out: &mut out,
            err: &mut err,
            now: "2026-11-23T12:00:00Z".parse().unwrap(),
        };
        kubia::execute(cli.command, invocation).await
    });
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let output = Output { code: code as u8, stdout: text(out), stderr: text(err) };
    let violations = schemas::violations(&output.stdout);
    assert!(violations.is_empty(), "{arguments}: {violations:#?}");
    output
}
