//! README says what the program does: the rights it needs, its exit codes, its commands.

use clap::CommandFactory as _;
use kubia::error::ExitCode;

const README: &str = include_str!("../../README.md");

#[test]
fn readme_shows_the_rights_as_they_are() {
    let rights = include_str!("../../docs/rbac.yaml");
    assert!(
        README.contains(&format!("```yaml\n{rights}```")),
        "README's ClusterRole is not docs/rbac.yaml"
    );
}

#[test]
fn readme_lists_every_exit_code() {
    // A new code has to be listed here, and so in the README: this match has no wildcard.
    let codes = [
        ExitCode::Done,
        ExitCode::Failed,
        ExitCode::Usage,
        ExitCode::Refused,
        ExitCode::NotLive,
        ExitCode::Conflict,
        ExitCode::Interrupted,
    ];
    for code in codes {
        let meaning = match code {
            ExitCode::Done => "done, or nothing to do",
            ExitCode::Failed => "failed: API, network, not found, forbidden, refused by the server",
            ExitCode::Usage => "the command line is wrong",
            ExitCode::Refused => {
                "refused, nothing written: by a guard (`--allow`), or because it is not clear what is meant"
            }
            ExitCode::NotLive => {
                "written, but a proxy runs something else; with `--proof=require`, not proven"
            }
            ExitCode::Interrupted => "interrupted",
            ExitCode::Conflict => {
                "changed meanwhile by somebody else: nothing written, or written and no longer there"
            }
        };
        let row = format!("\n| {} | {meaning} |\n", code as u8);
        assert!(README.contains(&row), "README has no row {row}");
    }
}

#[test]
fn readme_has_a_section_for_every_command() {
    for command in kubia::cli::Cli::command().get_subcommands() {
        let heading = format!("\n### {}\n", command.get_name());
        assert!(README.contains(&heading), "README has no section{heading}");
    }
}
