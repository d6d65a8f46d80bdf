//! A VirtualService as it was read: its JSON, and what the rules ask of it.

use serde_json::Value;

use super::{
    object::{Kind, ObjectRef},
    route::{Protocol, Route},
    snapshot::{list, text},
};

/// The name of the tutorial's VirtualService.
pub const TUTORIAL_VIRTUAL_SERVICE: &str = "kubia-vs";

/// The name in `spec.gateways` that means the sidecars of all callers.
pub const MESH: &str = "mesh";

/// A VirtualService as the API server sent it.
#[derive(Clone, Debug, PartialEq)]
pub struct VirtualService {
    /// Its address.
    pub object: ObjectRef,
    /// The whole object.
    pub json: Value,
}

/// Returns `spec` of a VirtualService without weights: which requests are divided, and where.
#[must_use]
pub fn spec_without_weights(virtual_service: &Value) -> Value {
    let mut spec = virtual_service["spec"].clone();
    let fields = Protocol::ALL.map(Protocol::field);
    let routes = spec.as_object_mut().into_iter().flatten();
    let routes = routes.filter(|(field, _)| fields.contains(&field.as_str()));
    let routes = routes.filter_map(|(_, routes)| routes.as_array_mut()).flatten();
    let routes = routes.filter_map(|route| route.get_mut("route")?.as_array_mut());
    for destination in routes.flatten().filter_map(Value::as_object_mut) {
        destination.remove("weight");
    }
    spec
}

impl VirtualService {
    /// Reads a VirtualService from an answer of the API server.
    #[must_use]
    pub fn new(json: Value) -> Self {
        let (namespace, name) = (text(&json, "/metadata/namespace"), text(&json, "/metadata/name"));
        Self { object: ObjectRef::new(Kind::VirtualService, &namespace, &name), json }
    }

    /// Returns the routes that lead to destinations, in order.
    #[must_use]
    pub fn routes(&self) -> Vec<Route> {
        Route::read_all(&self.json)
    }

    /// Returns `spec.hosts`.
    #[must_use]
    pub fn hosts(&self) -> Vec<String> {
        let hosts = list(&self.json, "/spec/hosts").iter().filter_map(Value::as_str);
        hosts.map(str::to_owned).collect()
    }

    /// Returns the Gateways it is bound to, each once.
    #[must_use]
    pub fn gateways(&self) -> Vec<ObjectRef> {
        let mut gateways = Vec::new();
        for name in self.bindings().filter(|name| *name != MESH) {
            let gateway = self.gateway_ref(name);
            if !gateways.contains(&gateway) {
                gateways.push(gateway);
            }
        }
        gateways
    }

    /// Returns whether it applies to the sidecars of all callers: where `mesh` is named, or nothing.
    #[must_use]
    pub fn is_for_mesh(&self) -> bool {
        let mut bindings = self.bindings().peekable();
        !self.is_delegate() && (bindings.peek().is_none() || bindings.any(|name| name == MESH))
    }

    /// Returns whether it only holds routes that other VirtualServices delegate to.
    #[must_use]
    pub fn is_delegate(&self) -> bool {
        self.hosts().is_empty()
    }

    /// Returns the VirtualServices that its HTTP routes delegate to, each once. It cannot be its own:
    /// Istio leaves out such a route, as it does where the delegate does not exist.
    #[must_use]
    pub fn delegates(&self) -> Vec<ObjectRef> {
        let mut delegates = Vec::new();
        for route in list(&self.json, "/spec/http") {
            if let Some(delegate) = self.delegate_of(route)
                && delegate != self.object
                && !delegates.contains(&delegate)
            {
                delegates.push(delegate);
            }
        }
        delegates
    }

    /// Returns the VirtualService that one of its HTTP routes delegates to.
    #[must_use]
    pub fn delegate_of(&self, route: &Value) -> Option<ObjectRef> {
        let name = route.pointer("/delegate/name")?.as_str()?;
        let namespace = match text(route, "/delegate/namespace") {
            none if none.is_empty() => self.object.namespace.clone(),
            namespace => namespace,
        };
        Some(ObjectRef::new(Kind::VirtualService, &namespace, name))
    }

    /// Returns a Gateway as this object names it: `name`, or `namespace/name`.
    #[must_use]
    pub fn gateway_ref(&self, name: &str) -> ObjectRef {
        let (namespace, name) = name.split_once('/').unwrap_or((&self.object.namespace, name));
        ObjectRef::new(Kind::Gateway, namespace, name)
    }

    fn bindings(&self) -> impl Iterator<Item = &str> {
        list(&self.json, "/spec/gateways").iter().filter_map(Value::as_str)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(spec: &Value) -> VirtualService {
        let metadata = json!({"namespace": "shop", "name": "reviews"});
        VirtualService::new(json!({"metadata": metadata, "spec": spec}))
    }

    #[test]
    fn without_gateways_it_is_for_the_mesh() {
        let bound = |spec: Value| {
            let read = read(&spec);
            (read.gateways().len(), read.is_for_mesh())
        };
        assert_eq!(bound(json!({"hosts": ["a"]})), (0, true));
        assert_eq!(
            bound(json!({"hosts": ["a"], "gateways": ["mesh", "gw", "shop/gw"]})),
            (1, true)
        );
        assert_eq!(bound(json!({"hosts": ["a"], "gateways": ["infra/gw"]})), (1, false));
        assert_eq!(bound(json!({})), (0, false));
    }

    #[test]
    fn gateways_are_in_its_namespace_unless_it_names_another() {
        let read = read(&json!({"gateways": ["gw", "infra/gw", "mesh", "shop/gw"]}));
        let gateways: Vec<_> = read.gateways().iter().map(ToString::to_string).collect();
        assert_eq!(gateways, ["gateway/gw in namespace shop", "gateway/gw in namespace infra"]);
    }

    #[test]
    fn a_delegate_has_no_hosts() {
        assert!(read(&json!({"http": []})).is_delegate());
        assert!(!read(&json!({"hosts": ["a"]})).is_delegate());
        assert_eq!(read(&json!({"hosts": ["a", 7, "*"]})).hosts(), ["a", "*"]);
    }

    #[test]
    fn what_is_no_virtual_service_has_nothing() {
        for json in [json!(null), json!([]), json!({"spec": {"gateways": "mesh", "http": [7]}})] {
            let read = VirtualService::new(json);
            assert_eq!(
                (read.routes(), read.gateways(), read.delegates()),
                (vec![], vec![], vec![])
            );
        }
    }

    #[test]
    fn delegates_are_others_named_once_that_live_here_unless_it_says_otherwise() {
        let to = |delegate: Value| json!({"delegate": delegate});
        let read = read(&json!({"hosts": ["a"], "http": [
            to(json!({"name": "one"})), to(json!({"name": "one"})),
            to(json!({"name": "two", "namespace": "other"})), {"route": []},
            to(json!({"name": "reviews"})),
        ]}));
        let delegates: Vec<_> = read.delegates().iter().map(ToString::to_string).collect();
        assert_eq!(
            delegates,
            ["virtualservice/one in namespace shop", "virtualservice/two in namespace other"]
        );
    }
}
