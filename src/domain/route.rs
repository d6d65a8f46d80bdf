//! The routes of a VirtualService, and what its users call the destinations of one.
//!
//! Planning works on the JSON itself, so that fields this program does not know survive.

use std::{fmt, str::FromStr};

use serde_json::Value;

use super::{
    snapshot::{Subset, full_host, host_fit, list, port_number, service_of_host, text},
    split,
};

/// Which list of a VirtualService a route stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    /// `spec.http`.
    Http,
    /// `spec.tls`.
    Tls,
    /// `spec.tcp`.
    Tcp,
}

impl Protocol {
    pub(super) const ALL: [Self; 3] = [Self::Http, Self::Tls, Self::Tcp];

    /// Returns the name of the list in `spec`.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Tls => "tls",
            Self::Tcp => "tcp",
        }
    }
}

/// The place of a route in its VirtualService, written `#0`, `tls#0` or `tcp#0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RouteId {
    /// The list it stands in.
    pub protocol: Protocol,
    /// Its position there.
    pub index: usize,
}

impl RouteId {
    /// Returns the JSON pointer of the route in its object.
    #[must_use]
    pub fn pointer(self) -> String {
        format!("/spec/{}/{}", self.protocol.field(), self.index)
    }
}

impl fmt::Display for RouteId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.protocol {
            Protocol::Http => write!(formatter, "#{}", self.index),
            protocol => write!(formatter, "{}#{}", protocol.field(), self.index),
        }
    }
}

/// A text that names no place of a route.
#[derive(Debug, thiserror::Error)]
#[error("a place of a route is written #0, tls#0 or tcp#0")]
pub struct RouteIdError;

impl FromStr for RouteId {
    type Err = RouteIdError;

    fn from_str(text: &str) -> Result<Self, RouteIdError> {
        let (protocol, index) = text.split_once('#').ok_or(RouteIdError)?;
        let protocol = match protocol {
            "" => Some(Protocol::Http),
            name => Protocol::ALL.into_iter().find(|protocol| protocol.field() == name),
        };
        let index = index.parse().ok().filter(|_| !index.starts_with('+'));
        Ok(Self { protocol: protocol.ok_or(RouteIdError)?, index: index.ok_or(RouteIdError)? })
    }
}

/// One route of a VirtualService that leads to destinations: `spec.http[]`, `spec.tls[]` or
/// `spec.tcp[]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// Its place.
    pub id: RouteId,
    /// `spec.http[].name`, empty when it has none.
    pub name: String,
    /// `match[]`; none means every request.
    pub conditions: Vec<Value>,
    /// `route[]`, in order.
    pub destinations: Vec<Destination>,
}

/// One of `route[]` of a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// `destination.host`, as a full name.
    pub host: String,
    /// `destination.subset`, empty when the whole host is meant.
    pub subset: String,
    /// `destination.port.number`.
    pub port: Option<u16>,
    /// `weight`; absent counts as 0, unless the destination is alone.
    pub weight: Option<u64>,
}

impl Route {
    /// Returns the routes of `virtual_service` that lead to destinations, in order.
    #[must_use]
    pub fn read_all(virtual_service: &Value) -> Vec<Self> {
        let namespace = text(virtual_service, "/metadata/namespace");
        let mut routes = Vec::new();
        for protocol in Protocol::ALL {
            let field = format!("/spec/{}", protocol.field());
            for (index, route) in list(virtual_service, &field).iter().enumerate() {
                let destinations = list(route, "/route").iter();
                // The API server lets nothing else in; a weight can be given to nothing else.
                if !destinations.clone().all(Value::is_object) {
                    continue;
                }
                routes.push(Self {
                    id: RouteId { protocol, index },
                    name: text(route, "/name"),
                    conditions: list(route, "/match").to_vec(),
                    destinations: destinations
                        .map(|each| Destination::read(each, &namespace))
                        .collect(),
                });
            }
        }
        routes.retain(|route| !route.destinations.is_empty());
        routes
    }

    /// Returns `match[]` in words.
    #[must_use]
    pub fn matches(&self) -> Vec<String> {
        self.conditions.iter().map(match_text).collect()
    }

    /// Returns whether weights divide its requests or connections.
    #[must_use]
    pub fn is_weighted(&self) -> bool {
        self.destinations.len() > 1
    }

    /// Returns the weights as they are written, in order; absent where they are omitted.
    #[must_use]
    pub fn raw_weights(&self) -> Vec<Option<u64>> {
        self.destinations.iter().map(|destination| destination.weight).collect()
    }

    /// Returns the weights as Istio reads them, in order.
    #[must_use]
    pub fn weights(&self) -> Vec<u64> {
        split::counted(&self.raw_weights())
    }

    /// Returns each destination's share in percent, in order.
    #[must_use]
    pub fn shares(&self) -> Vec<f64> {
        split::shares(&self.weights())
    }

    /// Returns the name to show: its own and its place.
    #[must_use]
    pub fn title(&self) -> String {
        title(&self.id.to_string(), &self.name)
    }

    /// Returns what each destination is called, in order: its version, or where several stand for
    /// the same version the argument that means just one.
    #[must_use]
    pub fn versions(&self, subsets: &[Subset]) -> Vec<String> {
        let all: Vec<_> = self.destinations.iter().map(|each| each.version(subsets)).collect();
        let is_unique = |version: &str| all.iter().filter(|each| **each == version).count() == 1;
        let versions = all.iter().enumerate().map(|(index, version)| {
            if is_unique(version) { (*version).to_owned() } else { self.argument(index, subsets) }
        });
        versions.collect()
    }

    /// Returns the destinations that `name` on the command line means, by index: the one at that place
    /// (`#1`, which nothing is called), else those of the `version` label their subset selects, else of
    /// the subset's name, else of the host.
    #[must_use]
    pub fn find(&self, name: &str, subsets: &[Subset]) -> Vec<usize> {
        let by = |is_called: &dyn Fn(&Destination) -> bool| {
            let all = 0..self.destinations.len();
            all.filter(|index| is_called(&self.destinations[*index])).collect::<Vec<_>>()
        };
        let place = name.strip_prefix('#').and_then(|place| place.parse().ok());
        let found = [
            place.filter(|place| *place < self.destinations.len()).into_iter().collect(),
            by(&|each| each.label(subsets) == Some(name)),
            by(&|each| !each.subset.is_empty() && each.subset == name),
            by(&|each| each.is_at(name)),
        ];
        found.into_iter().find(|found| !found.is_empty()).unwrap_or_default()
    }

    /// Returns the shortest argument that means the destination at `index` and no other.
    #[must_use]
    pub fn argument(&self, index: usize, subsets: &[Subset]) -> String {
        let destination = &self.destinations[index];
        let host = destination.short_host();
        let port = destination.port.map_or_else(String::new, |port| format!(":{port}"));
        let subset = match destination.subset.as_str() {
            "" => String::new(),
            subset => format!("/{subset}"),
        };
        let candidates = [
            destination.version(subsets).to_owned(),
            destination.subset.clone(),
            format!("{host}{subset}"),
            format!("{}{subset}", destination.host),
            format!("{}{port}{subset}", destination.host),
        ];
        let means_it = |candidate: &String| self.find(candidate, subsets) == [index];
        candidates.into_iter().find(means_it).unwrap_or_else(|| format!("#{index}"))
    }
}

impl Destination {
    fn read(destination: &Value, namespace: &str) -> Self {
        Self {
            host: full_host(&text(destination, "/destination/host"), namespace),
            subset: text(destination, "/destination/subset"),
            port: port_number(destination, "/destination/port/number"),
            weight: destination.pointer("/weight").and_then(Value::as_u64),
        }
    }

    /// Returns the version this destination stands for: the `version` label its subset selects, else
    /// the subset's name, else the host's first label.
    #[must_use]
    pub fn version<'a>(&'a self, subsets: &'a [Subset]) -> &'a str {
        if self.subset.is_empty() {
            return self.short_host();
        }
        self.label(subsets).unwrap_or(&self.subset)
    }

    /// Returns the subset of a DestinationRule this destination refers to: of the rules in the
    /// Service's namespace, else in another. In each, only those count whose host fits best.
    #[must_use]
    pub fn find_subset<'a>(&self, subsets: &'a [Subset]) -> Option<&'a Subset> {
        let fit = |subset: &'a Subset| Some((subset, host_fit(&subset.host, &self.host)?));
        let mut fitting: Vec<_> = subsets.iter().filter_map(fit).collect();
        let own = service_of_host(&self.host).map(|(_, namespace)| namespace);
        fitting.sort_by_key(|(subset, _)| Some(subset.namespace.as_str()) != own);
        let mut namespaces =
            fitting.chunk_by(|(one, _), (other, _)| one.namespace == other.namespace);
        namespaces.find_map(|rules| {
            let best = rules.iter().map(|(_, fit)| fit).max();
            let mut rules = rules.iter().filter(|(_, fit)| Some(fit) == best);
            rules.find(|(subset, _)| subset.name == self.subset).map(|(subset, _)| *subset)
        })
    }

    /// The `version` label that its subset selects; an empty one is no name.
    fn label<'a>(&self, subsets: &'a [Subset]) -> Option<&'a str> {
        let subset = self.find_subset(subsets).filter(|_| !self.subset.is_empty())?;
        subset.labels.get("version").map(String::as_str).filter(|label| !label.is_empty())
    }

    /// The first label of a Service's host; another host whole.
    fn short_host(&self) -> &str {
        service_of_host(&self.host).map_or(&self.host, |(name, _)| name)
    }

    /// Whether `name` is this host, with or without its port and subset.
    fn is_at(&self, name: &str) -> bool {
        let (host, subset) = name.split_once('/').map_or((name, None), |(a, b)| (a, Some(b)));
        let (host, port) = match host.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (host, None),
        };
        (host == self.host || host == self.short_host())
            && subset.is_none_or(|subset| subset == self.subset)
            && port.is_none_or(|port| port.parse().ok() == self.port && self.port.is_some())
    }
}

/// Returns the name to show of a route: `#0`, or `#0 (name)` where it has one.
#[must_use]
pub fn title(place: &str, name: &str) -> String {
    if name.is_empty() { place.to_owned() } else { format!("{place} ({name})") }
}

/// A match in words, such as `uri prefix /api, header end-user exact jason`.
fn match_text(conditions: &Value) -> String {
    let conditions = conditions.as_object().into_iter().flatten();
    let texts =
        conditions.filter(|(field, _)| *field != "name").flat_map(|(field, value)| {
            match (field.as_str(), value) {
                (
                    "headers" | "withoutHeaders" | "queryParams" | "sourceLabels",
                    Value::Object(values),
                ) => {
                    let texts = values
                        .iter()
                        .map(|(key, value)| format!("{field} {key} {}", condition(value)));
                    texts.collect()
                }
                _ => vec![format!("{field} {}", condition(value))],
            }
        });
    texts.collect::<Vec<_>>().join(", ")
}

/// A condition in words: Istio's `{"prefix": "/api"}`, a list, or a plain value.
fn condition(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(condition).collect::<Vec<_>>().join("|"),
        Value::Object(fields) if fields.is_empty() => "present".to_owned(),
        Value::Object(fields) => {
            let fields =
                fields.iter().map(|(field, value)| format!("{field} {}", condition(value)));
            fields.collect::<Vec<_>>().join(" ")
        }
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn subset(host: &str, name: &str, version: &str) -> Subset {
        Subset {
            host: full_host(host, "shop"),
            name: name.to_owned(),
            labels: [("version".to_owned(), version.to_owned())].into(),
            ..Subset::default()
        }
    }

    fn route(destinations: &Value) -> Route {
        let destinations = destinations.as_array().unwrap().iter();
        let destinations = destinations.map(|each| json!({"destination": each}));
        let object = json!({"metadata": {"namespace": "shop"},
                            "spec": {"http": [{"route": destinations.collect::<Vec<_>>()}]}});
        Route::read_all(&object).remove(0)
    }

    #[test]
    fn routes_of_all_protocols_are_read_with_their_places() {
        let to = |host: &str| json!([{"destination": {"host": host}, "weight": 7}]);
        let object = json!({"metadata": {"namespace": "shop"}, "spec": {
            "tcp": [{"route": to("a")}],
            "tls": [{"route": to("b")}],
            "http": [{"redirect": {}}, {"name": "main", "route": to("c")}, {"delegate": {"name": "d"}}],
        }});
        let titles: Vec<_> = Route::read_all(&object).iter().map(Route::title).collect();
        assert_eq!(titles, ["#1 (main)", "tls#0", "tcp#0"]);
    }

    #[test]
    fn places_are_read_as_they_are_written() {
        for place in ["#0", "tls#12", "tcp#3"] {
            assert_eq!(place.parse::<RouteId>().unwrap().to_string(), place);
        }
        assert_eq!("http#2".parse::<RouteId>().unwrap().pointer(), "/spec/http/2");
        for refused in ["", "0", "#", "#-1", "#+1", "udp#0", "#a"] {
            assert!(refused.parse::<RouteId>().is_err(), "{refused:?}");
        }
    }

    #[test]
    fn a_name_means_a_label_before_a_subset_before_a_host() {
        let route = route(&json!([
            {"host": "web", "subset": "old"}, {"host": "web", "subset": "v1"}, {"host": "v1"},
        ]));
        let subsets = [subset("web", "old", "v1"), subset("web", "v1", "v0")];
        assert_eq!(route.find("v1", &subsets), [0]);
        assert_eq!(route.find("v1", &[]), [1]);
        assert_eq!(route.find("v1.shop.svc.cluster.local", &subsets), [2]);
        assert_eq!(route.find("web", &subsets), [0, 1]);
        assert_eq!(route.find("#2", &subsets), [2]);
        assert!(route.find("#3", &subsets).is_empty());
    }

    #[test]
    fn the_subset_is_that_of_the_rule_that_istio_takes() {
        let rule = |namespace: &str, host: &str, name: &str| Subset {
            namespace: namespace.to_owned(),
            ..subset(host, name, &format!("{name} of {host} in {namespace}"))
        };
        let (exact, wildcard) = ("web.shop.svc.corp.local", "*.shop.svc.corp.local");
        let destination = &route(&json!([{"host": "web", "subset": "a"}])).destinations[0];
        let check = |subsets: &[Subset], expected: Option<&str>| {
            let found = destination.find_subset(subsets);
            assert_eq!(found.map(|each| each.labels["version"].as_str()), expected);
        };
        let here = rule("shop", wildcard, "a");
        check(&[here.clone()], Some("a of *.shop.svc.corp.local in shop"));
        check(&[rule("shop", "*", "a"), here.clone()], Some("a of *.shop.svc.corp.local in shop"));
        check(
            &[here.clone(), rule("shop", exact, "a")],
            Some("a of web.shop.svc.corp.local in shop"),
        );
        // A rule for the host itself stands in for the wildcard, whatever it has.
        check(&[here.clone(), rule("shop", exact, "b")], None);
        check(&[rule("edge", exact, "a"), here], Some("a of *.shop.svc.corp.local in shop"));
        check(&[rule("edge", exact, "a")], Some("a of web.shop.svc.corp.local in edge"));
        check(&[rule("shop", "*.other.svc.cluster.local", "a")], None);
    }

    #[test]
    fn an_empty_label_is_no_name() {
        let route = route(&json!([{"host": "web", "subset": "a"}, {"host": "web", "subset": "b"}]));
        let subsets = [subset("web", "a", ""), subset("web", "b", "v2")];
        assert_eq!(route.versions(&subsets), ["a", "v2"]);
        assert!(route.find("", &subsets).is_empty());
    }

    #[test]
    fn every_destination_has_an_argument_of_its_own() {
        let same = json!({"host": "web", "port": {"number": 80}});
        let route = route(&json!([
            {"host": "web", "subset": "a"}, {"host": "shop", "subset": "a"}, {"host": "web"},
            {"host": "web.other.svc.cluster.local"}, {"host": "example.com"}, same, same,
        ]));
        let arguments: Vec<_> = (0..7).map(|index| route.argument(index, &[])).collect();
        assert_eq!(
            arguments,
            ["web/a", "shop/a", "#2", "web.other.svc.cluster.local", "example.com", "#5", "#6"]
        );
        for (index, argument) in arguments.iter().enumerate() {
            assert_eq!(route.find(argument, &[]), [index], "{argument}");
        }
    }
}
