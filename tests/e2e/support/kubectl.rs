//! How to reach a cluster with kubectl: the sandbox's own, or the reader's.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use super::process::{self, Output};

/// A kubectl with its kubeconfig, environment and flags.
pub(crate) struct Kubectl {
    program: PathBuf,
    environment: Option<Environment>,
    flags: Vec<String>,
}

struct Environment {
    kubeconfig: PathBuf,
    home: TempDir,
    path: String,
}

impl Kubectl {
    /// The first kubectl on `path`, with nothing of the reader's environment.
    pub(crate) fn clean(kubeconfig: PathBuf, path: &str) -> Self {
        let environment = Environment {
            kubeconfig,
            home: TempDir::new().expect("a temporary folder"),
            path: path.to_owned(),
        };
        Self { program: which(path), environment: Some(environment), flags: Vec::new() }
    }

    /// The reader's own kubectl and kubeconfig, in one context.
    pub(crate) fn of_reader(context: &str) -> Self {
        let flags = vec!["--context".to_owned(), context.to_owned()];
        Self { program: PathBuf::from("kubectl"), environment: None, flags }
    }

    /// A command yet to run.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = match &self.environment {
            Some(Environment { kubeconfig, home, path }) => {
                process::clean(&self.program, kubeconfig, home.path(), path)
            }
            None => Command::new(&self.program),
        };
        command.args(&self.flags).args(arguments);
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        process::run(&mut self.command(arguments))
    }
}

/// The first kubectl on a PATH: `Command` would look on the test's own.
fn which(path: &str) -> PathBuf {
    let folders = std::env::split_paths(path);
    let mut programs = folders.map(|folder: PathBuf| Path::new(&folder).join("kubectl"));
    programs.find(|program| program.is_file()).unwrap_or_else(|| panic!("no kubectl on {path}"))
}
