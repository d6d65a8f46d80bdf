//! Finds and reads kubeconfig files as kubectl does.

use std::{env, path::PathBuf};

use kube::{
    Config,
    config::{KubeConfigOptions, Kubeconfig, KubeconfigError},
};

use super::{ConnectError, Target};

/// A client configuration and the name of the context it came from.
pub(super) struct Selected {
    pub(super) context: String,
    pub(super) config: Config,
}

/// Reads what `target` names: its own file, else the files of `KUBECONFIG`, else `~/.kube/config`,
/// else the service account of the pod this runs in.
pub(super) async fn select(target: &Target) -> Result<Selected, ConnectError> {
    let Some(kubeconfig) = read(target)? else { return in_cluster(target) };
    let context = target.context.clone().or_else(|| kubeconfig.current_context.clone());
    // kubectl writes an empty string when the current context is unset.
    let context = context.filter(|name| !name.is_empty()).ok_or(ConnectError::NoContext)?;
    if !kubeconfig.contexts.iter().any(|each| each.name == context) {
        let known = kubeconfig.contexts.into_iter().map(|each| each.name).collect();
        return Err(ConnectError::UnknownContext { context, known });
    }
    let options = KubeConfigOptions { context: Some(context.clone()), ..Default::default() };
    let config =
        Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(ConnectError::from)?;
    Ok(Selected { context, config })
}

/// Reads the names of the contexts.
pub(super) fn contexts(target: &Target) -> Result<Vec<String>, ConnectError> {
    let contexts = read(target)?.map(|kubeconfig| kubeconfig.contexts).unwrap_or_default();
    Ok(contexts.into_iter().map(|context| context.name).collect())
}

/// Returns nothing when no file is named and none exists.
fn read(target: &Target) -> Result<Option<Kubeconfig>, ConnectError> {
    if let Some(path) = &target.kubeconfig {
        return Kubeconfig::read_from(path).map(Some).map_err(ConnectError::from);
    }
    let mut merged: Option<Kubeconfig> = None;
    for path in default_paths() {
        // Like kubectl, and unlike kube, a file of the list that does not exist is skipped (kube-rs/kube#198).
        let next = match Kubeconfig::read_from(path) {
            Err(KubeconfigError::ReadConfig(error, _))
                if error.kind() == std::io::ErrorKind::NotFound =>
            {
                continue;
            }
            next => next.map_err(ConnectError::from)?,
        };
        merged = Some(match merged {
            None => next,
            Some(first) => first.merge(next).map_err(ConnectError::from)?,
        });
    }
    Ok(merged)
}

fn default_paths() -> Vec<PathBuf> {
    match env::var_os("KUBECONFIG").filter(|list| !list.is_empty()) {
        Some(list) => env::split_paths(&list).filter(|path| !path.as_os_str().is_empty()).collect(),
        None => env::home_dir().map(|home| home.join(".kube/config")).into_iter().collect(),
    }
}

fn in_cluster(target: &Target) -> Result<Selected, ConnectError> {
    if let Some(context) = &target.context {
        return Err(ConnectError::UnknownContext { context: context.clone(), known: vec![] });
    }
    let config = Config::incluster().map_err(|_| ConnectError::NoConfiguration)?;
    Ok(Selected { context: "in-cluster".to_owned(), config })
}
