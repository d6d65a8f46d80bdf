//! Reads the sandbox's kubeconfigs, and writes others made from them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

/// A kubeconfig with one cluster, one user and one context, as the sandbox writes it.
#[derive(Clone)]
pub(crate) struct Kubeconfig(Value);

impl Kubeconfig {
    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Self {
        let text =
            fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self(
            serde_saphyr::from_str(&text)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display())),
        )
    }

    /// `clusters[0].cluster.server`.
    pub(crate) fn server(&self) -> String {
        self.0["clusters"][0]["cluster"]["server"].as_str().expect("a server").to_owned()
    }

    /// The certificate authority, PEM.
    pub(crate) fn authority(&self) -> Vec<u8> {
        decode(&self.0["clusters"][0]["cluster"]["certificate-authority-data"])
            .expect("the sandbox embeds its CA")
    }

    /// The user's certificate and key, PEM.
    pub(crate) fn client_certificate(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        let user = &self.0["users"][0]["user"];
        Some((decode(&user["client-certificate-data"])?, decode(&user["client-key-data"])?))
    }

    /// The user's bearer token.
    pub(crate) fn token(&self) -> Option<String> {
        self.0["users"][0]["user"]["token"].as_str().map(str::to_owned)
    }

    /// The same cluster reached at another `https://host:port`.
    pub(crate) fn with_server(mut self, server: &str) -> Self {
        self.0["clusters"][0]["cluster"]["server"] = json!(server);
        self
    }

    /// The same cluster as the user a bearer token names.
    pub(crate) fn with_token(self, token: &str) -> Self {
        self.with_user(json!({"token": token}))
    }

    /// The same cluster as another user.
    pub(crate) fn with_user(mut self, user: Value) -> Self {
        self.0["users"][0]["user"] = user;
        self
    }

    /// Writes it into a folder (JSON is YAML too) and returns the path.
    pub(crate) fn write(&self, folder: &Path, name: &str) -> PathBuf {
        let path = folder.join(name);
        fs::write(&path, self.0.to_string()).expect("the test's folder can be written");
        path
    }
}

fn decode(field: &Value) -> Option<Vec<u8>> {
    field.as_str().map(|text| STANDARD.decode(text).expect("kubeconfig data is base64"))
}
