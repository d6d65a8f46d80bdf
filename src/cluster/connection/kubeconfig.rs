//! Finds and reads kubeconfig files as kubectl does.

use std::{
    collections::BTreeSet,
    env, fs, io,
    path::{Path, PathBuf},
};

use kube::config::{Kubeconfig, KubeconfigError};

use super::{
    ConnectError, Target,
    messages::{Log, Quoted, reason},
};

/// Reads what is named: a file of its own, else the files of `KUBECONFIG`, else `~/.kube/config`.
/// Without any file it is empty.
pub(super) fn read(target: &Target, log: &Log) -> Result<Kubeconfig, ConnectError> {
    let explicit = target.kubeconfig.as_ref().filter(|path| !path.as_os_str().is_empty());
    if let Some(path) = explicit {
        return read_file(path, log)?.ok_or_else(|| {
            let missing = io::Error::from_raw_os_error(2);
            ConnectError::Setup(format!("stat {}: {}", path.display(), reason(&missing)))
        });
    }
    let mut merged: Option<Kubeconfig> = None;
    for path in default_paths() {
        // Unlike kube's `from_env`, a file of the list that does not exist is skipped (kube-rs/kube#198).
        let Some(next) = read_file(&path, log)? else { continue };
        merged = Some(match merged {
            None => next,
            Some(first) => first.merge(next).map_err(|error| of_file(&path, &error.to_string()))?,
        });
    }
    Ok(merged.unwrap_or_default())
}

fn default_paths() -> Vec<PathBuf> {
    match env::var_os("KUBECONFIG").filter(|list| !list.is_empty()) {
        Some(list) => env::split_paths(&list).filter(|path| !path.as_os_str().is_empty()).collect(),
        None => env::home_dir().map(|home| home.join(".kube/config")).into_iter().collect(),
    }
}

/// Reads one file; none when it does not exist.
fn read_file(path: &Path, log: &Log) -> Result<Option<Kubeconfig>, ConnectError> {
    match fs::read(path) {
        // kube panics on half a character (kube-client 5.0.0, config/file_config.rs, `read_path`).
        Ok(bytes) if is_broken_utf16(&bytes) => {
            return Err(of_file(path, "not a kubeconfig in YAML: it ends within a character"));
        }
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(of_file(path, &unreadable(path, &error))),
    }
    let config = Kubeconfig::read_from(path);
    let mut config = config.map_err(|error| of_file(path, &describe(path, &error)))?;
    if let Some(name) = duplicate(&config) {
        return Err(of_file(path, &format!("duplicate name {name:?} in list")));
    }
    // kube takes an empty text for a value, and a later file could not set it (client-go: `merge`).
    config.current_context = config.current_context.filter(|name| !name.is_empty());
    log.write(
        6,
        "Config loaded from file",
        format_args!(" path={}", Quoted(&path.to_string_lossy())),
    );
    Ok(Some(config))
}

fn of_file(path: &Path, reason: &str) -> ConnectError {
    ConnectError::Setup(format!("error loading config file \"{}\": {reason}", path.display()))
}

/// Says why a file cannot be read. The text around the place may hold secrets, so it is not shown.
fn describe(path: &Path, error: &KubeconfigError) -> String {
    match error {
        KubeconfigError::ReadConfig(error, _) => unreadable(path, error),
        KubeconfigError::Parse(error) => match error.location() {
            Some(location) => format!("not a kubeconfig in YAML: line {}", location.line()),
            None => "not a kubeconfig in YAML".to_owned(),
        },
        error => error.to_string(),
    }
}

fn unreadable(path: &Path, error: &io::Error) -> String {
    let verb = if error.kind() == io::ErrorKind::IsADirectory { "read" } else { "open" };
    format!("{verb} {}: {}", path.display(), reason(error))
}

fn is_broken_utf16(bytes: &[u8]) -> bool {
    let is_utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    is_utf16 && bytes.len() % 2 == 1
}

/// The first name that two entries of one kind have. Of two, kube would silently take the first.
fn duplicate(config: &Kubeconfig) -> Option<&str> {
    fn first<'a>(names: impl Iterator<Item = &'a String>) -> Option<&'a str> {
        let mut known = BTreeSet::new();
        names.map(String::as_str).find(|name| !known.insert(*name))
    }
    first(config.clusters.iter().map(|each| &each.name))
        .or_else(|| first(config.auth_infos.iter().map(|each| &each.name)))
        .or_else(|| first(config.contexts.iter().map(|each| &each.name)))
}
