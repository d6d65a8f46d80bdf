//! Reads a VirtualService by itself, so that there is something to compare with what the program
//! reads.

use serde_json::Value;

/// A route that weights divide.
#[derive(Clone, Copy)]
pub(crate) struct Weighted<'a> {
    pub(crate) object: &'a Value,
    pub(crate) protocol: &'static str,
    pub(crate) index: usize,
    pub(crate) destinations: &'a [Value],
}

/// The lists of routes in a VirtualService.
pub(crate) const PROTOCOLS: [&str; 3] = ["http", "tls", "tcp"];

/// Returns the list of a field, empty when there is none.
pub(crate) fn list<'a>(object: &'a Value, field: &str) -> &'a [Value] {
    object[field].as_array().map_or(&[], Vec::as_slice)
}

/// Returns every entry of `spec.http`, `spec.tls` and `spec.tcp`.
pub(crate) fn routes(object: &Value) -> impl Iterator<Item = (&'static str, usize, &Value)> {
    PROTOCOLS.into_iter().flat_map(|protocol| {
        let routes = list(&object["spec"], protocol).iter().enumerate();
        routes.map(move |(index, route)| (protocol, index, route))
    })
}

/// Returns the routes with more than one destination.
pub(crate) fn weighted(object: &Value) -> Vec<Weighted<'_>> {
    let all = routes(object).map(|(protocol, index, route)| Weighted {
        object,
        protocol,
        index,
        destinations: list(route, "route"),
    });
    all.filter(|route| route.destinations.len() > 1).collect()
}

/// Returns the name of a host as Istio resolves it.
fn full_host(host: &str, namespace: &str) -> String {
    match host {
        "" | "*" => host.to_owned(),
        _ if host.contains('.') => host.to_owned(),
        _ => format!("{host}.{namespace}.svc.cluster.local"),
    }
}

/// Returns the label `version` of a subset, in the first rule that has the subset: first those of the
/// Service's own namespace.
fn label<'a>(host: &str, subset: &str, rules: &'a [Value]) -> Option<&'a str> {
    let namespace = |rule: &'a Value| rule["metadata"]["namespace"].as_str().unwrap_or_default();
    let of_host = rules.iter().filter(|rule| {
        full_host(rule["spec"]["host"].as_str().unwrap_or_default(), namespace(rule)) == host
    });
    let is_elsewhere = |rule: &&'a Value| host.split('.').nth(1) != Some(namespace(rule));
    let mut of_host: Vec<_> = of_host.collect();
    of_host.sort_by_key(is_elsewhere);
    let mut subsets = of_host.into_iter().flat_map(|rule| list(&rule["spec"], "subsets"));
    let subset = subsets.find(|each| each["name"] == subset)?;
    subset["labels"]["version"].as_str().filter(|label| !label.is_empty())
}

impl Weighted<'_> {
    /// Returns its place, as `--route` takes it.
    pub(crate) fn place(&self) -> String {
        match self.protocol {
            "http" => format!("#{}", self.index),
            protocol => format!("{protocol}#{}", self.index),
        }
    }

    /// Returns the JSON pointer of the route.
    pub(crate) fn pointer(&self) -> String {
        format!("/spec/{}/{}", self.protocol, self.index)
    }

    /// Returns its name, possibly empty.
    pub(crate) fn name(&self) -> &str {
        let name = &self.object["spec"][self.protocol][self.index]["name"];
        name.as_str().unwrap_or_default()
    }

    /// Returns the weights; one that is omitted counts as 0.
    pub(crate) fn weights(&self) -> Vec<u64> {
        self.destinations.iter().map(|each| each["weight"].as_u64().unwrap_or(0)).collect()
    }

    /// Returns what a destination may be called, by rank: its label, its subset, its host with or
    /// without port and subset, its place.
    pub(crate) fn names(&self, index: usize, rules: &[Value]) -> [Vec<String>; 4] {
        let destination = &self.destinations[index]["destination"];
        let text = |field: &str| destination[field].as_str().unwrap_or_default();
        let namespace = self.object["metadata"]["namespace"].as_str().unwrap_or_default();
        let host = full_host(text("host"), namespace);
        let subset = Some(text("subset")).filter(|subset| !subset.is_empty());
        let label = subset.and_then(|subset| label(&host, subset, rules));
        let short = host.split_once('.').filter(|(_, rest)| rest.contains(".svc."));
        let mut hosts = vec![host.clone()];
        hosts.extend(short.map(|(name, _)| name.to_owned()));
        if let Some(port) = destination["port"]["number"].as_u64() {
            let with_port: Vec<_> = hosts.iter().map(|host| format!("{host}:{port}")).collect();
            hosts.extend(with_port);
        }
        if let Some(subset) = subset {
            let with_subset: Vec<_> = hosts.iter().map(|host| format!("{host}/{subset}")).collect();
            hosts.extend(with_subset);
        }
        [
            label.into_iter().map(str::to_owned).collect(),
            subset.into_iter().map(str::to_owned).collect(),
            hosts,
            vec![format!("#{index}")],
        ]
    }

    /// Returns the destinations that a name means: those of the first rank where there are any.
    pub(crate) fn meant(&self, name: &str, rules: &[Value]) -> Vec<usize> {
        let all = 0..self.destinations.len();
        let names: Vec<_> = all.clone().map(|index| self.names(index, rules)).collect();
        let of_rank = |rank: usize| {
            let called = |index: &usize| names[*index][rank].iter().any(|each| each == name);
            all.clone().filter(called).collect::<Vec<_>>()
        };
        (0..4).map(of_rank).find(|meant| !meant.is_empty()).unwrap_or_default()
    }
}
