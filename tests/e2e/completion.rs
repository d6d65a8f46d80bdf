//! `kubectl kubia <TAB>`, with the sandbox's kubectl, in the shells people use.

use std::{fs, os::unix::fs::symlink, path::PathBuf, process::Command};

use crate::support::{
    namespace::Namespace,
    process,
    sandbox::Sandbox,
    terminal::{Terminal, needs},
};

const BASH_COMPLETION: &str = "/usr/share/bash-completion/bash_completion";

/// A home with the plugin, and what `completion --install` puts beside it.
struct Home<'a> {
    namespace: Namespace<'a>,
    path: String,
}

impl Home<'_> {
    fn new() -> Self {
        let namespace = Namespace::new(Sandbox::shared());
        let folder = namespace.folder().join("bin");
        fs::create_dir(&folder).expect("the test's folder can be written");
        symlink(process::plugin(), folder.join("kubectl-kubia")).expect("it is empty");
        let path = format!("{}:{}", folder.display(), namespace.sandbox().path());
        let home = Self { namespace, path };
        let install = format!("--install={}", folder.display());
        let mut command = home.command("kubectl", &home.namespace.sandbox().kubia_kubeconfig());
        process::run(command.args(["kubia", "completion", &install])).exits(0);
        home
    }

    fn command(&self, program: &str, kubeconfig: &std::path::Path) -> Command {
        let program = std::env::split_paths(&self.path)
            .map(|folder| folder.join(program))
            .find(|program| program.is_file())
            .unwrap_or_else(|| PathBuf::from(program));
        process::clean(program, kubeconfig, self.namespace.folder(), &self.path)
    }

    /// What kubectl hands to the shell for these words.
    fn kubectl_completes(&self, words: &[&str]) -> String {
        let kubeconfig = self.namespace.sandbox().kubia_kubeconfig();
        completes(&mut self.command("kubectl", &kubeconfig), words)
    }

    /// A shell with kubectl's own completion, set up by these lines.
    fn shell(&self, shell: &str, setup: &str) -> Terminal {
        let folder = self.namespace.folder();
        let setup = format!("stty cols 160 rows 50\n{setup}\nPS1='ready> '\n");
        // bash is told of the file, zsh looks for its own in ZDOTDIR.
        for name in ["setup", ".zshrc"] {
            fs::write(folder.join(name), &setup).expect("the test's folder can be written");
        }
        let kubeconfig = self.namespace.sandbox().kubia_kubeconfig();
        let mut command = self.command("script", &kubeconfig);
        command.env("ZDOTDIR", folder).current_dir(folder);
        let terminal = Terminal::run(command, shell);
        terminal.shows(&["ready> "]);
        terminal
    }
}

/// What kubectl hands to the shell for these words, however busy the machine is.
fn completes(kubectl: &mut Command, words: &[&str]) -> String {
    let [command, rest @ ..] = words else { panic!("no command is completed") };
    let patient: &[&str] = if rest.is_empty() { &[] } else { &["--request-timeout=60s"] };
    kubectl.args(["__complete", "kubia", command]).args(patient).args(rest);
    process::run(kubectl).exits(0).stdout
}

fn completes_in(mut terminal: Terminal) {
    terminal.press("kubectl kubia sh\t");
    terminal.shows(&["kubia shift "]);
    // Ctrl-U empties the line.
    terminal.press("\u{15}kubectl kubia \t\t");
    terminal.shows(&["completion", "deploy", "gateway-url", "shift", "status"]);
    terminal.press("\u{15}kubectl kubia status --kubec\t");
    terminal.shows(&["status --kubeconfig "]);
    terminal.press("setup-of-an\t");
    terminal.shows(&["setup-of-another-cluster "]);
}

#[test]
fn tab_completes_in_bash() {
    needs(BASH_COMPLETION, "bash-completion");
    let home = Home::new();
    fs::write(home.namespace.folder().join("setup-of-another-cluster"), "").expect("it is ours");
    let setup = format!(". {BASH_COMPLETION}\n. <(kubectl completion bash)");
    completes_in(home.shell("bash --noprofile --rcfile setup -i", &setup));
}

#[test]
fn tab_completes_in_zsh() {
    needs("/usr/bin/zsh", "zsh");
    let home = Home::new();
    fs::write(home.namespace.folder().join("setup-of-another-cluster"), "").expect("it is ours");
    let setup = "autoload -Uz compinit\ncompinit -D\n. <(kubectl completion zsh)";
    completes_in(home.shell("zsh --no-global-rcs -i", setup));
}

#[test]
fn kubectl_asks_the_installed_program() {
    let home = Home::new();
    let host = home.namespace.host();
    home.namespace.kubia(&["deploy", "--wait=false", "--host", &host]).exits(0);
    let namespace = home.namespace.name();
    assert_eq!(
        home.kubectl_completes(&["sh"]),
        "shift\tSet the share of requests that goes to a version\n:4\n"
    );
    assert_eq!(home.kubectl_completes(&["shift", "-n", namespace, "ku"]), "kubia-vs\n:4\n");
    assert_eq!(
        home.kubectl_completes(&["gateway-url", "-n", namespace, ""]),
        "kubia-service-gateway\tnetworking.istio.io\n:4\n"
    );
    assert_eq!(home.kubectl_completes(&["status", "--context="]), "kubia-sandbox\n:4\n");
    // The user may not list namespaces, and nobody says so on TAB.
    assert_eq!(home.kubectl_completes(&["status", "-n", "e2e"]), ":4\n");
    assert_eq!(home.kubectl_completes(&["status", "--kubeconfig", ""]), ":0\n");
}

#[test]
fn namespaces_are_offered_to_who_may_list_them() {
    let home = Home::new();
    let mut command = home.command("kubectl", &home.namespace.sandbox().admin_kubeconfig());
    assert_eq!(completes(&mut command, &["status", "-n", "istio-s"]), "istio-system\n:4\n");
}

#[test]
fn a_file_for_completion_is_no_plugin() {
    let home = Home::new();
    let mut command = home.command("kubectl", &home.namespace.sandbox().kubia_kubeconfig());
    command.env("PATH", home.namespace.folder().join("bin"));
    let list = process::run(command.args(["plugin", "list", "--name-only"])).exits(0);
    assert_eq!((list.stdout.lines().last(), list.stderr.as_str()), (Some("kubectl-kubia"), ""));
}
