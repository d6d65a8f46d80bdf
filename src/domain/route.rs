//! The weighted routes of a VirtualService, seen without copying it.
//!
//! Planning works on the JSON itself, so that fields this program does not know survive.

use serde_json::Value;

use super::{
    snapshot::{Subset, full_host, list, text},
    split,
};

/// One HTTP route of a VirtualService that divides requests: `spec.http[index]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// Its position in `spec.http`.
    pub index: usize,
    /// `spec.http[index].name`, empty when it has none.
    pub name: String,
    /// `spec.http[index].route`, in order.
    pub destinations: Vec<Destination>,
}

/// One of `spec.http[].route` of a VirtualService.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// `destination.host`, as a full name.
    pub host: String,
    /// `destination.subset`, empty when the whole host is meant.
    pub subset: String,
    /// `weight`; absent counts as 0.
    pub weight: u32,
}

impl Route {
    /// Returns the HTTP routes of `virtual_service` that have destinations, in order.
    #[must_use]
    pub fn read_all(virtual_service: &Value) -> Vec<Self> {
        let namespace = text(virtual_service, "/metadata/namespace");
        list(virtual_service, "/spec/http")
            .iter()
            .enumerate()
            .map(|(index, route)| Self {
                index,
                name: text(route, "/name"),
                destinations: list(route, "/route")
                    .iter()
                    .map(|each| Destination::read(each, &namespace))
                    .collect(),
            })
            .filter(|route| !route.destinations.is_empty())
            .collect()
    }

    /// Returns the weights in order.
    #[must_use]
    pub fn weights(&self) -> Vec<u32> {
        self.destinations.iter().map(|destination| destination.weight).collect()
    }

    /// Returns each destination's share in percent, in order.
    #[must_use]
    pub fn shares(&self) -> Vec<f64> {
        split::shares(&self.weights())
    }
}

impl Destination {
    fn read(destination: &Value, namespace: &str) -> Self {
        let weight = destination.pointer("/weight").and_then(Value::as_u64).unwrap_or(0);
        Self {
            host: full_host(&text(destination, "/destination/host"), namespace),
            subset: text(destination, "/destination/subset"),
            weight: u32::try_from(weight).unwrap_or(u32::MAX),
        }
    }

    /// Returns the version this destination stands for: the `version` label its subset selects, else
    /// the subset's name, else the host's first label.
    #[must_use]
    pub fn version<'a>(&'a self, subsets: &'a [Subset]) -> &'a str {
        if self.subset.is_empty() {
            return self.host.split('.').next().unwrap_or(&self.host);
        }
        self.find_subset(subsets)
            .and_then(|subset| subset.labels.get("version"))
            .map_or(&self.subset, String::as_str)
    }

    /// Returns the subset of a DestinationRule this destination refers to.
    #[must_use]
    pub fn find_subset<'a>(&self, subsets: &'a [Subset]) -> Option<&'a Subset> {
        subsets.iter().find(|subset| subset.name == self.subset && subset.host == self.host)
    }

    /// Returns whether `name` on the command line means this destination.
    #[must_use]
    pub fn is_called(&self, name: &str, subsets: &[Subset]) -> bool {
        self.version(subsets) == name || self.subset == name || self.host == name
    }
}
