//! Processes and a file server for the tests.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Command,
};

/// The version in Cargo.toml.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Returns a path in the repository.
pub(crate) fn in_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Returns the text of a file of the repository.
pub(crate) fn read(path: &str) -> String {
    let path = in_repository(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns a file that `make package` made.
pub(crate) fn packaged(name: &str) -> PathBuf {
    let path = in_repository("target/package").join(name);
    assert!(path.is_file(), "{} is missing: `make package` makes it", path.display());
    path
}

/// The name of the archive of a version for a platform, in Go's words.
pub(crate) fn archive_name(version: &str, os: &str, arch: &str) -> String {
    format!("kubectl-kubia_v{version}_{os}_{arch}.tar.gz")
}

/// This machine's architecture, in Go's words.
pub(crate) fn this_arch() -> &'static str {
    if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" }
}

/// Runs a command and returns what it printed, stdout before stderr; panics when it fails.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> String {
    let (succeeded, printed) = try_run(command);
    assert!(succeeded, "{command:?} failed:\n{printed}");
    printed
}

/// Runs a command and returns whether it succeeded, and what it printed.
#[track_caller]
pub(crate) fn try_run(command: &mut Command) -> (bool, String) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let printed = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&printed).into_owned())
}

/// Packs a binary with the release's own program, and returns the archive's path.
pub(crate) fn pack(version: &str, os: &str, arch: &str, binary: &Path, folder: &Path) -> PathBuf {
    let mut command = Command::new(in_repository("packaging/archive"));
    let printed = run(command.args([version, os, arch]).arg(binary).arg(folder));
    PathBuf::from(printed.trim_end())
}

/// Returns the SHA-256 of a file, as `sha256sum` prints it.
pub(crate) fn checksum(file: &Path) -> String {
    let printed = run(Command::new("sha256sum").arg(file));
    printed.split_whitespace().next().unwrap().to_owned()
}

/// Serves the files of a folder on loopback by the last part of their path: krew takes archives
/// from http and https only. Returns the URL; the thread ends with the test's process.
pub(crate) fn serve(folder: &Path) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let folder = folder.to_owned();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            // A client that goes away is its own test's failure.
            let _ = answer(&stream.unwrap(), &folder);
        }
    });
    format!("http://{address}")
}

fn answer(mut stream: &TcpStream, folder: &Path) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let path = request.split(' ').nth(1).unwrap_or_default();
    let file = path.rsplit('/').next().unwrap_or_default();
    let (status, body) = match fs::read(folder.join(file)) {
        Ok(body) => ("200 OK", body),
        Err(_) => ("404 Not Found", Vec::new()),
    };
    let length = body.len();
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")?;
    stream.write_all(&body)
}
