//! The HTTP routes that istiod makes of a VirtualService and its delegates, one per match, in order.
//!
//! Envoy says of a route which VirtualService it comes from, not which of its routes: that is told by
//! the order. The rules are those of istiod: pilot/pkg/model/virtualservice.go merges delegates,
//! pilot/pkg/networking/core/route/route.go drops what does not apply and all behind a catch-all.

use serde_json::Value;

use super::{Target, conditions::Conditions};
use crate::domain::{
    object::{Kind, ObjectRef},
    route::{Protocol, Route, RouteId},
    snapshot::{Labels, labels, list, port_number, text},
    virtual_service::{MESH, VirtualService},
};

/// Those of a route without a match.
static NO_CONDITIONS: Conditions = Conditions::none();

/// An HTTP route as a root VirtualService serves it.
#[derive(Clone, Debug, PartialEq)]
pub struct MergedRoute {
    /// The object it stands in: the root, or a delegate.
    pub object: ObjectRef,
    /// The route, without destinations when it redirects or answers itself.
    pub route: Route,
    /// Its matches; none means every request.
    matches: Vec<Match>,
    /// Its name: that of the delegating route, then its own.
    name: String,
}

/// One of `match[]`, as far as it decides where the route is served.
#[derive(Clone, Debug, Default, PartialEq)]
struct Match {
    name: String,
    port: Option<u16>,
    gateways: Vec<ObjectRef>,
    source_labels: Labels,
    source_namespace: String,
    conditions: Conditions,
}

/// Where a route is served.
#[derive(Clone, Debug, PartialEq)]
pub struct Place<'a> {
    /// The Gateway.
    pub gateway: &'a ObjectRef,
    /// `port.number` of its server.
    pub port: u16,
    /// Labels of the gateway pod.
    pub labels: &'a Labels,
    /// Namespace of the gateway pod.
    pub namespace: &'a str,
}

/// A server: its Gateway, and `port.number`.
pub type GatewayPort<'a> = (&'a ObjectRef, u16);

/// One route of an Envoy, as istiod would make it.
#[derive(Clone, Debug, PartialEq)]
pub struct ServedRoute<'a> {
    /// Index of the merged route it comes from.
    pub source: usize,
    /// Its name in Envoy.
    pub name: String,
    /// Which requests it takes.
    pub conditions: &'a Conditions,
}

/// Returns the HTTP routes of a root, each delegating one replaced by those of its delegate. A
/// delegate that is not among `delegates` has no routes.
#[must_use]
pub fn merge(root: &VirtualService, delegates: &[VirtualService]) -> Vec<MergedRoute> {
    let mut merged = Vec::new();
    for (index, json) in list(&root.json, "/spec/http").iter().enumerate() {
        let own = MergedRoute::read(root, index, json);
        let Some(delegate) = root.delegate_of(json) else {
            merged.push(own);
            continue;
        };
        let delegate = delegates.iter().find(|each| each.object == delegate);
        if let Some(delegate) = delegate {
            let routes = list(&delegate.json, "/spec/http").iter().enumerate();
            let routes = routes.map(|(index, json)| MergedRoute::read(delegate, index, json));
            merged.extend(routes.filter_map(|route| route.below(&own)));
        }
    }
    merged
}

/// Returns the routes an Envoy gets of these at one place, in order.
#[must_use]
pub fn served<'a>(routes: &'a [MergedRoute], place: &Place<'_>) -> Vec<ServedRoute<'a>> {
    let mut served = Vec::new();
    for (source, route) in routes.iter().enumerate() {
        if route.matches.is_empty() {
            let name = route.name.clone();
            served.push(ServedRoute { source, name, conditions: &NO_CONDITIONS });
            return served;
        }
        for each in route.matches.iter().filter(|each| each.applies(place)) {
            let conditions = &each.conditions;
            served.push(ServedRoute { source, name: each.route_name(&route.name), conditions });
            if conditions.are_met_by_all() {
                return served;
            }
        }
    }
    served
}

/// Returns the routes an Envoy gets of a virtual host that so many places share: those that take every
/// request come last.
#[must_use]
pub fn repeated<'a, 'b>(served: &'b [ServedRoute<'a>], times: usize) -> Vec<&'b ServedRoute<'a>> {
    let (last, first): (Vec<_>, Vec<_>) =
        served.iter().partition(|route| route.conditions.are_met_by_all());
    let times_each = |routes: Vec<&'b ServedRoute<'a>>| routes.repeat(times);
    [times_each(first), times_each(last)].concat()
}

impl MergedRoute {
    fn read(at: &VirtualService, index: usize, json: &Value) -> Self {
        let id = RouteId { protocol: Protocol::Http, index };
        let name = text(json, "/name");
        let route = at.routes().into_iter().find(|route| route.id == id);
        Self {
            object: at.object.clone(),
            route: route.unwrap_or(Route {
                id,
                name: name.clone(),
                conditions: vec![],
                destinations: vec![],
            }),
            matches: list(json, "/match").iter().map(|each| Match::read(at, each)).collect(),
            name,
        }
    }

    /// The route of a delegate, as the delegating route serves it: not at all where one of its
    /// matches conflicts with all of that route.
    fn below(mut self, root: &Self) -> Option<Self> {
        self.name = joined(&root.name, &self.name);
        if self.matches.is_empty() {
            self.matches.clone_from(&root.matches);
        } else if !root.matches.is_empty() {
            let below = |leaf: &Match| {
                let roots = root.matches.iter().filter(|root| !leaf.conflicts_with(root));
                let merged: Vec<_> = roots.map(|root| leaf.below(root)).collect();
                (!merged.is_empty()).then_some(merged)
            };
            let merged: Option<Vec<_>> = self.matches.iter().map(below).collect();
            self.matches = merged?.concat();
        }
        Some(self)
    }

    /// Returns whether it comes from the route of this object at this place.
    #[must_use]
    pub fn is(&self, (object, id): &Target) -> bool {
        self.object == *object && self.route.id == *id
    }

    /// Returns whether it has requests at a server, if none before it took them. A server that is not
    /// known may be any.
    #[must_use]
    pub fn is_for(&self, server: Option<GatewayPort<'_>>) -> bool {
        self.matches.is_empty() || self.matches.iter().any(|each| each.is_for(server))
    }

    /// Returns whether it is meant for a Gateway, whatever the ports of its servers are.
    #[must_use]
    pub fn is_bound_to(&self, gateway: &ObjectRef) -> bool {
        let is_bound = |each: &Match| each.gateways.is_empty() || each.gateways.contains(gateway);
        self.matches.is_empty() || self.matches.iter().any(is_bound)
    }

    /// Returns whether it takes every request that comes to a server and would be another route's.
    #[must_use]
    pub fn takes_all_of(&self, other: &Self, server: Option<GatewayPort<'_>>) -> bool {
        let here = || self.matches.iter().filter(|each| each.is_for_all(server));
        let takes = |conditions| here().any(|each| each.conditions.cover(conditions));
        let mut others = other.matches.iter().filter(|each| each.is_for(server));
        self.matches.is_empty()
            || if other.matches.is_empty() {
                takes(&NO_CONDITIONS)
            } else {
                others.all(|each| takes(&each.conditions))
            }
    }
}

impl Match {
    fn read(at: &VirtualService, json: &Value) -> Self {
        let gateways = list(json, "/gateways").iter().filter_map(Value::as_str);
        let gateway_ref = |name| match name {
            // It is the same wherever it is named.
            MESH => ObjectRef::new(Kind::Gateway, "", MESH),
            _ => at.gateway_ref(name),
        };
        Self {
            name: text(json, "/name"),
            port: port_number(json, "/port"),
            gateways: gateways.map(gateway_ref).collect(),
            source_labels: labels(json, "/sourceLabels"),
            source_namespace: text(json, "/sourceNamespace"),
            conditions: Conditions::read(json),
        }
    }

    /// Whether istiod drops it below this one (pilot/pkg/model/virtualservice.go: `hasConflict`).
    fn conflicts_with(&self, root: &Self) -> bool {
        let (own, of_root) = (&self.gateways, &root.gateways);
        let mut labels = self.source_labels.iter();
        self.conditions.conflict_with(&root.conditions)
            || matches!((self.port, root.port), (Some(own), Some(root)) if own != root)
            || ![self.source_namespace.as_str(), ""].contains(&root.source_namespace.as_str())
            || labels.any(|(key, value)| root.source_labels.get(key).is_some_and(|it| it != value))
            || (!of_root.is_empty()
                && (own.len() > of_root.len() || own.iter().any(|each| !of_root.contains(each))))
    }

    fn below(&self, root: &Self) -> Self {
        let mut source_labels = root.source_labels.clone();
        source_labels.extend(self.source_labels.clone());
        Self {
            name: joined(&root.name, &self.name),
            port: self.port.or(root.port),
            gateways: if self.gateways.is_empty() { &root.gateways } else { &self.gateways }
                .clone(),
            source_labels,
            source_namespace: match self.source_namespace.as_str() {
                "" => root.source_namespace.clone(),
                own => own.to_owned(),
            },
            conditions: self.conditions.below(&root.conditions),
        }
    }

    fn route_name(&self, route: &str) -> String {
        if self.name.is_empty() { route.to_owned() } else { format!("{route}.{}", self.name) }
    }

    fn applies(&self, place: &Place<'_>) -> bool {
        let by_source = || {
            let mut wanted = self.source_labels.iter();
            wanted.all(|(key, value)| place.labels.get(key) == Some(value))
                && ["", place.namespace].contains(&self.source_namespace.as_str())
        };
        self.is_for(Some((place.gateway, place.port))) && (!self.gateways.is_empty() || by_source())
    }

    /// Whether it is for all that comes to a server, from whatever source.
    fn is_for_all(&self, server: Option<GatewayPort<'_>>) -> bool {
        let is_here = match server {
            Some(_) => self.is_for(server),
            None => self.port.is_none() && self.gateways.is_empty(),
        };
        let is_from_everywhere = self.source_labels.is_empty() && self.source_namespace.is_empty();
        is_here && (!self.gateways.is_empty() || is_from_everywhere)
    }

    fn is_for(&self, server: Option<GatewayPort<'_>>) -> bool {
        server.is_none_or(|(gateway, port)| {
            self.port.is_none_or(|own| own == port)
                && (self.gateways.is_empty() || self.gateways.contains(gateway))
        })
    }
}

/// The name of a delegate's route or match below that of the root.
fn joined(root: &str, own: &str) -> String {
    match (root, own) {
        ("", name) | (name, "") => name.to_owned(),
        (root, own) => format!("{root}-{own}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(name: &str, hosts: &[&str], http: &Value) -> VirtualService {
        VirtualService::new(json!({
            "metadata": {"namespace": "shop", "name": name},
            "spec": {"hosts": hosts, "http": http},
        }))
    }

    fn to(name: &str, matches: &Value) -> Value {
        json!({"name": name, "match": matches, "route": [{"destination": {"host": name}}]})
    }

    /// The names of the routes an Envoy gets at port 80 of a Gateway.
    #[track_caller]
    fn check(http: &Value, delegates: &[VirtualService], expected: &[&str]) {
        let gateway = ObjectRef::new(Kind::Gateway, "shop", "gw");
        let labels = Labels::from([("istio".to_owned(), "ingressgateway".to_owned())]);
        let place =
            Place { gateway: &gateway, port: 80, labels: &labels, namespace: "istio-system" };
        let merged = merge(&object("root", &["a"], http), delegates);
        let names: Vec<_> = served(&merged, &place).into_iter().map(|route| route.name).collect();
        assert_eq!(names, expected);
    }

    #[test]
    fn each_match_is_a_route_and_none_follows_a_catch_all() {
        let two = json!([{"name": "x", "uri": {"exact": "/x"}}, {"uri": {"exact": "/y"}}]);
        let redirect = json!({"name": "moved", "match": [{"uri": {"exact": "/"}}], "redirect": {}});
        let behind = to("c", &json!([]));
        check(&json!([to("a", &two), redirect, behind, behind]), &[], &["a.x", "a", "moved", "c"]);
        for everything in
            [json!({}), json!({"uri": {"prefix": "/"}}), json!({"uri": {"regex": ".*"}})]
        {
            check(&json!([to("a", &json!([everything])), behind]), &[], &["a"]);
        }
        let header = json!({"uri": {"prefix": "/"}, "headers": {"x": {}}});
        check(&json!([to("a", &json!([header])), behind]), &[], &["a", "c"]);
    }

    #[test]
    fn matches_that_do_not_apply_here_are_no_routes() {
        let only = |condition: Value| json!([to("a", &json!([condition])), to("b", &json!([]))]);
        let uri = json!({"exact": "/"});
        for (condition, applies) in [
            (json!({"uri": uri, "port": 80}), true),
            (json!({"uri": uri, "port": 8080}), false),
            (json!({"uri": uri, "gateways": ["gw", "mesh"]}), true),
            (json!({"uri": uri, "gateways": ["mesh"]}), false),
            (json!({"uri": uri, "sourceLabels": {"istio": "ingressgateway"}}), true),
            (json!({"uri": uri, "sourceLabels": {"app": "web"}}), false),
            (json!({"uri": uri, "sourceNamespace": "shop"}), false),
            // Where a gateway is named, labels do not count.
            (json!({"uri": uri, "gateways": ["gw"], "sourceLabels": {"app": "web"}}), true),
        ] {
            let expected: &[&str] = if applies { &["a", "b"] } else { &["b"] };
            check(&only(condition), &[], expected);
        }
    }

    #[test]
    fn the_routes_of_a_delegate_stand_in_place_of_the_one_that_delegates() {
        let api = json!([{"name": "api", "uri": {"prefix": "/api"}}]);
        let delegating = json!([
            {"name": "root", "match": api, "delegate": {"name": "leaf"}},
            {"match": [{"uri": {"prefix": "/gone"}}], "delegate": {"name": "gone"}},
            to("last", &json!([])),
        ]);
        let v2 = json!([{"name": "v2", "headers": {"x": {"exact": "2"}}}]);
        let leaf = object("leaf", &[], &json!([to("canary", &v2), to("", &json!([]))]));
        check(&delegating, &[leaf], &["root-canary.api-v2", "root.api", "last"]);
        check(&delegating, &[], &["last"]);
    }

    #[test]
    fn a_delegate_s_match_that_is_not_within_the_root_s_is_no_route() {
        let leaf_of = |leaf: &Value| object("leaf", &[], &json!([to("leaf", &json!([leaf]))]));
        let check = |root: Value, leaf: Value, is_served: bool| {
            let delegating = json!([{"match": [root], "delegate": {"name": "leaf"}}]);
            let expected: &[&str] = if is_served { &["leaf"] } else { &[] };
            check(&delegating, &[leaf_of(&leaf)], expected);
        };
        let uri = |kind: &str, path: &str| json!({"uri": {kind: path}});
        check(uri("prefix", "/a"), uri("prefix", "/a/b"), true);
        check(uri("prefix", "/a/b"), uri("prefix", "/a"), false);
        check(uri("prefix", "/a"), uri("exact", "/a/b"), true);
        check(uri("exact", "/a"), uri("exact", "/a"), true);
        check(uri("exact", "/a"), uri("exact", "/b"), false);
        check(uri("exact", "/a"), uri("prefix", "/a"), false);
        check(uri("regex", "/a"), uri("regex", "/a"), false);
        check(uri("regex", "/a"), json!({"headers": {"x": {}}}), true);
        let header =
            |value: &str| json!({"uri": {"prefix": "/"}, "headers": {"x": {"exact": value}}});
        check(header("1"), header("1"), true);
        check(header("1"), header("2"), false);
        check(uri("prefix", "/"), json!({"uri": {"prefix": "/"}, "ignoreUriCase": true}), false);
        check(json!({"port": 80}), json!({"port": 80}), true);
        check(json!({"port": 80}), json!({"port": 8080}), false);
        check(json!({"gateways": ["gw", "mesh"]}), json!({"gateways": ["gw"]}), true);
        check(json!({"gateways": ["mesh"]}), json!({"gateways": ["gw"]}), false);
        check(json!({"sourceNamespace": "istio-system"}), json!({"port": 80}), false);
    }

    #[test]
    fn one_match_without_a_root_s_takes_the_whole_route_of_a_delegate_away() {
        let roots = json!([{"uri": {"prefix": "/a"}}, {"uri": {"prefix": "/b"}}]);
        let delegating = json!([{"match": roots, "delegate": {"name": "leaf"}}]);
        let leaf = |paths: &[&str]| {
            let matches: Vec<_> =
                paths.iter().map(|path| json!({"uri": {"prefix": path}})).collect();
            [object("leaf", &[], &json!([to("leaf", &json!(matches))]))]
        };
        check(&delegating, &leaf(&["/a/1", "/b/1"]), &["leaf", "leaf"]);
        check(&delegating, &leaf(&["/a/1", "/c"]), &[]);
    }
}
