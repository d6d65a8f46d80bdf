//! What stands behind the destinations of routes: Services, subsets and pods.

use std::fmt;

use super::{
    object::{Kind, ObjectRef},
    route::Destination,
    snapshot::{Labels, Pod, Service, Subset, selects, service_of_host},
};

/// Namespace of the mesh's own rules, which apply where no other does (`rootNamespace`).
pub const ROOT_NAMESPACE: &str = "istio-system";

/// The Services that destinations name, and their pods, as far as they could be read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Backends {
    /// One per Service that was looked for.
    pub services: Vec<(ObjectRef, Reading)>,
    /// Subsets of the DestinationRules that can apply.
    pub subsets: Vec<Subset>,
    /// Why DestinationRules could not be read.
    pub subsets_unread: Option<Unread>,
}

/// Why something could not be read.
#[derive(Clone, Debug, PartialEq)]
pub enum Unread {
    /// It may not be: which right is missing.
    Denied(String),
    /// The API server did not say: why.
    Failed(String),
}

/// What was found in the place of a Service.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// The Service, and all pods it selects.
    Found(Box<Service>, Vec<Pod>),
    /// There is none.
    Absent,
    /// It, or its pods, could not be read.
    Unread(Unread),
}

/// What stands behind one destination.
#[derive(Clone, Debug, PartialEq)]
pub enum Behind<'a> {
    /// Its Service does not exist.
    NoService(ObjectRef),
    /// No DestinationRule has its subset.
    NoSubset,
    /// It cannot be told: why.
    Unknown(String),
    /// The API server did not tell it this time: why.
    Failed(String),
    /// These pods, without those being deleted.
    Pods(Vec<&'a Pod>),
}

/// Returns the Services that destinations name, each once.
#[must_use]
pub fn services_of<'a>(destinations: impl Iterator<Item = &'a Destination>) -> Vec<ObjectRef> {
    let mut services: Vec<_> = destinations.filter_map(service_of).collect();
    services.sort();
    services.dedup();
    services
}

/// Returns the Service a destination names; none when its host is not one.
#[must_use]
pub fn service_of(destination: &Destination) -> Option<ObjectRef> {
    let (name, namespace) = service_of_host(&destination.host)?;
    Some(ObjectRef::new(Kind::Service, namespace, name))
}

impl Backends {
    /// Returns what could not be read, in words.
    #[must_use]
    pub fn unread(&self) -> Vec<String> {
        let services = self.services.iter().filter_map(|(service, reading)| match reading {
            Reading::Absent => Some(format!("{service} does not exist")),
            Reading::Unread(why) => Some(format!("pods of {service} ({why})")),
            Reading::Found(..) => None,
        });
        services.collect()
    }

    /// Returns where the rule stands that has the subset of a destination, if gateways elsewhere do not
    /// look for it there: neither in the Service's namespace nor in the root's, or not exported.
    #[must_use]
    pub fn private_rule(&self, destination: &Destination) -> Option<&str> {
        let service = service_of(destination)?;
        let subset = destination.find_subset(&self.subsets)?;
        let is_shared = [&service.namespace, ROOT_NAMESPACE].contains(&subset.namespace.as_str());
        (!destination.subset.is_empty() && (subset.is_private || !is_shared))
            .then_some(&subset.namespace)
    }

    /// Returns what stands behind a destination.
    #[must_use]
    pub fn behind(&self, destination: &Destination) -> Behind<'_> {
        let Some(object) = service_of(destination) else {
            return Behind::Unknown(format!("host {} is no Service", destination.host));
        };
        let reading = self.services.iter().find(|(service, _)| *service == object);
        let (service, pods) = match reading {
            Some((_, Reading::Found(service, pods))) => (service, pods),
            Some((_, Reading::Absent)) => return Behind::NoService(object),
            Some((_, Reading::Unread(why))) => return why.clone().into(),
            None => return Behind::Unknown(format!("{object} was not read")),
        };
        let subset = match destination.subset.as_str() {
            "" => None,
            _ => match (destination.find_subset(&self.subsets), &self.subsets_unread) {
                (Some(subset), _) => Some(subset),
                (None, Some(why)) => return why.clone().into(),
                (None, None) => return Behind::NoSubset,
            },
        };
        if service.selector.is_empty() {
            return Behind::Unknown(format!("{object} has no selector"));
        }
        let selector = selector(&service.selector, subset);
        let pods = pods.iter().filter(|pod| !pod.terminating && selects(&selector, &pod.labels));
        Behind::Pods(pods.collect())
    }
}

impl fmt::Display for Unread {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Denied(why) | Self::Failed(why)) = self;
        formatter.write_str(why)
    }
}

impl From<Unread> for Behind<'_> {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::Denied(right) => Self::Unknown(right),
            Unread::Failed(why) => Self::Failed(why),
        }
    }
}

fn selector(service: &Labels, subset: Option<&Subset>) -> Labels {
    let mut selector = service.clone();
    selector.extend(subset.map(|subset| subset.labels.clone()).unwrap_or_default());
    selector
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::route::Route;

    fn pod(version: &str) -> Pod {
        let labels = json!({"app": "web", "version": version});
        Pod::read(&json!({"metadata": {"name": version, "labels": labels}}))
    }

    fn backends() -> Backends {
        let service = |name: &str, selector: &serde_json::Value| {
            let json = json!({"metadata": {"namespace": "shop", "name": name},
                              "spec": {"selector": selector}});
            Box::new(Service::read(&json))
        };
        let object = |name: &str| ObjectRef::new(Kind::Service, "shop", name);
        let pods = vec![pod("v1"), pod("v1"), pod("v2")];
        Backends {
            services: vec![
                (object("web"), Reading::Found(service("web", &json!({"app": "web"})), pods)),
                (object("external"), Reading::Found(service("external", &json!({})), vec![])),
                (object("gone"), Reading::Absent),
                (
                    object("secret"),
                    Reading::Unread(Unread::Denied("needs get services".to_owned())),
                ),
            ],
            subsets: vec![Subset {
                host: "web.shop.svc.cluster.local".to_owned(),
                name: "one".to_owned(),
                labels: [("version".to_owned(), "v1".to_owned())].into(),
                ..Subset::default()
            }],
            subsets_unread: None,
        }
    }

    #[track_caller]
    fn check(host: &str, subset: &str, expected: &str) {
        let object = json!({"metadata": {"namespace": "shop"}, "spec": {"http": [
            {"route": [{"destination": {"host": host, "subset": subset}}]},
        ]}});
        let route = Route::read_all(&object).remove(0);
        let backends = backends();
        let found = match backends.behind(&route.destinations[0]) {
            Behind::NoService(object) => format!("no {object}"),
            Behind::NoSubset => "no subset".to_owned(),
            Behind::Unknown(why) | Behind::Failed(why) => why,
            Behind::Pods(pods) => format!("{} pods", pods.len()),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn pods_are_those_of_service_and_subset() {
        check("web", "one", "2 pods");
        check("web", "", "3 pods");
        check("web", "two", "no subset");
        check("gone", "", "no service/gone in namespace shop");
        check("secret", "one", "needs get services");
        check("external", "", "service/external in namespace shop has no selector");
        check("example.com", "", "host example.com is no Service");
    }

    #[test]
    fn a_subset_is_not_missed_where_rules_could_not_be_read() {
        let mut backends = backends();
        let needs = "needs list destinationrules".to_owned();
        backends.subsets_unread = Some(Unread::Denied(needs.clone()));
        let destination = Destination {
            host: "web.shop.svc.cluster.local".to_owned(),
            subset: "two".to_owned(),
            port: None,
            weight: None,
        };
        assert_eq!(backends.behind(&destination), Behind::Unknown(needs));
        backends.subsets_unread = Some(Unread::Failed("HTTP 500".to_owned()));
        assert_eq!(backends.behind(&destination), Behind::Failed("HTTP 500".to_owned()));
    }
}
