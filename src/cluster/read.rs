//! Reads API objects.
//!
//! A LIST without a resourceVersion waits up to 100 ms for the API server's cache on a busy cluster,
//! so a LIST asks for what the cache has now unless that could mislead. A GET by name never waits.

use std::fmt;

use serde_json::Value;

use super::{ApiError, Cluster, Extent, Failure, Intent, encode, request};
use crate::domain::{
    backends::Unread,
    object::{Kind, ObjectRef},
    snapshot::{Deployment, Labels, Pod, Subset, selector_text},
};

/// How recent the objects of a LIST have to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// What the API server's cache has now (`resourceVersion=0`), usually milliseconds old.
    Cached,
    /// Everything written before the request.
    Latest,
}

/// The objects of a LIST that may not be allowed.
#[derive(Debug)]
pub enum Listing {
    /// What there is in all namespaces.
    Everywhere(Vec<Value>),
    /// What there is in one namespace, and why no other could be read.
    OneNamespace(Vec<Value>, ApiError),
}

/// The collection a LIST reads, for error messages.
pub(super) struct Collection<'a>(pub(super) Kind, pub(super) Option<&'a str>);

impl fmt::Display for Collection<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.resource())?;
        match self.1 {
            Some(namespace) => write!(formatter, " in namespace {namespace}"),
            None => formatter.write_str(" in all namespaces"),
        }
    }
}

impl Cluster {
    /// Reads one object.
    ///
    /// # Errors
    /// [`ApiError`], [`Failure::NotFound`] among them.
    pub async fn get(&self, object: &ObjectRef) -> Result<Value, ApiError> {
        let intent = Intent::new("get", object);
        let path = format!(
            "/namespaces/{}/{}/{}",
            encode(&object.namespace),
            object.kind.plural(),
            encode(&object.name)
        );
        let answer = self
            .send_versioned(object.kind, intent, |prefix| {
                request("GET", &format!("{prefix}{path}"))
            })
            .await?;
        Ok(answer.object)
    }

    /// Reads one object that need not exist.
    ///
    /// # Errors
    /// [`ApiError`], but not when the object does not exist.
    pub async fn find(&self, object: &ObjectRef) -> Result<Option<Value>, ApiError> {
        match self.get(object).await {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.failure.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads the objects of a kind in one namespace, or in all, that carry the labels.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn list(
        &self,
        kind: Kind,
        namespace: Option<&str>,
        selector: &Labels,
        freshness: Freshness,
    ) -> Result<Vec<Value>, ApiError> {
        let scope = namespace.map(|name| format!("/namespaces/{}", encode(name)));
        let mut query = Vec::new();
        if !selector.is_empty() {
            query.push(format!("labelSelector={}", encode(&selector_text(selector))));
        }
        if freshness == Freshness::Cached {
            query.push("resourceVersion=0".to_owned());
        }
        let (scope, query) = (scope.unwrap_or_default(), query.join("&"));
        let path = format!("{scope}/{}?{query}", kind.plural());
        let collection = Collection(kind, namespace);
        let intent = Intent::new("list", &collection).of(Extent::Lean);
        let answer = self
            .send_versioned(kind, intent, |prefix| request("GET", &format!("{prefix}{path}")))
            .await?;
        let mut list = answer.object;
        match list.pointer_mut("/items").map(Value::take) {
            Some(Value::Array(items)) => Ok(items),
            _ => Ok(Vec::new()),
        }
    }

    /// Reads the objects of a kind in all namespaces, or where that is forbidden in one.
    ///
    /// # Errors
    /// [`ApiError`] when not even that one may be read.
    pub async fn list_widely(&self, kind: Kind, namespace: &str) -> Result<Listing, ApiError> {
        match self.list(kind, None, &Labels::new(), Freshness::Latest).await {
            Ok(objects) => Ok(Listing::Everywhere(objects)),
            Err(error) if error.failure.is_forbidden() => {
                let (own, all) = (Some(namespace), Labels::new());
                let objects = self.list(kind, own, &all, Freshness::Latest).await?;
                Ok(Listing::OneNamespace(objects, error))
            }
            Err(error) => Err(error),
        }
    }

    /// Reads the subsets of all DestinationRules in a namespace.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn subsets(&self, namespace: &str) -> Result<Vec<Subset>, ApiError> {
        let rules = self
            .list(Kind::DestinationRule, Some(namespace), &Labels::new(), Freshness::Cached)
            .await?;
        Ok(rules.iter().flat_map(Subset::read_all).collect())
    }

    /// Reads the pods of a Service or Deployment.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn pods(&self, namespace: &str, selector: &Labels) -> Result<Vec<Pod>, ApiError> {
        let pods = self.list(Kind::Pod, Some(namespace), selector, Freshness::Cached).await?;
        Ok(pods.iter().map(Pod::read).collect())
    }

    /// Reads a Deployment.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn deployment(&self, object: &ObjectRef) -> Result<Deployment, ApiError> {
        Ok(Deployment::read(&self.get(object).await?))
    }
}

impl Listing {
    /// Returns the objects, and why they are not all.
    #[must_use]
    pub fn into_parts(self) -> (Vec<Value>, Option<ApiError>) {
        match self {
            Self::Everywhere(objects) => (objects, None),
            Self::OneNamespace(objects, error) => (objects, Some(error)),
        }
    }
}

impl ApiError {
    /// Returns the words for something that could not be read: `needs VERB RESOURCE`.
    #[must_use]
    pub fn need(&self) -> String {
        match &self.failure {
            Failure::Forbidden { .. } => format!("needs {} {}", self.verb, self.subject),
            failure => failure.to_string(),
        }
    }

    /// Returns the same, and whether a right is missing.
    #[must_use]
    pub fn unread(&self) -> Unread {
        let unread = if self.failure.is_forbidden() { Unread::Denied } else { Unread::Failed };
        unread(self.need())
    }
}
