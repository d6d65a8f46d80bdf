//! What an Envoy's admin interface says it runs: the parts of its configuration dump that are needed.
//!
//! Field names are Envoy's own (`envoy.admin.v3.ConfigDump`). Everything may be missing; what is
//! there in another shape makes the whole dump unreadable, for then it is no dump of an Envoy.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::domain::snapshot::is_same_host;

/// A dump that is not what an Envoy sends.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("its admin port does not answer as an Envoy does")]
pub struct DumpError;

/// A route configuration (RDS): what the routes behind one name are.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct RouteConfig {
    /// Which state of it this is.
    #[serde(skip)]
    pub version: Version,
    /// `http.8080`, or `https.443.…` for a server with TLS.
    pub name: String,
    /// For each set of hosts, its routes.
    pub virtual_hosts: Vec<VirtualHost>,
}

/// The routes of some hosts, in the order they are tried.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct VirtualHost {
    /// The hosts.
    pub domains: Vec<String>,
    /// The routes.
    pub routes: Vec<EnvoyRoute>,
}

/// One route.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct EnvoyRoute {
    /// Its name, as istiod makes it of route and match.
    pub name: String,
    /// Which requests it takes.
    #[serde(rename = "match")]
    pub matcher: Matcher,
    route: Action,
    metadata: Metadata,
}

/// Which requests a route takes: `route.match`. Conditions that are not known are kept as they are.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Matcher {
    pub(super) prefix: Option<String>,
    pub(super) path: Option<String>,
    pub(super) path_separated_prefix: Option<String>,
    pub(super) safe_regex: Option<serde_json::Value>,
    pub(super) case_sensitive: Option<bool>,
    #[serde(flatten)]
    pub(super) conditions: serde_json::Map<String, serde_json::Value>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Action {
    cluster: String,
    weighted_clusters: WeightedClusters,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct WeightedClusters {
    clusters: Vec<WeightedCluster>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct WeightedCluster {
    name: String,
    weight: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Metadata {
    filter_metadata: FilterMetadata,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct FilterMetadata {
    istio: IstioMetadata,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct IstioMetadata {
    config: String,
}

/// What tells two states of a route configuration apart, without the rest of it:
/// `mask=version_info,last_updated`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(default)]
pub struct Version {
    version_info: String,
    last_updated: String,
}

/// What a listener does with connections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listener {
    /// The route configurations its active filter chains refer to, each with the secrets its TLS needs.
    pub active: Vec<Chain>,
    /// The route configurations of the version that waits to become active.
    pub warming: Vec<Chain>,
}

/// One filter chain that serves HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// `rds.route_config_name`.
    pub route_config: String,
    /// Names of the secrets (SDS) its TLS needs.
    pub secrets: Vec<String>,
}

impl EnvoyRoute {
    /// Returns whether it comes from the VirtualService of this name.
    #[must_use]
    pub fn is_of(&self, namespace: &str, name: &str) -> bool {
        let of = self.owner();
        of == Some((namespace, name))
    }

    /// Returns namespace and name of the VirtualService it comes from.
    #[must_use]
    pub fn owner(&self) -> Option<(&str, &str)> {
        // /apis/networking.istio.io/v1/namespaces/NAMESPACE/virtual-service/NAME
        let (_, object) = self.metadata.filter_metadata.istio.config.split_once("/namespaces/")?;
        let (namespace, name) = object.split_once("/virtual-service/")?;
        Some((namespace, name))
    }

    /// Returns the clusters it leads to, with their weights; none when it redirects or answers itself.
    #[must_use]
    pub fn clusters(&self) -> Vec<(&str, u64)> {
        if !self.route.cluster.is_empty() {
            return vec![(&self.route.cluster, 1)];
        }
        let clusters = self.route.weighted_clusters.clusters.iter();
        clusters.map(|cluster| (cluster.name.as_str(), cluster.weight)).collect()
    }
}

impl Matcher {
    /// Returns whether every request that `other` takes is taken by this one, as far as that can be
    /// told from both: the other path begins with this one, and every condition here stands there too.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let ignores_case = |matcher: &Self| matcher.case_sensitive == Some(false);
        let has_condition = |(key, value)| other.conditions.get::<String>(key) == Some(value);
        self.covers_path(other)
            && (!ignores_case(other) || ignores_case(self) || self.prefix.as_deref() == Some("/"))
            && self.conditions.iter().all(has_condition)
    }

    fn covers_path(&self, other: &Self) -> bool {
        let literal = other.prefix.as_ref().or(other.path.as_ref());
        let literal = literal.or(other.path_separated_prefix.as_ref());
        if let Some(prefix) = &self.prefix {
            return prefix == "/" || literal.is_some_and(|path| path.starts_with(prefix.as_str()));
        }
        if let Some(prefix) = &self.path_separated_prefix {
            let rest = literal.and_then(|path| path.strip_prefix(prefix.as_str()));
            return rest.is_some_and(|rest| {
                rest.starts_with('/') || (rest.is_empty() && other.prefix.is_none())
            });
        }
        let is_everything = |regex: &serde_json::Value| regex["regex"] == ".*";
        self.safe_regex.as_ref().is_some_and(is_everything)
            || (self.path.is_some() && self.path == other.path)
            || (self.safe_regex.is_some() && self.safe_regex == other.safe_regex)
    }
}

/// A destination as an Envoy cluster names it: `outbound|PORT|SUBSET|HOST`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClusterName<'a> {
    /// Port of the Service.
    pub port: u16,
    /// Subset, possibly empty.
    pub subset: &'a str,
    /// Full host name.
    pub host: &'a str,
}

impl<'a> ClusterName<'a> {
    /// Parses the name of an outbound cluster.
    #[must_use]
    pub fn parse(name: &'a str) -> Option<Self> {
        let mut parts = name.strip_prefix("outbound|")?.splitn(3, '|');
        let (port, subset, host) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self { port: port.parse().ok()?, subset, host })
    }

    /// Returns whether it leads to this host, whatever the cluster's own DNS domain is.
    #[must_use]
    pub fn is_host(&self, host: &str) -> bool {
        is_same_host(self.host, host)
    }
}

/// Reads route configurations: `config_dump?resource=dynamic_route_configs`.
///
/// # Errors
/// [`DumpError`].
pub fn route_configs(dump: &[u8]) -> Result<Vec<RouteConfig>, DumpError> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Dynamic {
        #[serde(flatten)]
        version: Version,
        route_config: RouteConfig,
    }
    let read = |Dynamic { version, route_config }| RouteConfig { version, ..route_config };
    Ok(configs(dump)?.into_iter().map(read).collect())
}

/// Reads which states of route configurations there are, without looking at these.
///
/// # Errors
/// [`DumpError`].
pub fn versions(dump: &[u8]) -> Result<Vec<Version>, DumpError> {
    configs(dump)
}

/// Reads listeners: `config_dump?resource=dynamic_listeners`.
///
/// # Errors
/// [`DumpError`].
pub fn listeners(dump: &[u8]) -> Result<Vec<Listener>, DumpError> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Dynamic {
        active_state: State,
        warming_state: State,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct State {
        listener: dump::Listener,
    }
    let listeners = configs::<Dynamic>(dump)?.into_iter();
    let listeners = listeners.map(|each| Listener {
        active: each.active_state.listener.chains(),
        warming: each.warming_state.listener.chains(),
    });
    Ok(listeners.collect())
}

/// Reads the names of secrets that are there: `config_dump?resource=dynamic_active_secrets`.
///
/// # Errors
/// [`DumpError`].
pub fn secrets(dump: &[u8]) -> Result<BTreeSet<String>, DumpError> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Dynamic {
        name: String,
    }
    Ok(configs::<Dynamic>(dump)?.into_iter().map(|secret| secret.name).collect())
}

/// Reads the clusters that have a healthy host:
/// `config_dump?include_eds&resource=dynamic_endpoint_configs`.
///
/// # Errors
/// [`DumpError`].
pub fn healthy_clusters(dump: &[u8]) -> Result<BTreeSet<String>, DumpError> {
    let clusters = configs::<dump::Endpoints>(dump)?.into_iter();
    let healthy =
        clusters.map(|each| each.endpoint_config).filter(dump::EndpointConfig::is_healthy);
    Ok(healthy.map(|cluster| cluster.cluster_name).collect())
}

fn configs<T: for<'a> Deserialize<'a>>(dump: &[u8]) -> Result<Vec<T>, DumpError> {
    #[derive(Deserialize)]
    struct Dump<T> {
        // An Envoy without anything of the kind sends `{}`.
        #[serde(default = "Vec::new")]
        configs: Vec<T>,
    }
    let dump: Dump<T> = serde_json::from_slice(dump).map_err(|_| DumpError)?;
    Ok(dump.configs)
}

/// The shapes of listeners and endpoints in a dump, which are deeper than what is needed of them.
mod dump {
    use serde::Deserialize;

    use super::Chain;

    #[derive(Default, Deserialize)]
    #[serde(default)]
    pub(super) struct Listener {
        filter_chains: Vec<FilterChain>,
        default_filter_chain: FilterChain,
    }

    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct FilterChain {
        filters: Vec<Filter>,
        transport_socket: Filter,
    }

    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Filter {
        typed_config: Config,
    }

    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Config {
        rds: Rds,
        common_tls_context: Tls,
    }

    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Rds {
        route_config_name: String,
    }

    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Tls {
        tls_certificate_sds_secret_configs: Vec<Secret>,
        validation_context_sds_secret_config: Secret,
        combined_validation_context: Combined,
    }

    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Combined {
        validation_context_sds_secret_config: Secret,
    }

    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Secret {
        name: String,
    }

    #[derive(Default, Deserialize)]
    #[serde(default)]
    pub(super) struct Endpoints {
        pub(super) endpoint_config: EndpointConfig,
    }

    #[derive(Default, Deserialize)]
    #[serde(default)]
    pub(super) struct EndpointConfig {
        pub(super) cluster_name: String,
        endpoints: Vec<Locality>,
    }

    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Locality {
        lb_endpoints: Vec<LbEndpoint>,
    }

    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct LbEndpoint {
        health_status: String,
    }

    impl Listener {
        pub(super) fn chains(self) -> Vec<Chain> {
            let mut chains = self.filter_chains;
            chains.push(self.default_filter_chain);
            chains.into_iter().flat_map(FilterChain::http).collect()
        }
    }

    impl FilterChain {
        fn http(self) -> Vec<Chain> {
            let secrets = self.transport_socket.typed_config.common_tls_context.secrets();
            let names = self.filters.into_iter().map(|filter| filter.typed_config.rds);
            let names = names.map(|rds| rds.route_config_name).filter(|name| !name.is_empty());
            names.map(|route_config| Chain { route_config, secrets: secrets.clone() }).collect()
        }
    }

    impl Tls {
        fn secrets(self) -> Vec<String> {
            let mut secrets = self.tls_certificate_sds_secret_configs;
            secrets.push(self.validation_context_sds_secret_config);
            secrets.push(self.combined_validation_context.validation_context_sds_secret_config);
            let names = secrets.into_iter().map(|secret| secret.name);
            names.filter(|name| !name.is_empty()).collect()
        }
    }

    impl EndpointConfig {
        pub(super) fn is_healthy(&self) -> bool {
            let mut hosts = self.endpoints.iter().flat_map(|locality| &locality.lb_endpoints);
            // As the load balancer reads it: degraded hosts serve when there are no others.
            hosts.any(|host| {
                ["", "UNKNOWN", "HEALTHY", "DEGRADED"].contains(&host.health_status.as_str())
            })
        }
    }
}
