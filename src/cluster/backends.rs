//! Reads what stands behind the destinations of a route: DestinationRules, Services, pods.

use futures_util::future::join_all;

use super::{ApiError, Cluster};
use crate::domain::{
    backends::{Backends, Reading, services_of},
    object::ObjectRef,
    route::Route,
    snapshot::{Service, Subset},
};

/// Namespace of the mesh's own rules, which apply where no other does (`rootNamespace`).
const ROOT_NAMESPACE: &str = "istio-system";

impl Cluster {
    /// Reads the subsets that destinations of these routes refer to and that are not among `known`,
    /// from where Istio looks for them: the namespace of the Service, then the root namespace.
    ///
    /// # Errors
    /// [`ApiError`] when one of these namespaces may not be read.
    pub async fn missing_subsets(
        &self,
        routes: &[Route],
        known: &[Subset],
        namespace: &str,
    ) -> Result<Vec<Subset>, ApiError> {
        let destinations = || routes.iter().flat_map(|route| &route.destinations);
        let mut found: Vec<Subset> = Vec::new();
        let is_missing = |found: &[Subset]| {
            destinations()
                .filter(|each| !each.subset.is_empty())
                .any(|each| each.find_subset(known).is_none() && each.find_subset(found).is_none())
        };
        let mut namespaces: Vec<_> =
            services_of(destinations()).into_iter().map(|service| service.namespace).collect();
        namespaces.push(ROOT_NAMESPACE.to_owned());
        namespaces.retain(|each| each != namespace);
        namespaces.dedup();
        for namespace in namespaces {
            if is_missing(&found) {
                found.extend(self.subsets(&namespace).await?);
            }
        }
        Ok(found)
    }

    /// Reads the Services that destinations of these routes name, and their pods. What cannot be read
    /// is said in the result.
    pub async fn backends<'a>(&self, routes: impl Iterator<Item = &'a Route>) -> Backends {
        let destinations = routes.flat_map(|route| &route.destinations);
        let reading = services_of(destinations).into_iter().map(|service| self.backend(service));
        Backends { services: join_all(reading).await, ..Backends::default() }
    }

    async fn backend(&self, object: ObjectRef) -> (ObjectRef, Reading) {
        let unread = |error: &ApiError| Reading::Unread(error.need());
        let service = match self.find(&object).await {
            Ok(Some(service)) => Service::read(&service),
            Ok(None) => return (object, Reading::Absent),
            Err(error) => return (object, unread(&error)),
        };
        if service.selector.is_empty() {
            return (object, Reading::Found(Box::new(service), vec![]));
        }
        let reading = match self.pods(&object.namespace, &service.selector).await {
            Ok(pods) => Reading::Found(Box::new(service), pods),
            Err(error) => unread(&error),
        };
        (object, reading)
    }
}
