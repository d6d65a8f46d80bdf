//! How objects are addressed: kinds, API groups, and references as kubectl writes them.

use std::fmt;

/// API group of Istio's networking kinds.
pub const ISTIO_GROUP: &str = "networking.istio.io";

/// API versions of Istio's networking kinds that this program understands, best first.
pub const ISTIO_VERSIONS: [&str; 3] = ["v1", "v1beta1", "v1alpha3"];

/// A kind this program reads or writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// `v1` Service.
    Service,
    /// `v1` Pod.
    Pod,
    /// `v1` Node.
    Node,
    /// `apps/v1` Deployment.
    Deployment,
    /// `networking.istio.io` Gateway.
    Gateway,
    /// `gateway.networking.k8s.io/v1` Gateway.
    KubernetesGateway,
    /// `networking.istio.io` VirtualService.
    VirtualService,
    /// `networking.istio.io` DestinationRule.
    DestinationRule,
}

impl Kind {
    /// Returns the API group, empty for the core group.
    #[must_use]
    pub const fn group(self) -> &'static str {
        match self {
            Self::Service | Self::Pod | Self::Node => "",
            Self::Deployment => "apps",
            Self::KubernetesGateway => "gateway.networking.k8s.io",
            Self::Gateway | Self::VirtualService | Self::DestinationRule => ISTIO_GROUP,
        }
    }

    /// Returns the name used in URLs and RBAC rules, such as `virtualservices`.
    #[must_use]
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Service => "services",
            Self::Pod => "pods",
            Self::Node => "nodes",
            Self::Deployment => "deployments",
            Self::Gateway | Self::KubernetesGateway => "gateways",
            Self::VirtualService => "virtualservices",
            Self::DestinationRule => "destinationrules",
        }
    }

    /// Returns the name kubectl accepts before a slash, such as `virtualservice`.
    #[must_use]
    pub const fn singular(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Pod => "pod",
            Self::Node => "node",
            Self::Deployment => "deployment",
            Self::Gateway | Self::KubernetesGateway => "gateway",
            Self::VirtualService => "virtualservice",
            Self::DestinationRule => "destinationrule",
        }
    }

    /// Returns the kind a manifest of `deploy` names in its field `kind`.
    #[must_use]
    pub fn from_manifest(kind: &str) -> Option<Self> {
        let all = [
            Self::Service,
            Self::Pod,
            Self::Deployment,
            Self::Gateway,
            Self::VirtualService,
            Self::DestinationRule,
        ];
        all.into_iter().find(|each| each.singular() == kind.to_ascii_lowercase())
    }

    /// Returns whether Istio defines the kind, so that its API version has to be discovered.
    #[must_use]
    pub fn is_istio(self) -> bool {
        self.group() == ISTIO_GROUP
    }

    /// Returns the resource as RBAC and error messages name it, such as `virtualservices.networking.istio.io`.
    #[must_use]
    pub fn resource(self) -> String {
        match self.group() {
            "" => self.plural().to_owned(),
            group => format!("{}.{group}", self.plural()),
        }
    }
}

/// The address of one object: its kind, namespace and name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectRef {
    /// What it is.
    pub kind: Kind,
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
}

impl ObjectRef {
    /// Returns the address of the object of `kind` called `name` in `namespace`.
    #[must_use]
    pub fn new(kind: Kind, namespace: &str, name: &str) -> Self {
        Self { kind, namespace: namespace.to_owned(), name: name.to_owned() }
    }

    /// Returns the form of kubectl's mutation lines: `virtualservice.networking.istio.io/kubia-vs`.
    #[must_use]
    pub fn qualified(&self) -> String {
        match self.kind.group() {
            "" => format!("{}/{}", self.kind.singular(), self.name),
            group => format!("{}.{group}/{}", self.kind.singular(), self.name),
        }
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{} in namespace {}", self.kind.singular(), self.name, self.namespace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_named_as_in_kubectl() {
        let object = ObjectRef::new(Kind::VirtualService, "shop", "reviews");
        assert_eq!(object.to_string(), "virtualservice/reviews in namespace shop");
        assert_eq!(object.qualified(), "virtualservice.networking.istio.io/reviews");
        assert_eq!(ObjectRef::new(Kind::Service, "shop", "reviews").qualified(), "service/reviews");
    }

    #[test]
    fn kinds_are_found_by_their_manifest_name() {
        assert_eq!(Kind::from_manifest("DestinationRule"), Some(Kind::DestinationRule));
        assert_eq!(Kind::from_manifest("ConfigMap"), None);
    }
}
