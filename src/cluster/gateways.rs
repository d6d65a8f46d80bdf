//! Finds ingress gateways: by where they usually are, by Service, by selector, or by a Gateway's name.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use serde_json::Value;

use super::{ApiError, Cluster, Failure, Freshness};
use crate::domain::{
    address::Host,
    gateway::{INSTALLATIONS, IngressGateway},
    named_gateway::{GatewayApi, NamedGateway},
    object::{Kind, ObjectRef},
    snapshot::{Labels, Pod, Service, full_host, labels, list, selects, service_of_host},
};

/// Label of what Istio makes for a Gateway of the Gateway API.
const GATEWAY_NAME: &str = "gateway.networking.k8s.io/gateway-name";

/// Which ingress gateway is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GatewayChoice {
    /// The first of the usual installations, else what looks like one.
    Usual,
    /// The Service of this name.
    Service(ObjectRef),
    /// The Services of the pods with these labels, in this namespace or in all.
    Selector(Option<String>, Labels),
}

/// Gateways that were found, and what could not be looked at.
#[derive(Debug, Default)]
pub struct Found {
    /// The gateways, best first.
    pub gateways: Vec<IngressGateway>,
    /// Namespaces where gateways were looked for in vain.
    pub looked_in: Vec<String>,
    /// Requests that were forbidden.
    pub forbidden: Vec<ApiError>,
}

impl Found {
    /// Returns where else was looked in vain, and what was not allowed, to end a sentence with.
    #[must_use]
    pub fn also(&self) -> String {
        let mut also = String::new();
        if !self.looked_in.is_empty() {
            also = format!(", and no Service of a gateway in {}", self.looked_in.join(", "));
        }
        let needs: Vec<_> = self.forbidden.iter().map(ApiError::need).collect();
        if needs.is_empty() { also } else { format!("{also}; not checked: {}", needs.join(", ")) }
    }

    fn just(gateway: IngressGateway) -> Self {
        Self { gateways: vec![gateway], ..Self::default() }
    }

    /// Keeps the objects of a LIST, or notes that it was forbidden; other errors are returned.
    fn keep<T>(&mut self, listed: Result<Vec<T>, ApiError>) -> Result<Vec<T>, ApiError> {
        match listed {
            Err(error) if error.failure.is_forbidden() => {
                self.forbidden.push(error);
                Ok(Vec::new())
            }
            listed => listed,
        }
    }
}

impl Cluster {
    /// Finds the ingress gateways that a choice means.
    ///
    /// # Errors
    /// [`ApiError`], also when a Service that was named does not exist.
    pub async fn find_gateways(&self, choice: &GatewayChoice) -> Result<Found, ApiError> {
        match choice {
            GatewayChoice::Service(service) => Ok(Found::just(self.gateway_at(service).await?)),
            GatewayChoice::Selector(None, selector) => {
                Box::pin(self.pods_behind(selector, &self.namespace)).await
            }
            GatewayChoice::Selector(Some(namespace), selector) => {
                let mut found = Found::default();
                let pods = self.pods(namespace, selector).await?;
                found.gateways = self.services_of(pods, &mut found).await?;
                Ok(found)
            }
            GatewayChoice::Usual => {
                let [first, ..] = INSTALLATIONS;
                match self.gateway_at(&first.service_ref()).await {
                    Err(error) if error.failure.is_not_found() => self.discover_gateways().await,
                    gateway => Ok(Found::just(gateway?)),
                }
            }
        }
    }

    /// Reads a Service and its pods, which saves a round trip where its name is a usual one: then
    /// the label of its pods is known, and both are asked for at once.
    async fn gateway_at(&self, service: &ObjectRef) -> Result<IngressGateway, ApiError> {
        let usual = INSTALLATIONS.iter().find(|each| each.service == service.name);
        let Some(usual) = usual else {
            return self.with_pods(Service::read(&self.get(service).await?)).await;
        };
        let label = Labels::from([("istio".to_owned(), usual.istio_label.to_owned())]);
        let (service, pods) =
            tokio::join!(self.get(service), self.pods(&service.namespace, &label));
        let service = Service::read(&service?);
        if !selects(&label, &service.selector) {
            return self.with_pods(service).await;
        }
        // Other gateways may carry the same label.
        let mut pods = pods?;
        pods.retain(|pod| selects(&service.selector, &pod.labels));
        Ok(IngressGateway::new(service, pods))
    }

    /// Looks for Services that the charts' labels mark as gateways: in the usual namespaces and our
    /// own, and only when there is none in all that may be read.
    async fn discover_gateways(&self) -> Result<Found, ApiError> {
        let mut namespaces = INSTALLATIONS.map(|each| each.namespace.to_owned()).to_vec();
        namespaces.push(self.namespace.clone());
        namespaces.dedup();
        let mut found = Found { looked_in: namespaces.clone(), ..Found::default() };
        let all = Labels::new();
        let listing = namespaces
            .iter()
            .map(|namespace| self.list(Kind::Service, Some(namespace), &all, Freshness::Cached));
        let mut services = Vec::new();
        for listed in join_all(listing).await {
            services.extend(found.keep(listed)?);
        }
        let mut services = gateway_services(&services, &namespaces);
        if services.is_empty() {
            found.looked_in.push("all namespaces".to_owned());
            let listed = self.list(Kind::Service, None, &all, Freshness::Cached).await;
            services = gateway_services(&found.keep(listed)?, &namespaces);
        }
        for gateway in join_all(services.into_iter().map(|service| self.with_pods(service))).await {
            found.gateways.push(gateway?);
        }
        Ok(found)
    }

    /// Reads a Gateway by name, of either kind unless one is insisted on; Istio's own wins.
    ///
    /// # Errors
    /// [`ApiError`]; [`Failure::NotFound`] when there is none of either kind.
    pub async fn named_gateway(
        &self,
        namespace: &str,
        name: &str,
        api: Option<GatewayApi>,
    ) -> Result<(NamedGateway, Found), ApiError> {
        let istio = ObjectRef::new(Kind::Gateway, namespace, name);
        let kubernetes = ObjectRef::new(Kind::KubernetesGateway, namespace, name);
        let (istio, kubernetes) = tokio::join!(
            self.find_if(api != Some(GatewayApi::Kubernetes), &istio),
            self.find_if(api != Some(GatewayApi::Istio), &kubernetes)
        );
        if let Some(object) = istio? {
            let found = self.pods_behind(&labels(&object, "/spec/selector"), namespace).await?;
            return Ok((NamedGateway::read(GatewayApi::Istio, &object), found));
        }
        if let Some(object) = kubernetes? {
            let found = self.services_behind(&object, namespace, name).await?;
            return Ok((NamedGateway::read(GatewayApi::Kubernetes, &object), found));
        }
        let message = format!("there is no gateway {name:?} of either kind");
        let object = ObjectRef::new(Kind::Gateway, namespace, name);
        Err(ApiError::new("get", &object, Failure::NotFound { message }))
    }

    /// Finds the Services of the pods that run an Istio Gateway, when both have been read.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn gateways_of(&self, pods: Vec<Pod>) -> Result<Found, ApiError> {
        let mut found = Found::default();
        found.gateways = self.services_of(pods, &mut found).await?;
        Ok(found)
    }

    /// Reads an object whose kind the server may not have.
    async fn find_if(&self, wanted: bool, object: &ObjectRef) -> Result<Option<Value>, ApiError> {
        if !wanted {
            return Ok(None);
        }
        match self.find(object).await {
            Err(error) if matches!(error.failure, Failure::NotServed | Failure::NoIstio) => {
                Ok(None)
            }
            found => found,
        }
    }

    /// Finds the Services of the pods that an Istio Gateway selects, in whatever namespace they are.
    async fn pods_behind(&self, selector: &Labels, namespace: &str) -> Result<Found, ApiError> {
        if selector.is_empty() {
            return Box::pin(self.find_gateways(&GatewayChoice::Usual)).await;
        }
        let mut found = Found::default();
        let listed = self.list(Kind::Pod, None, selector, Freshness::Cached).await;
        let mut pods = found.keep(listed)?;
        if !found.forbidden.is_empty() {
            let mut namespaces = vec![namespace];
            namespaces.extend(INSTALLATIONS.map(|each| each.namespace));
            namespaces.dedup();
            let listing = namespaces
                .iter()
                .map(|each| self.list(Kind::Pod, Some(each), selector, Freshness::Cached));
            for listed in join_all(listing).await {
                pods.extend(found.keep(listed)?);
            }
        }
        let pods = pods.iter().map(Pod::read).collect();
        found.gateways = self.services_of(pods, &mut found).await?;
        Ok(found)
    }

    /// Finds the Services that select any of these pods.
    async fn services_of(
        &self,
        pods: Vec<Pod>,
        found: &mut Found,
    ) -> Result<Vec<IngressGateway>, ApiError> {
        let mut by_namespace: BTreeMap<String, Vec<Pod>> = BTreeMap::new();
        for pod in pods {
            by_namespace.entry(pod.namespace.clone()).or_default().push(pod);
        }
        let all = Labels::new();
        let listing = by_namespace
            .keys()
            .map(|each| self.list(Kind::Service, Some(each), &all, Freshness::Cached));
        let mut gateways = Vec::new();
        for (listed, pods) in join_all(listing).await.into_iter().zip(by_namespace.values()) {
            for service in found.keep(listed)?.iter().map(Service::read) {
                let own: Vec<_> = pods
                    .iter()
                    .filter(|pod| selects(&service.selector, &pod.labels))
                    .cloned()
                    .collect();
                if !own.is_empty() {
                    gateways.push(IngressGateway::new(service, own));
                }
            }
        }
        // Pods without a Service may hold ports of their nodes.
        if gateways.is_empty() && !by_namespace.is_empty() {
            let pods = by_namespace.into_values().flatten().collect();
            gateways.push(IngressGateway::new(Service::default(), pods));
        }
        Ok(gateways)
    }

    /// Finds the Services of a Gateway of the Gateway API: those Istio made for it, which carry its
    /// name as a label, else those its addresses name.
    async fn services_behind(
        &self,
        gateway: &Value,
        namespace: &str,
        name: &str,
    ) -> Result<Found, ApiError> {
        let mut found = Found::default();
        let label = Labels::from([(GATEWAY_NAME.to_owned(), name.to_owned())]);
        let listed = self.list(Kind::Service, Some(namespace), &label, Freshness::Cached).await;
        let mut services: Vec<_> = found.keep(listed)?.iter().map(Service::read).collect();
        if services.is_empty() {
            for object in named_services(gateway, namespace) {
                if let Some(service) = self.find(&object).await? {
                    services.push(Service::read(&service));
                }
            }
        }
        for service in services {
            found.gateways.push(self.with_pods(service).await?);
        }
        Ok(found)
    }

    async fn with_pods(&self, service: Service) -> Result<IngressGateway, ApiError> {
        if service.selector.is_empty() {
            return Ok(IngressGateway::new(service, Vec::new()));
        }
        let pods = self.pods(&service.namespace, &service.selector).await?;
        Ok(IngressGateway::new(service, pods))
    }
}

/// The Services that `spec.addresses` names, in the Gateway's own namespace: istiod accepts no other.
fn named_services(gateway: &Value, namespace: &str) -> Vec<ObjectRef> {
    let addresses = list(gateway, "/spec/addresses").iter();
    let hosts = addresses.filter_map(|address| address["value"].as_str()?.parse::<Host>().ok());
    let services = hosts.filter_map(|host| {
        let host = full_host(&host.to_string(), namespace);
        let (name, in_namespace) = service_of_host(&host)?;
        (in_namespace == namespace).then(|| ObjectRef::new(Kind::Service, namespace, name))
    });
    services.collect()
}

/// The Services among these that lead to an ingress gateway, best first: by namespace as looked in,
/// then by what marks them, then by name.
fn gateway_services(services: &[Value], namespaces: &[String]) -> Vec<Service> {
    let services = services.iter().map(Service::read);
    let mut ranked: Vec<_> =
        services.filter_map(|service| Some((rank(&service)?, service))).collect();
    ranked.sort_by_key(|(rank, service)| {
        let place = namespaces.iter().position(|namespace| *namespace == service.namespace);
        let place = place.unwrap_or(namespaces.len());
        (place, service.namespace.clone(), *rank, service.name.clone())
    });
    ranked.into_iter().map(|(_, service)| service).collect()
}

/// Whether what the charts and istiod set says that a Service leads to an ingress gateway, and how
/// plainly. One without a port for HTTP is none: an east-west gateway, or a waypoint.
fn rank(service: &Service) -> Option<usize> {
    let value = |key: &str| {
        let value = service.selector.get(key).or_else(|| service.labels.get(key));
        value.map_or("", String::as_str)
    };
    let marks = [
        value("istio") == "ingressgateway",
        value("istio") == "ingress",
        value("app") == "istio-ingressgateway",
        value("app.kubernetes.io/name").starts_with("istio-ingress"),
        // The `gateway` chart under a release name of its own.
        value("helm.sh/chart").starts_with("gateway-") && !value("istio").is_empty(),
        !value(GATEWAY_NAME).is_empty(),
    ];
    let gateway = IngressGateway::new(service.clone(), Vec::new());
    gateway.http_port().or_else(|| gateway.https_port())?;
    marks.iter().position(|mark| *mark)
}
