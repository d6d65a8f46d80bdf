//! `completion`: scripts for shells, and the program that completes `kubectl kubia` for kubectl.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum, ValueHint};

use super::{Invocation, complete};
use crate::{error::Error, view::OutputFormat};

/// What is installed: three lines that call the plugin, wherever it is on PATH by then.
const SHIM: &str = include_str!("../../completions/kubectl_complete-kubia");

/// The same for Windows, where kubectl looks for a `.cmd` too.
const WINDOWS_SHIM: &str = "@kubectl-kubia __complete %* 2>NUL\r\n";

/// Where it is installed unless told otherwise.
const USUAL: &str = "~/.local/bin";

/// By this line a file is known as ours.
const MARK: &str = "kubectl-kubia __complete ";

/// Flags of `completion`.
///
/// Print the script that completes the name `kubectl-kubia` in a shell; or, with --install, write the
/// program kubectl asks to complete `kubectl kubia` (kubectl 1.26 or newer), which krew cannot install.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    # kubectl kubia <TAB>\n  \
    kubectl kubia completion --install\n\n  \
    # kubectl-kubia <TAB>, in bash\n  \
    source <(kubectl kubia completion bash)")]
#[group(id = "what", required = true, multiple = false, args = ["shell", "install", "uninstall"])]
pub struct CompletionArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Option<Shell>,
    /// Write kubectl_complete-kubia into this directory, or ~/.local/bin
    #[arg(long, value_name = "DIR", num_args = 0..=1, require_equals = true,
          default_missing_value = USUAL, value_hint = ValueHint::DirPath)]
    install: Option<PathBuf>,
    /// Remove it from this directory, or ~/.local/bin
    #[arg(long, value_name = "DIR", num_args = 0..=1, require_equals = true,
          default_missing_value = USUAL, value_hint = ValueHint::DirPath)]
    uninstall: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
    Powershell,
}

impl Shell {
    /// The script, made from the command line's definition by a test that also compares the two.
    const fn script(self) -> &'static str {
        match self {
            Self::Bash => include_str!("../../completions/kubectl-kubia.bash"),
            Self::Zsh => include_str!("../../completions/_kubectl-kubia"),
            Self::Fish => include_str!("../../completions/kubectl-kubia.fish"),
            Self::Powershell => include_str!("../../completions/kubectl-kubia.ps1"),
        }
    }
}

/// Prints a script, or installs or removes kubectl's own completion.
///
/// # Errors
/// When the directory is krew's, the file is somebody else's, or it cannot be written.
pub fn run(invocation: &mut Invocation<'_>, args: &CompletionArgs) -> Result<(), Error> {
    invocation.require_format(&[OutputFormat::Text])?;
    if let Some(shell) = args.shell {
        return Ok(invocation.out.write_all(shell.script().as_bytes())?);
    }
    match (&args.install, &args.uninstall) {
        (Some(directory), _) => install(invocation, &resolved(directory)?),
        (None, Some(directory)) => uninstall(invocation, &resolved(directory)?),
        (None, None) => Ok(()),
    }
}

/// Expands `~/`, which a shell leaves alone after `--install=`.
fn resolved(directory: &Path) -> Result<PathBuf, Error> {
    match directory.strip_prefix("~") {
        Ok(rest) => Ok(env::home_dir().ok_or(Error::NoHome)?.join(rest)),
        Err(_) => std::path::absolute(directory)
            .map_err(|error| file_error("use", directory.to_path_buf(), error)),
    }
}

fn shim(directory: &Path) -> (PathBuf, &'static str) {
    if cfg!(windows) {
        (directory.join(complete::PROGRAM).with_extension("cmd"), WINDOWS_SHIM)
    } else {
        (directory.join(complete::PROGRAM), SHIM)
    }
}

fn install(invocation: &mut Invocation<'_>, directory: &Path) -> Result<(), Error> {
    if is_krews(directory) {
        return Err(Error::KrewDirectory { directory: directory.to_path_buf() });
    }
    let (path, text) = shim(directory);
    let outcome = match read_own(&path)? {
        Some(found) if found == text => "unchanged",
        Some(_) => "replaced",
        None => "created",
    };
    if outcome != "unchanged" {
        write(&path, text)?;
    }
    writeln!(invocation.out, "{} {outcome}", path.display())?;
    if !is_on_path(directory) {
        invocation.note(&format!(
            "{} is not on PATH, so kubectl cannot find it there yet",
            directory.display()
        ));
    }
    for line in [
        "kubectl 1.26 or newer completes `kubectl kubia` in a shell that completes kubectl itself:",
        "  bash, with bash-completion: source <(kubectl completion bash)",
        "  zsh, after compinit:        source <(kubectl completion zsh)",
        "  fish:                       kubectl completion fish | source",
    ] {
        invocation.note(line);
    }
    Ok(())
}

fn uninstall(invocation: &mut Invocation<'_>, directory: &Path) -> Result<(), Error> {
    let (path, _) = shim(directory);
    let is_there = read_own(&path)?.is_some();
    if is_there {
        fs::remove_file(&path).map_err(|error| file_error("remove", path.clone(), error))?;
    }
    let outcome = if is_there { "removed" } else { "not there" };
    Ok(writeln!(invocation.out, "{} {outcome}", path.display())?)
}

/// Reads what was installed; nothing when there is nothing.
///
/// Anything else of that name is left alone: a symlink leads to the plugin itself, as packages
/// install it, and must never be written through.
fn read_own(path: &Path) -> Result<Option<String>, Error> {
    let foreign = || Error::ForeignFile { path: path.to_path_buf() };
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(file_error("read", path.to_path_buf(), error)),
        Ok(metadata) if !metadata.is_file() || metadata.len() > 4096 => Err(foreign()),
        Ok(_) => {
            let text = fs::read(path).map_err(|error| file_error("read", path.into(), error))?;
            let text = String::from_utf8(text).map_err(|_| foreign())?;
            if text.contains(MARK) { Ok(Some(text)) } else { Err(foreign()) }
        }
    }
}

/// Writes beside the file and renames, so that kubectl never runs half of it.
fn write(path: &Path, text: &str) -> Result<(), Error> {
    let directory = path.parent().unwrap_or(path);
    fs::create_dir_all(directory)
        .map_err(|error| file_error("create", directory.to_path_buf(), error))?;
    let new = path.with_extension(format!("new-{}", std::process::id()));
    let written = fs::write(&new, text)
        .and_then(|()| make_executable(&new))
        .and_then(|()| fs::rename(&new, path));
    written.map_err(|error| {
        // What is left of it helps nobody, and may not exist.
        let _ = fs::remove_file(&new);
        file_error("write", path.to_path_buf(), error)
    })
}

#[cfg(unix)]
fn make_executable(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn make_executable(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Whether krew keeps its links there.
///
/// krew takes a `bin` that is not empty without a single receipt for an ancient installation, and then
/// refuses every command: a stray file there would outlive the last plugin.
fn is_krews(directory: &Path) -> bool {
    let root = env::var_os("KREW_ROOT").filter(|root| !root.is_empty()).map(PathBuf::from);
    let usual = env::home_dir().map(|home| home.join(".krew"));
    let roots = [root, usual];
    roots.iter().flatten().any(|root| is_same(&root.join("bin"), directory))
}

fn is_on_path(directory: &Path) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|each| is_same(&each, directory))
}

fn is_same(one: &Path, other: &Path) -> bool {
    let resolved = |path: &Path| {
        path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.into())
    };
    resolved(one) == resolved(other)
}

fn file_error(action: &'static str, path: PathBuf, source: io::Error) -> Error {
    Error::File { action, path, source }
}
