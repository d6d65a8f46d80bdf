//! The executable itself: help, usage errors, and the ways it starts and ends.

use std::process::{Command, Stdio};

use tempfile::TempDir;

fn kubia(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-kubia"));
    command.args(arguments).env_clear().env("HOME", "/nonexistent").stdin(Stdio::null());
    command
}

#[track_caller]
fn check(arguments: &[&str], code: i32, stdout: &str, stderr: &str) {
    let output = kubia(arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let shown = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{shown:?}");
    assert!(shown.0.starts_with(stdout), "{}", shown.0);
    assert!(shown.1.starts_with(stderr), "{}", shown.1);
    assert_eq!(shown.0.is_empty(), stdout.is_empty(), "{}", shown.0);
    assert_eq!(shown.1.is_empty(), stderr.is_empty(), "{}", shown.1);
}

/// One sentence about a value, and where to read more.
#[track_caller]
fn refuse(arguments: &[&str], value: &str, reason: &str) {
    let output = kubia(arguments).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
    let (sentence, rest) = stderr.split_once("\n\n").unwrap();
    let begin = format!("error: invalid value '{value}' for '");
    assert!(sentence.starts_with(&begin) && sentence.contains(reason), "{arguments:?}: {stderr}");
    assert_eq!(rest, "For more information, try '--help'.\n", "{arguments:?}: {stderr}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
}

#[test]
fn help_and_version_are_data() {
    let about = "Find an Istio gateway, and move traffic";
    for arguments in [&[][..], &["--help"], &["-h"], &["help"]] {
        check(arguments, 0, about, "");
    }
    check(&["--version"], 0, concat!("kubectl-kubia ", env!("CARGO_PKG_VERSION"), "\n"), "");
    check(&["help", "shift"], 0, "Set the share of requests", "");
}

#[test]
fn usage_errors_exit_2() {
    check(&["bogus"], 2, "", "error: unrecognized subcommand 'bogus'");
    check(&["shift"], 2, "", "error: the following required arguments were not provided");
    check(&["shift", "--v2", "101"], 2, "", "error: invalid value '101' for '--v2 <PERCENT>'");
    check(&["shift", "--v2", "-1"], 2, "", "error: invalid value '-1' for '--v2 <PERCENT>'");
    check(&["shift", "v2=30", "v2=40"], 2, "", "error: v2 is given two shares");
    check(&["shift", "v2=30", "--v2", "30"], 2, "", "error: v2 is given two shares");
    check(&["shift", "v2=3", "--from", "v1=9,v1=8"], 2, "", "error: v1 is given two shares");
    check(&["status", "-o", "xml"], 2, "", "error: invalid value 'xml' for '--output <FORMAT>'");
    check(&["status", "--request-timeout", "soon"], 2, "", "error: invalid value 'soon'");
    let endless = "18446744073709551615";
    let refused = "error: invalid value '18446744073709551615' for '--";
    check(&["shift", "--v2", "30", "--timeout", endless], 2, "", refused);
    check(&["deploy", "--timeout", endless], 2, "", refused);
    check(&["gateway-url", "--timeout", endless], 2, "", refused);
    check(&["status", "--request-timeout", endless], 2, "", refused);
}

/// What is said twice is not taken for its last: neither for a share nor for a route.
#[test]
fn shares_and_routes_are_given_once() {
    check(&["shift", "--v2", "30", "--v2", "45"], 2, "", "error: v2 is given two shares");
    check(&["shift", "--v1=1", "--v1=1"], 2, "", "error: v1 is given two shares");
    check(&["deploy", "--v2=30", "--v2=45"], 2, "", "error: v2 is given two shares");
    let routes = ["shift", "reviews", "v2=50", "--route", "#1", "--route", "#2"];
    check(&routes, 2, "", "error: --route is given twice");
}

/// `"vs/$UNSET"`: the path of no name is that of all.
#[test]
fn a_name_is_not_empty() {
    for command in ["status", "history", "undo", "shift"] {
        for name in ["", "vs/", "virtualservice/", "virtualservices/"] {
            refuse(&[command, name], name, "a name is not empty");
        }
    }
    for name in ["", "gateway/", "gateways.networking.istio.io/"] {
        refuse(&["gateway-url", name], name, "a name is not empty");
    }
    for command in ["gateway-url", "status", "deploy"] {
        refuse(&[command, "--service", ""], "", "a name is not empty");
        refuse(&[command, "--gateway-namespace", ""], "", "a namespace is not empty");
    }
}

/// What would lead elsewhere on the API server, to a subresource say, is no name.
#[test]
fn a_name_is_one_segment_of_a_path() {
    let segments = [
        ("kubia-vs/status", "may not contain '/'"),
        ("vs/kubia-vs/status", "may not contain '/'"),
        ("vs/vs/kubia-vs", "may not contain '/'"),
        ("a%2fb", "may not contain '%'"),
        ("vs/.", "may not be '.'"),
        ("..", "may not be '..'"),
    ];
    for (name, reason) in segments {
        let reason = format!("a name {reason}");
        for command in ["status", "history", "undo", "shift"] {
            refuse(&[command, name], name, &reason);
        }
    }
    refuse(&["gateway-url", "gateway/a/b"], "gateway/a/b", "a name may not contain '/'");
    refuse(&["gateway-url", "gw/.."], "gw/..", "a name may not be '..'");
    refuse(&["deploy", "--service", "a/b"], "a/b", "a name may not contain '/'");
    let namespace = "default/pods";
    let reason = "a namespace may not contain '/'";
    for flag in ["-n", "--namespace", "--gateway-namespace"] {
        refuse(&["status", flag, namespace], namespace, reason);
    }
    refuse(&["deploy", "--dry-run=client", "-n", namespace], namespace, reason);
}

#[test]
fn a_value_that_begins_with_a_dash_is_still_a_value() {
    let reason = "a time is a number of seconds";
    for command in [&["shift", "v2=1"][..], &["undo"], &["deploy"], &["gateway-url"]] {
        refuse(&[command, &["--timeout", "-5s"]].concat(), "-5s", reason);
    }
    refuse(&["status", "--request-timeout", "-5s"], "-5s", reason);
    refuse(&["undo", "--to-revision", "-1"], "-1", "");
}

#[test]
fn a_usage_error_does_not_let_eval_succeed() {
    let output = kubia(&["gateway-url", "-o", "env", "--bogus"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(stdout.starts_with("unset ") && stdout.ends_with("; false\n"), "{stdout}");
}

#[test]
fn a_broken_kubeconfig_is_not_shown() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("config");
    std::fs::write(&file, "users:\n- user: {token: SECRET\n  : [\n").unwrap();
    let output = kubia(&["status", "--kubeconfig", file.to_str().unwrap()]).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.starts_with("error: error loading config file"), "{stderr}");
    assert!(stderr.contains("line 3"), "{stderr}");
    assert!(!stderr.contains("SECRET"), "{stderr}");
}

#[test]
fn flags_go_anywhere_after_the_name() {
    for arguments in
        [&["-n", "a", "--context", "b", "status"], &["status", "-n", "a", "--context", "b"]]
    {
        check(arguments, 1, "", "error: context \"b\" does not exist");
    }
}

#[test]
fn a_missing_kubeconfig_is_one_clear_error() {
    check(
        &["gateway-url"],
        1,
        "",
        "error: no cluster is configured: no kubeconfig file was found\n",
    );
    check(
        &["status", "--kubeconfig", "/nonexistent/a"],
        1,
        "",
        "error: stat /nonexistent/a: no such file or directory\n",
    );
}

#[test]
fn manifests_need_no_kubeconfig() {
    check(
        &["deploy", "--dry-run=client", "-n", "shop"],
        0,
        "---\napiVersion: v1\nkind: Service\n",
        "",
    );
}

#[test]
fn a_server_that_is_down_is_one_clear_error() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("config");
    // Port 1 of the loopback interface: nobody listens there.
    let config = "{clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}], \
                  contexts: [{name: x, context: {cluster: c, user: u}}], current-context: x}";
    std::fs::write(&file, config).unwrap();
    check(
        &["status", "--kubeconfig", file.to_str().unwrap()],
        1,
        "",
        "The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?\n\nhint: ",
    );
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let mut child = kubia(&["deploy", "--help"]);
    let mut child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert_eq!(output.status.code(), Some(0));
}

/// Every flag has help, no first line ends in a full stop, and nobody has to know clap's defaults.
#[test]
fn every_flag_has_help() {
    use clap::CommandFactory as _;
    let mut root = kubia::cli::Cli::command();
    root.build();
    let commands = std::iter::once(&root).chain(root.get_subcommands());
    for command in commands.filter(|command| command.get_name() != "help") {
        let about = command.get_about().unwrap().to_string();
        assert!(!about.ends_with('.'), "{}: {about}", command.get_name());
        for argument in command.get_arguments() {
            let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
            let place = format!("{} {}", command.get_name(), argument.get_id());
            assert!(!help.is_empty(), "{place} has no help");
            assert!(!help.ends_with('.'), "{place}: {help}");
        }
    }
}
