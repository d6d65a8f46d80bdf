//! What is not a test but stands on the same support: the demo, the bench, the soak.

mod bench;
mod demo;
mod readme;
mod soak;
#[expect(dead_code, reason = "the tests use the rest")]
mod support;
mod walk;

use std::{
    env, fs,
    io::{Write, stderr, stdout},
    process::{Command, ExitCode},
};

use demo::Cluster;
use support::{kubectl::Kubectl, sandbox::Sandbox};
use walk::Block;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments.as_slice() {
        ["demo"] => demo_on_sandbox(),
        ["demo", "--context", context, "--confirm", confirm] => demo_on_cluster(context, confirm),
        ["bench"] => bench::run(),
        ["bench-far", arguments @ ..] => bench::run_far(arguments),
        ["soak", parts @ ..] => soak::run(parts),
        _ => Err("usage: demo [--context NAME --confirm NAME] | bench | soak [PART…]".to_owned()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            note(&format!("error: {message}"));
            ExitCode::FAILURE
        }
    }
}

fn demo_on_sandbox() -> Result<(), String> {
    let sandbox = Sandbox::shared();
    let blocks = demo::on_sandbox(sandbox, &show)?;
    compare_with_readme(&blocks)?;
    if is_set("KEEP") {
        let (name, directory) = (sandbox.name(), sandbox.directory().display());
        note(&format!(
            "The sandbox {name} is still up. To go on by hand:\n\n    source {directory}/env\n    \
             kubectl kubia status\n\nTo end it: make sandbox-down NAME={name}"
        ));
    }
    Ok(())
}

fn compare_with_readme(blocks: &[Block]) -> Result<(), String> {
    let readme = readme::read();
    if is_set("UPDATE") {
        let text = readme::rewritten(&readme, blocks)?;
        return fs::write(readme::path(), text).map_err(|error| format!("README.md: {error}"));
    }
    if !readme::differences(&readme, blocks).is_empty() {
        note("README.md shows something else; `UPDATE=1 make demo` rewrites it");
    }
    Ok(())
}

fn demo_on_cluster(context: &str, confirm: &str) -> Result<(), String> {
    let path = demo::path_with_plugin(&env::var("PATH").unwrap_or_default());
    let shell = || {
        let mut shell = Command::new("sh");
        shell.env("PATH", &path);
        shell
    };
    let kubectl = Kubectl::of_reader(context);
    demo::on_cluster(&Cluster { context, kubectl, shell: &shell }, confirm, &show).map(drop)
}

fn is_set(variable: &str) -> bool {
    env::var(variable).is_ok_and(|value| value == "1")
}

fn show(text: &str) {
    // A reader who closed the terminal needs no more output.
    let _ = writeln!(stdout(), "{text}");
}

fn note(text: &str) {
    let _ = writeln!(stderr(), "{text}");
}
