//! What was read from the cluster, as plain data: only the fields the rules need.
//!
//! Everything is read leniently from JSON: a missing or misshapen field is an absent value, never an
//! error, because objects come from many servers and versions. Addresses are parsed, not copied.

use std::{collections::BTreeMap, net::IpAddr};

use jiff::Timestamp;
use serde_json::Value;

use super::{
    address::Host,
    object::{Kind, ObjectRef},
};

/// Labels or a selector: exact matches only, as Services and Istio use them.
pub type Labels = BTreeMap<String, String>;

/// Returns whether `labels` carry every pair of `selector`. An empty selector matches nothing, as in a Service.
#[must_use]
pub fn selects(selector: &Labels, labels: &Labels) -> bool {
    !selector.is_empty() && selector.iter().all(|(key, value)| labels.get(key) == Some(value))
}

/// Returns a selector as kubectl and the API write it: `app=web,version=v1`.
#[must_use]
pub fn selector_text(selector: &Labels) -> String {
    let pairs: Vec<_> = selector.iter().map(|(key, value)| format!("{key}={value}")).collect();
    pairs.join(",")
}

/// A Service, as far as gateways and destinations need it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
    /// `metadata.labels`.
    pub labels: Labels,
    /// `spec.selector`.
    pub selector: Labels,
    /// `spec.ports` that are TCP.
    pub ports: Vec<ServicePort>,
    /// Whether `spec.type` is `NodePort`.
    pub is_node_port: bool,
    /// Whether `spec.type` is `LoadBalancer` and `status.loadBalancer.ingress` is empty.
    pub is_pending: bool,
    /// `spec.clusterIPs`, without `None`.
    pub cluster_ips: Vec<Host>,
    /// `spec.externalIPs`.
    pub external_ips: Vec<Host>,
    /// `status.loadBalancer.ingress[]`: `hostname`, or `ip`.
    pub load_balancer: Vec<Host>,
}

/// One of `spec.ports` of a Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServicePort {
    /// `name`, empty when there is only one port without a name.
    pub name: String,
    /// `port`.
    pub port: u16,
    /// `targetPort`; the port itself when absent.
    pub target_port: TargetPort,
    /// `appProtocol`, empty when absent.
    pub app_protocol: String,
    /// `nodePort`, absent when none is allocated.
    pub node_port: Option<u16>,
}

/// Where a Service port leads in a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetPort {
    /// A port number.
    Number(u16),
    /// The name of a container port.
    Name(String),
}

/// A port a container declares: `spec.containers[].ports[]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerPort {
    /// `name`, possibly empty.
    pub name: String,
    /// `containerPort`.
    pub number: u16,
    /// `hostPort`, absent when the node does not open it.
    pub host_port: Option<u16>,
}

/// A pod, as far as gateways and versions need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
    /// `metadata.labels`.
    pub labels: Labels,
    /// `metadata.creationTimestamp`.
    pub created: Option<Timestamp>,
    /// Whether `metadata.deletionTimestamp` is set.
    pub terminating: bool,
    /// Whether the condition `Ready` is `True`.
    pub ready: bool,
    /// `status.hostIP`.
    pub host_ip: Option<IpAddr>,
    /// `spec.hostNetwork`: its ports are the node's.
    pub host_network: bool,
    /// `spec.containers[].ports`.
    pub ports: Vec<ContainerPort>,
    /// `spec.containers[].image`, without the sidecar `istio-proxy`.
    pub images: Vec<String>,
    /// Why a container waits, from `status.containerStatuses[].state.waiting`: reason and message.
    pub waiting: Option<(String, String)>,
}

impl Pod {
    /// Returns its address.
    #[must_use]
    pub fn object_ref(&self) -> ObjectRef {
        ObjectRef::new(Kind::Pod, &self.namespace, &self.name)
    }

    /// Returns whether the pod takes traffic: ready, and not being deleted.
    #[must_use]
    pub fn serves(&self) -> bool {
        self.ready && !self.terminating
    }
}

/// A Deployment, as far as a roll-out needs it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deployment {
    /// `metadata.name`.
    pub name: String,
    /// `spec.replicas`.
    pub replicas: u64,
    /// `spec.selector.matchLabels`.
    pub selector: Labels,
    /// Whether `status.observedGeneration` has caught up with `metadata.generation`.
    pub observed: bool,
    /// `status.updatedReplicas`.
    pub updated: u64,
    /// `status.availableReplicas`.
    pub available: u64,
    /// `status.replicas`.
    pub existing: u64,
}

impl Deployment {
    /// Returns whether every replica runs the present template and is available.
    #[must_use]
    pub fn is_rolled_out(&self) -> bool {
        self.observed
            && self.updated >= self.replicas
            && self.available >= self.replicas
            && self.existing <= self.updated
    }
}

/// One subset of a DestinationRule, or under the empty name the whole host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subset {
    /// Namespace of the rule.
    pub namespace: String,
    /// Whether only callers in that namespace have it: `exportTo`, or a `workloadSelector`.
    pub is_private: bool,
    /// The host the rule is for, as a full name (`reviews.shop.svc.cluster.local`), or `*.` and the
    /// end of one.
    pub host: String,
    /// `spec.subsets[].name`.
    pub name: String,
    /// `spec.subsets[].labels`.
    pub labels: Labels,
    /// Whether `trafficPolicy.loadBalancer.consistentHash` is set, of the subset or else of the host.
    pub is_sticky: bool,
}

impl Service {
    /// Reads a Service from its JSON.
    #[must_use]
    pub fn read(object: &Value) -> Self {
        Self {
            namespace: text(object, "/metadata/namespace"),
            name: text(object, "/metadata/name"),
            labels: labels(object, "/metadata/labels"),
            selector: labels(object, "/spec/selector"),
            ports: list(object, "/spec/ports").iter().filter_map(ServicePort::read).collect(),
            is_node_port: text(object, "/spec/type") == "NodePort",
            is_pending: text(object, "/spec/type") == "LoadBalancer"
                && list(object, "/status/loadBalancer/ingress").is_empty(),
            cluster_ips: hosts(object, "/spec/clusterIPs"),
            external_ips: hosts(object, "/spec/externalIPs"),
            load_balancer: list(object, "/status/loadBalancer/ingress")
                .iter()
                .filter_map(|ingress| {
                    // A load balancer that has a name keeps it when its addresses change.
                    let host = |field| ingress.pointer(field)?.as_str()?.parse().ok();
                    host("/hostname").or_else(|| host("/ip"))
                })
                .collect(),
        }
    }

    /// Returns the port called `name`.
    #[must_use]
    pub fn port(&self, name: &str) -> Option<&ServicePort> {
        self.ports.iter().find(|port| port.name == name)
    }
}

impl ServicePort {
    /// Returns whether its number or its `appProtocol` says plain HTTP, whatever its name is.
    #[must_use]
    pub fn is_plain_http(&self) -> bool {
        self.port == 80 || ["http", "kubernetes.io/h2c"].contains(&self.app_protocol.as_str())
    }

    /// Returns nothing for a port that is not TCP: HTTP/3 is announced over TCP first.
    fn read(port: &Value) -> Option<Self> {
        let is_tcp = ["", "TCP"].contains(&text(port, "/protocol").as_str());
        is_tcp.then_some(())?;
        Some(Self {
            name: text(port, "/name"),
            port: port_number(port, "/port")?,
            target_port: match port.pointer("/targetPort") {
                Some(Value::String(name)) => TargetPort::Name(name.clone()),
                _ => TargetPort::Number(
                    port_number(port, "/targetPort").or_else(|| port_number(port, "/port"))?,
                ),
            },
            app_protocol: text(port, "/appProtocol"),
            node_port: port_number(port, "/nodePort"),
        })
    }
}

impl Pod {
    /// Reads a pod from its JSON.
    #[must_use]
    pub fn read(object: &Value) -> Self {
        Self {
            namespace: text(object, "/metadata/namespace"),
            name: text(object, "/metadata/name"),
            labels: labels(object, "/metadata/labels"),
            created: timestamp(object, "/metadata/creationTimestamp"),
            terminating: object.pointer("/metadata/deletionTimestamp").is_some(),
            ready: list(object, "/status/conditions")
                .iter()
                .any(|condition| condition["type"] == "Ready" && condition["status"] == "True"),
            host_ip: object.pointer("/status/hostIP").and_then(Value::as_str).and_then(parse_ip),
            host_network: object.pointer("/spec/hostNetwork") == Some(&Value::Bool(true)),
            ports: list(object, "/spec/containers")
                .iter()
                .flat_map(|container| list(container, "/ports"))
                .filter_map(ContainerPort::read)
                .collect(),
            images: list(object, "/spec/containers")
                .iter()
                .filter(|container| container["name"] != "istio-proxy")
                .map(|container| text(container, "/image"))
                .collect(),
            waiting: list(object, "/status/containerStatuses").iter().find_map(waiting),
        }
    }
}

impl ContainerPort {
    fn read(port: &Value) -> Option<Self> {
        Some(Self {
            name: text(port, "/name"),
            number: port_number(port, "/containerPort")?,
            host_port: port_number(port, "/hostPort"),
        })
    }
}

impl Deployment {
    /// Reads a Deployment from its JSON.
    #[must_use]
    pub fn read(object: &Value) -> Self {
        let count = |pointer| object.pointer(pointer).and_then(Value::as_u64).unwrap_or(0);
        Self {
            name: text(object, "/metadata/name"),
            replicas: object.pointer("/spec/replicas").and_then(Value::as_u64).unwrap_or(1),
            selector: labels(object, "/spec/selector/matchLabels"),
            observed: count("/status/observedGeneration") >= count("/metadata/generation"),
            updated: count("/status/updatedReplicas"),
            available: count("/status/availableReplicas"),
            existing: count("/status/replicas"),
        }
    }
}

impl Subset {
    /// Reads the subsets of a DestinationRule from its JSON, and the host itself.
    #[must_use]
    pub fn read_all(rule: &Value) -> Vec<Self> {
        const STICKY: &str = "/trafficPolicy/loadBalancer/consistentHash";
        let is_sticky = rule.pointer("/spec").is_some_and(|spec| spec.pointer(STICKY).is_some());
        let namespace = text(rule, "/metadata/namespace");
        let export_to = list(rule, "/spec/exportTo");
        let is_own = |to: &Value| *to == "." || *to == namespace.as_str();
        let whole = Self {
            is_private: rule.pointer("/spec/workloadSelector").is_some()
                || (!export_to.is_empty() && export_to.iter().all(is_own)),
            host: full_host(&text(rule, "/spec/host"), &namespace),
            namespace,
            is_sticky,
            ..Self::default()
        };
        let subsets: Vec<_> = list(rule, "/spec/subsets")
            .iter()
            .map(|subset| Self {
                name: text(subset, "/name"),
                labels: labels(subset, "/labels"),
                is_sticky: is_sticky || subset.pointer(STICKY).is_some(),
                ..whole.clone()
            })
            .collect();
        std::iter::once(whole).chain(subsets).collect()
    }
}

/// Returns the full name of a host as Istio resolves it: a name without dots lives in `namespace`.
#[must_use]
pub fn full_host(host: &str, namespace: &str) -> String {
    if host.contains('.') || host.is_empty() || host == "*" {
        return host.to_owned();
    }
    format!("{host}.{namespace}.svc.cluster.local")
}

/// Returns the name and namespace of the Service that a full host names, if it names one.
#[must_use]
pub fn service_of_host(host: &str) -> Option<(&str, &str)> {
    let (name, rest) = host.split_once('.')?;
    let (namespace, domain) = rest.split_once('.')?;
    (domain == "svc" || domain.starts_with("svc.")).then_some((name, namespace))
}

/// Returns whether two full hosts are the same: by name, or as one Service, whatever the cluster's own
/// DNS domain is.
#[must_use]
pub fn is_same_host(one: &str, other: &str) -> bool {
    let service = service_of_host(one);
    one == other || (service.is_some() && service == service_of_host(other))
}

/// Returns how closely the host of a rule fits a full host; nothing when it is for others. Closest is
/// the host itself, then the longest wildcard (istio/istio, pilot/pkg/model: `MostSpecificHostMatch`).
#[must_use]
pub fn host_fit(rule: &str, host: &str) -> Option<usize> {
    if is_same_host(rule, host) {
        return Some(usize::MAX);
    }
    let end = rule.strip_prefix('*')?;
    // Of a Service, what follows `svc` is the cluster's own domain.
    let before_domain = |name: &str| name.find(".svc.").map(|at| at + ".svc".len());
    let (end, host) = match (before_domain(end), before_domain(host)) {
        (Some(in_end), Some(in_host)) => (&end[..in_end], &host[..in_host]),
        _ => (end, host),
    };
    host.ends_with(end).then_some(end.len())
}

/// Returns the string at a JSON pointer, empty when it is absent or not a string.
#[must_use]
pub fn text(object: &Value, pointer: &str) -> String {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Returns the list at a JSON pointer, empty when it is absent or not a list.
#[must_use]
pub fn list<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    object.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Returns the string map at a JSON pointer; values that are not strings are left out.
#[must_use]
pub fn labels(object: &Value, pointer: &str) -> Labels {
    let Some(Value::Object(map)) = object.pointer(pointer) else { return Labels::new() };
    map.iter().filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

fn hosts(object: &Value, pointer: &str) -> Vec<Host> {
    let texts = list(object, pointer).iter().filter_map(Value::as_str);
    texts.filter_map(|text| text.parse().ok()).collect()
}

/// Returns the port number at a JSON pointer.
#[must_use]
pub fn port_number(object: &Value, pointer: &str) -> Option<u16> {
    let number = object.pointer(pointer)?.as_u64()?;
    u16::try_from(number).ok().filter(|port| *port != 0)
}

fn timestamp(object: &Value, pointer: &str) -> Option<Timestamp> {
    object.pointer(pointer)?.as_str()?.parse().ok()
}

/// Parses an address; `0.0.0.0` and `::` name no host.
fn parse_ip(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>().ok().filter(|address| !address.is_unspecified())
}

fn waiting(status: &Value) -> Option<(String, String)> {
    let state = status.pointer("/state/waiting")?;
    Some((text(state, "/reason"), text(state, "/message")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_pod_is_read_from_what_the_api_server_sends() {
        let pod = Pod::read(&json!({
            "metadata": {"name": "gw-1", "labels": {"istio": "ingressgateway"},
                         "creationTimestamp": "2026-11-23T10:00:00Z"},
            "spec": {"containers": [{"name": "istio-proxy", "image": "p"}, {"name": "a", "image": "node"}]},
            "status": {"hostIP": "127.1.0.2", "conditions": [{"type": "Ready", "status": "True"}]},
        }));
        assert!(pod.serves());
        assert_eq!(pod.host_ip, Some([127, 1, 0, 2].into()));
        assert_eq!(pod.images, ["node"]);
    }

    #[test]
    fn misshapen_objects_are_read_as_absent_values() {
        for object in [
            json!(null),
            json!([]),
            json!({"metadata": 1, "spec": {"ports": [1, {"port": 70000}]}}),
        ] {
            assert!(Service::read(&object).ports.is_empty());
            assert!(!Pod::read(&object).serves());
            assert!(!Deployment::read(&object).is_rolled_out());
            assert!(Subset::read_all(&object).iter().all(|subset| subset.labels.is_empty()));
        }
        assert_eq!(Pod::read(&json!({"status": {"hostIP": "evil.example"}})).host_ip, None);
    }

    #[test]
    fn short_hosts_belong_to_the_namespace_of_the_object() {
        assert_eq!(full_host("reviews", "shop"), "reviews.shop.svc.cluster.local");
        assert_eq!(full_host("reviews.other", "shop"), "reviews.other");
        assert_eq!(service_of_host("reviews.shop.svc.cluster.local"), Some(("reviews", "shop")));
        assert_eq!(service_of_host("example.com"), None);
    }

    #[test]
    fn a_rule_fits_its_host_and_those_below_its_wildcard_in_any_cluster_domain() {
        let host = "reviews.shop.svc.cluster.local";
        let fit = |rule: &str| host_fit(rule, host);
        for rule in [host, "reviews.shop.svc.corp.local", "reviews.shop.svc"] {
            assert_eq!(fit(rule), Some(usize::MAX), "{rule}");
        }
        let wildcards = ["*.shop.svc.corp.local", "*.svc.corp.local", "*"];
        let fits: Vec<_> = wildcards.iter().map(|rule| fit(rule).unwrap()).collect();
        assert!(fits.is_sorted_by(|closer, other| closer > other), "{fits:?}");
        for rule in ["details.shop.svc.cluster.local", "*.other.svc.cluster.local", "*.com", ""] {
            assert_eq!(fit(rule), None, "{rule}");
        }
        assert_eq!(host_fit("*.example.com", "a.example.com"), Some(".example.com".len()));
        assert_eq!(host_fit("*.example.com", "example.com"), None);
    }

    #[test]
    fn a_rule_that_is_not_exported_is_private() {
        let is_private = |spec: Value| {
            let rule = json!({"metadata": {"namespace": "shop"}, "spec": spec});
            Subset::read_all(&rule).iter().all(|subset| subset.is_private)
        };
        for spec in [
            json!({"exportTo": ["."]}),
            json!({"exportTo": ["shop"]}),
            json!({"workloadSelector": {}}),
        ] {
            assert!(is_private(spec.clone()), "{spec}");
        }
        for spec in [json!({}), json!({"exportTo": ["*"]}), json!({"exportTo": [".", "edge"]})] {
            assert!(!is_private(spec.clone()), "{spec}");
        }
    }

    #[test]
    fn an_empty_selector_selects_nothing() {
        let labels = Labels::from([("a".to_owned(), "1".to_owned())]);
        assert!(selects(&labels, &labels));
        assert!(!selects(&Labels::new(), &labels));
    }
}
