//! Reads what stands behind the destinations of a route: DestinationRules, Services, pods.

use futures_util::future::join_all;

use super::{ApiError, Cluster};
use crate::domain::{
    backends::{Backends, ROOT_NAMESPACE, Reading, services_of},
    gateway::INSTALLATIONS,
    object::ObjectRef,
    route::Route,
    snapshot::{Service, Subset},
};

/// Whether the DestinationRules of a namespace have to be read.
#[derive(Clone, Copy, PartialEq)]
enum Wanted {
    Always,
    /// Where a subset is in none so far.
    ForTheRest,
    /// The same, but a gateway only might be there.
    IfReadable,
}

impl Cluster {
    /// Reads the subsets of DestinationRules outside `namespace` that destinations of these routes can
    /// refer to, `known` being those inside. Istio looks in the caller's namespace, that of the Service
    /// and the root one. So those of the Services are read and, while a subset is in none, the root's,
    /// those of `gateways` and where gateways usually are.
    ///
    /// The second result says why not all could be read.
    pub async fn missing_subsets(
        &self,
        routes: &[Route],
        known: &[Subset],
        namespace: &str,
        gateways: &[ObjectRef],
    ) -> (Vec<Subset>, Option<ApiError>) {
        let destinations = routes.iter().flat_map(|route| &route.destinations);
        let destinations: Vec<_> = destinations.filter(|each| !each.subset.is_empty()).collect();
        let mut read = vec![namespace.to_owned()];
        let (mut found, mut first_error) = (known.to_vec(), None);
        let services = services_of(destinations.iter().copied());
        let needed = services.into_iter().map(|service| (service.namespace, Wanted::Always));
        let others = std::iter::once(ROOT_NAMESPACE.to_owned())
            .chain(gateways.iter().map(|gateway| gateway.namespace.clone()))
            .map(|namespace| (namespace, Wanted::ForTheRest));
        let usual = INSTALLATIONS.map(|each| (each.namespace.to_owned(), Wanted::IfReadable));
        for (namespace, wanted) in needed.chain(others).chain(usual) {
            let is_missing = || destinations.iter().any(|each| each.find_subset(&found).is_none());
            if read.contains(&namespace) || !(wanted == Wanted::Always || is_missing()) {
                continue;
            }
            match self.subsets(&namespace).await {
                Ok(subsets) => found.extend(subsets),
                Err(_) if wanted == Wanted::IfReadable => {}
                Err(error) => first_error = first_error.or(Some(error)),
            }
            read.push(namespace);
        }
        found.drain(..known.len());
        (found, first_error)
    }

    /// Reads the Services that destinations of these routes name, and their pods. What cannot be read
    /// is said in the result.
    pub async fn backends<'a>(&self, routes: impl Iterator<Item = &'a Route>) -> Backends {
        let destinations = routes.flat_map(|route| &route.destinations);
        let reading = services_of(destinations).into_iter().map(|service| self.backend(service));
        Backends { services: join_all(reading).await, ..Backends::default() }
    }

    async fn backend(&self, object: ObjectRef) -> (ObjectRef, Reading) {
        let service = match self.find(&object).await {
            Ok(Some(service)) => Service::read(&service),
            Ok(None) => return (object, Reading::Absent),
            Err(error) => return (object, Reading::Unread(error.unread())),
        };
        if service.selector.is_empty() {
            return (object, Reading::Found(Box::new(service), vec![]));
        }
        let reading = match self.pods(&object.namespace, &service.selector).await {
            Ok(pods) => Reading::Found(Box::new(service), pods),
            Err(error) => Reading::Unread(error.unread()),
        };
        (object, reading)
    }
}
