//! Ingress gateways as they are installed: the Service, its pods, and which port leads where.

use super::{
    object::{Kind, ObjectRef},
    snapshot::{Labels, Pod, Service, ServicePort, TargetPort},
};

/// Label of a Service whose ports istiod does not translate.
const NO_TRANSLATION: &str = "experimental.istio.io/disable-gateway-port-translation";

/// Where people install an ingress gateway: the Service and the label of its pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Installation {
    /// Namespace of the Service and its pods.
    pub namespace: &'static str,
    /// Name of the Service.
    pub service: &'static str,
    /// Value of the pods' label `istio`.
    pub istio_label: &'static str,
}

/// The installations that are looked for, in this order: that of istioctl and the tutorial, and
/// that of the `gateway` chart as Istio's documentation installs it.
pub const INSTALLATIONS: [Installation; 2] = [
    Installation {
        namespace: "istio-system",
        service: "istio-ingressgateway",
        istio_label: "ingressgateway",
    },
    Installation { namespace: "istio-ingress", service: "istio-ingress", istio_label: "ingress" },
];

impl Installation {
    /// Returns the address of its Service.
    #[must_use]
    pub fn service_ref(&self) -> ObjectRef {
        ObjectRef::new(Kind::Service, self.namespace, self.service)
    }
}

/// An ingress gateway as it was found: its Service and its pods.
#[derive(Clone, Debug, PartialEq)]
pub struct IngressGateway {
    /// The Service.
    pub service: Service,
    /// The pods it selects, ready or not, sorted by name.
    pub pods: Vec<Pod>,
}

impl IngressGateway {
    /// Returns a gateway of a Service and its pods, which are sorted by name.
    #[must_use]
    pub fn new(service: Service, mut pods: Vec<Pod>) -> Self {
        pods.sort_by(|one, other| one.name.cmp(&other.name));
        Self { service, pods }
    }

    /// Returns the address of the Service.
    #[must_use]
    pub fn service_ref(&self) -> ObjectRef {
        ObjectRef::new(Kind::Service, &self.service.namespace, &self.service.name)
    }

    /// Returns what a Gateway has to select: the label `istio` of the Service's selector, else all of it.
    #[must_use]
    pub fn gateway_selector(&self) -> Labels {
        match self.service.selector.get_key_value("istio") {
            Some((key, value)) => Labels::from([(key.clone(), value.clone())]),
            None => self.service.selector.clone(),
        }
    }

    /// Returns whether a Gateway with `selector` configures these pods.
    #[must_use]
    pub fn is_selected_by(&self, selector: &Labels) -> bool {
        let labels = self.pods.first().map_or(&self.service.selector, |pod| &pod.labels);
        // Unlike a Service, a Gateway without a selector applies to every gateway pod.
        selector.iter().all(|(key, value)| labels.get(key) == Some(value))
    }

    /// Returns the pods that take traffic.
    pub fn serving(&self) -> impl Iterator<Item = &Pod> {
        self.pods.iter().filter(|pod| pod.serves())
    }

    /// Returns the number of the port a Service port leads to; a named one is looked up in the pods.
    #[must_use]
    pub fn target_port(&self, port: &ServicePort) -> Option<u16> {
        match &port.target_port {
            TargetPort::Number(number) => Some(*number),
            TargetPort::Name(name) => {
                let mut ports = self.pods.iter().flat_map(|pod| &pod.ports);
                ports.find(|port| port.name == *name).map(|port| port.number)
            }
        }
    }

    /// Returns the port a gateway pod listens on for a server with this port number, and the Service
    /// port that leads there.
    ///
    /// istiod matches the number against the Service's `port` first and then binds its `targetPort`;
    /// otherwise, and where a label turns this translation off, it binds the number itself, which
    /// only answers where some `targetPort` equals it (istio/istio, pilot/pkg/model/gateway.go,
    /// resolvePorts).
    #[must_use]
    pub fn listener_port(&self, number: u16) -> (u16, Option<&ServicePort>) {
        let translates = !self.service.labels.contains_key(NO_TRANSLATION);
        if let Some(port) = self.service_port(number)
            && translates
        {
            return (self.target_port(port).unwrap_or(number), Some(port));
        }
        let mut ports = self.service.ports.iter();
        (number, ports.find(|port| self.target_port(port) == Some(number)))
    }

    /// Returns the Service port of this number.
    #[must_use]
    pub fn service_port(&self, number: u16) -> Option<&ServicePort> {
        self.service.ports.iter().find(|port| port.port == number)
    }

    /// Returns the Service port for plain HTTP: `http2` as Istio's charts name it, `http`, port 80,
    /// or one that says so in `appProtocol`.
    #[must_use]
    pub fn http_port(&self) -> Option<&ServicePort> {
        let ports = &self.service.ports;
        let named = |name: &str| ports.iter().find(|port| port.name == name);
        named("http2")
            .or_else(|| named("http"))
            .or_else(|| ports.iter().find(|port| port.is_plain_http()))
    }

    /// Returns the Service port for TLS: `https`, port 443, or one that says so in `appProtocol`.
    #[must_use]
    pub fn https_port(&self) -> Option<&ServicePort> {
        let ports = &self.service.ports;
        let by_name = ports.iter().find(|port| port.name == "https");
        by_name
            .or_else(|| self.service_port(443))
            .or_else(|| ports.iter().find(|port| port.app_protocol == "https"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn gateway(ports: &serde_json::Value) -> IngressGateway {
        let service = Service::read(&json!({"spec": {"ports": ports}}));
        let pod =
            json!({"spec": {"containers": [{"ports": [{"name": "web", "containerPort": 8081}]}]}});
        IngressGateway::new(service, vec![Pod::read(&pod)])
    }

    #[test]
    fn a_server_port_leads_where_istiod_binds_it() {
        let gateway = gateway(&json!([
            {"name": "http2", "port": 80, "targetPort": 8080},
            {"name": "web", "port": 81, "targetPort": "web"},
        ]));
        let listener = |number| {
            let (listener, port) = gateway.listener_port(number);
            (listener, port.map(|port| port.port))
        };
        assert_eq!(listener(80), (8080, Some(80)));
        assert_eq!(listener(8080), (8080, Some(80)));
        assert_eq!(listener(8081), (8081, Some(81)));
        assert_eq!(listener(9000), (9000, None));
    }

    #[test]
    fn the_http_port_is_found_by_name_protocol_or_number() {
        let found = |ports| gateway(&ports).http_port().map(|port| port.port);
        assert_eq!(
            found(json!([{"name": "http", "port": 1}, {"name": "http2", "port": 2}])),
            Some(2)
        );
        assert_eq!(
            found(
                json!([{"name": "a", "port": 81}, {"name": "b", "port": 1, "appProtocol": "http"}])
            ),
            Some(1)
        );
        assert_eq!(
            found(json!([{"name": "https", "port": 443}, {"name": "web", "port": 80}])),
            Some(80)
        );
        assert_eq!(found(json!([{"name": "https", "port": 443}])), None);
    }
}
