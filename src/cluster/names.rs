//! Names alone, for the completion of a command line.

use http::header::{ACCEPT, HeaderValue};
use serde_json::Value;

use super::{ApiError, Cluster, Intent, encode, read::Collection, request};
use crate::domain::{
    object::Kind,
    snapshot::{list, text},
};

/// Asks for the metadata of objects only; a server that cannot do that sends them whole.
const METADATA: HeaderValue = HeaderValue::from_static(
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json",
);

impl Cluster {
    /// Reads the names of all namespaces.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn namespaces(&self) -> Result<Vec<String>, ApiError> {
        let mut request = request("GET", "/api/v1/namespaces?resourceVersion=0");
        request.headers_mut().insert(ACCEPT, METADATA);
        let intent = Intent::new("list", &"namespaces");
        Ok(names(&self.send(intent, request).await?.object))
    }

    /// Reads the names of the objects of a kind in the namespace commands act on.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn names(&self, kind: Kind) -> Result<Vec<String>, ApiError> {
        let namespace = encode(&self.namespace);
        let path = format!("/namespaces/{namespace}/{}?resourceVersion=0", kind.plural());
        let collection = Collection(kind, Some(&self.namespace));
        let intent = Intent::new("list", &collection);
        let build = |prefix: &str| {
            let mut request = request("GET", &format!("{prefix}{path}"));
            request.headers_mut().insert(ACCEPT, METADATA);
            request
        };
        Ok(names(&self.send_versioned(kind, intent, build).await?.object))
    }
}

fn names(answer: &Value) -> Vec<String> {
    list(answer, "/items").iter().map(|item| text(item, "/metadata/name")).collect()
}
