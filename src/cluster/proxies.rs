//! Reads what gateway proxies run: one port-forward per pod to its Envoy's admin port, kept while it
//! is watched, and nothing but GET of its configuration dump.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures_util::future::join_all;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};
use hyper::{
    body::Bytes,
    client::conn::http1::{SendRequest, handshake},
};
use hyper_util::rt::TokioIo;
use kube::api::Portforwarder;
use tokio::time::Instant;

use super::{ApiError, Cluster, Freshness, encode};
use crate::domain::{
    gateway::INSTALLATIONS,
    object::{Kind, ObjectRef},
    proof::{
        Front,
        envoy::{self, DumpError, RouteConfig},
        without_cluster,
    },
    route::Destination,
    snapshot::{Labels, Pod, service_of_host},
    text::{Printable, shorten},
};

/// Port of Envoy's admin interface in Istio's gateways.
const ADMIN_PORT: u16 = 15_000;

/// The most bytes of one dump that are read.
const DUMP_LIMIT: usize = 32 * 1024 * 1024;

/// The most bytes of an error message that are shown.
const MESSAGE_LIMIT: usize = 200;

/// The most bytes per second that watching one proxy may cost, besides what is read whatever it costs.
/// All together stays below 64 KiB.
const BYTES_PER_SECOND: u32 = 48 * 1024;

/// What the headers of a request and its answer cost, roughly.
const HEADERS: usize = 450;

/// The shortest time between two looks at a proxy.
const INTERVAL: Duration = Duration::from_millis(10);

/// Why a proxy cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// No port-forward to the pod.
    #[error(transparent)]
    Forward(#[from] ApiError),
    /// The forward broke, or nothing listens at the admin port.
    #[error("no answer from the admin port of {pod}: {cause}")]
    Admin {
        /// The pod.
        pod: ObjectRef,
        /// Why.
        cause: String,
    },
    /// What answers is no Envoy as Istio runs it.
    #[error("{pod}: {source}")]
    Dump {
        /// The pod.
        pod: ObjectRef,
        /// Why.
        source: DumpError,
    },
}

impl ProxyError {
    /// Returns which right is missing, if that is the reason.
    #[must_use]
    pub fn missing_right(&self) -> Option<String> {
        match self {
            Self::Forward(error) if error.failure.is_forbidden() => Some(error.need()),
            Self::Forward(_) | Self::Admin { .. } | Self::Dump { .. } => None,
        }
    }
}

/// One gateway pod's Envoy, seen through a port-forward that ends with the value.
pub struct Proxy {
    /// The pod.
    pub pod: Pod,
    sender: SendRequest<Empty<Bytes>>,
    // Ends the forward when it is dropped.
    _forward: Portforwarder,
    deadline: Duration,
    /// Which route configurations to read; every one while empty.
    only: BTreeSet<String>,
    /// What was read of these; nothing before the first time.
    configs: Option<Vec<RouteConfig>>,
    /// The clusters that had a healthy host, and when that was.
    healthy: BTreeMap<String, Instant>,
    /// Its listeners and secrets, and when they were read.
    front: Option<(Instant, Front)>,
    /// Bytes that looking cost since the last pause.
    cost: usize,
    /// Whether a request has not come to its end: nothing can be asked after it.
    is_broken: bool,
}

impl Cluster {
    /// Reads the pods with these labels that a Gateway of `namespace` selects, wherever they are.
    ///
    /// The second result says why not all namespaces could be looked at, if they could not; then it is
    /// those where gateways usually are.
    ///
    /// # Errors
    /// [`ApiError`], but not when something is forbidden.
    pub async fn selected_pods(
        &self,
        selector: &Labels,
        namespace: &str,
        freshness: Freshness,
    ) -> Result<(Vec<Pod>, Option<ApiError>), ApiError> {
        let error = match self.list(Kind::Pod, None, selector, freshness).await {
            Ok(pods) => return Ok((pods.iter().map(Pod::read).collect(), None)),
            Err(error) if error.failure.is_forbidden() => error,
            Err(error) => return Err(error),
        };
        let mut namespaces = vec![namespace];
        namespaces.extend(INSTALLATIONS.map(|each| each.namespace));
        namespaces.dedup();
        let listing =
            namespaces.iter().map(|each| self.list(Kind::Pod, Some(each), selector, freshness));
        let mut pods = Vec::new();
        for listed in join_all(listing).await {
            match listed {
                Ok(listed) => pods.extend(listed.iter().map(Pod::read)),
                Err(error) if error.failure.is_forbidden() => {}
                Err(error) => return Err(error),
            }
        }
        Ok((pods, Some(error)))
    }

    /// Opens a port-forward to the admin port of a gateway pod.
    ///
    /// # Errors
    /// [`ProxyError`].
    pub async fn proxy(&self, pod: Pod) -> Result<Proxy, ProxyError> {
        let object = pod.object_ref();
        // A WebSocket needs both: older servers check the one, newer ones the other.
        let subject = format!("pods/portforward in namespace {}", pod.namespace);
        let failed = |failure| ApiError::new("get and create", &subject, failure);
        let mut forward = self.link.port_forward(&object, ADMIN_PORT).await.map_err(failed)?;
        let admin = |cause: &dyn std::fmt::Display| ProxyError::Admin {
            pod: object.clone(),
            cause: Printable(&cause.to_string()).to_string(),
        };
        let stream = forward.take_stream(ADMIN_PORT).ok_or_else(|| admin(&"no stream"))?;
        let (sender, connection) =
            handshake(TokioIo::new(stream)).await.map_err(|error| admin(&error))?;
        // It ends with the sender; what goes wrong in it is told by the next request.
        tokio::spawn(connection);
        Ok(Proxy {
            pod,
            sender,
            _forward: forward,
            deadline: self.link.limit(),
            only: BTreeSet::new(),
            configs: None,
            healthy: BTreeMap::new(),
            front: None,
            cost: 0,
            is_broken: false,
        })
    }
}

impl Proxy {
    /// Returns the route configurations it runs now. They are read again only when they changed.
    ///
    /// # Errors
    /// [`ProxyError`]; the proxy cannot be asked again then.
    pub async fn routes(&mut self) -> Result<&[RouteConfig], ProxyError> {
        const ROUTES: &str = "resource=dynamic_route_configs";
        let configs = match self.configs.take() {
            Some(known) if self.are_current(&known).await? => known,
            _ => {
                // What changed has to be read, whatever it costs.
                let cost = self.cost;
                let configs = self.dump_each(ROUTES, envoy::route_configs).await?;
                self.cost = cost;
                configs
            }
        };
        Ok(self.configs.insert(configs))
    }

    /// Whether these are the states of route configurations it has now, in whatever order.
    async fn are_current(&mut self, known: &[RouteConfig]) -> Result<bool, ProxyError> {
        const VERSIONS: &str = "resource=dynamic_route_configs&mask=version_info,last_updated";
        let mut now = self.dump_each(VERSIONS, envoy::versions).await?;
        let mut known: Vec<_> = known.iter().map(|config| &config.version).collect();
        now.sort();
        known.sort();
        Ok(now.iter().eq(known))
    }

    /// Reads something of each route configuration that is looked at.
    async fn dump_each<T>(
        &mut self,
        resource: &str,
        read: fn(&[u8]) -> Result<Vec<T>, DumpError>,
    ) -> Result<Vec<T>, ProxyError> {
        if self.only.is_empty() {
            return self.dump(resource, None, read).await;
        }
        // One request for each: Envoy takes no long alternatives.
        let mut all = Vec::new();
        for name in self.only.iter().map(|name| quote_regex(name)).collect::<Vec<_>>() {
            all.extend(self.dump(resource, Some(&name), read).await?);
        }
        Ok(all)
    }

    /// Looks at no route configurations but these from now on; at all of them when none is named.
    pub fn watch_only(&mut self, names: BTreeSet<String>) {
        let is_less = self.only.is_empty() || names.is_subset(&self.only);
        match &mut self.configs {
            Some(configs) if is_less && !names.is_empty() => {
                configs.retain(|config| names.contains(&config.name));
            }
            configs if self.only != names => *configs = None,
            _ => {}
        }
        self.only = names;
    }

    /// Returns the route configurations as they were read last; none before the first time.
    #[must_use]
    pub fn known_routes(&self) -> &[RouteConfig] {
        self.configs.as_deref().unwrap_or_default()
    }

    /// Returns its listeners, and the secrets it has: as they were at most that long ago, if they will
    /// do, else as they are.
    ///
    /// # Errors
    /// [`ProxyError`].
    pub async fn front(
        &mut self,
        max_age: Duration,
        will_do: impl Fn(&Front) -> bool,
    ) -> Result<&Front, ProxyError> {
        let known = self.front.take();
        let known = known.filter(|(seen, front)| seen.elapsed() <= max_age && will_do(front));
        let front = match known {
            Some(front) => front,
            None => (Instant::now(), self.read_front().await?),
        };
        Ok(&self.front.insert(front).1)
    }

    async fn read_front(&mut self) -> Result<Front, ProxyError> {
        let listeners = self.dump("resource=dynamic_listeners", None, envoy::listeners).await?;
        let needs_secrets = listeners
            .iter()
            .flat_map(|listener| &listener.active)
            .any(|chain| !chain.secrets.is_empty());
        let secrets = if needs_secrets {
            self.dump("resource=dynamic_active_secrets&mask=name", None, envoy::secrets).await?
        } else {
            BTreeSet::new()
        };
        Ok(Front { listeners, secrets })
    }

    /// Returns which of these clusters have a healthy host, or had one at most that long ago.
    ///
    /// # Errors
    /// [`ProxyError`].
    pub async fn healthy(
        &mut self,
        clusters: &BTreeSet<String>,
        max_age: Duration,
    ) -> Result<BTreeSet<String>, ProxyError> {
        let mut healthy = BTreeSet::new();
        for cluster in clusters {
            if self.healthy.get(cluster).is_some_and(|seen| seen.elapsed() <= max_age) {
                healthy.insert(cluster.clone());
            } else {
                healthy.extend(self.healthy_called(&quote_regex(cluster)).await?);
            }
        }
        Ok(healthy)
    }

    /// Returns which of these destinations it knows no healthy host of, by index.
    ///
    /// # Errors
    /// [`ProxyError`].
    pub async fn without_hosts(
        &mut self,
        destinations: &[&Destination],
    ) -> Result<Vec<usize>, ProxyError> {
        let mut healthy = BTreeSet::new();
        for destination in destinations {
            healthy.extend(self.healthy_called(&cluster_regex(destination)).await?);
        }
        Ok(without_cluster(destinations, &healthy))
    }

    /// The clusters of these names that have a healthy host. One whose hosts do not come from istiod (a
    /// `ServiceEntry` with DNS) is a static one, which is looked at only when there is no other.
    async fn healthy_called(&mut self, names: &str) -> Result<BTreeSet<String>, ProxyError> {
        let mut healthy = BTreeSet::new();
        for resource in ["dynamic_endpoint_configs", "static_endpoint_configs"] {
            if healthy.is_empty() {
                let query = format!("include_eds&resource={resource}");
                healthy = self.dump(&query, Some(names), envoy::healthy_clusters).await?;
            }
        }
        let now = Instant::now();
        self.healthy.extend(healthy.iter().map(|cluster| (cluster.clone(), now)));
        Ok(healthy)
    }

    /// Returns whether it cannot be asked any more: a request failed, or was given up on.
    #[must_use]
    pub const fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// Forgets what looking cost so far.
    pub fn forget_cost(&mut self) {
        self.cost = 0;
    }

    /// Waits until it may be looked at again: at least 10 ms, longer where looking costs much.
    pub async fn pause(&mut self, until: Instant) {
        let cost = u32::try_from(std::mem::take(&mut self.cost)).unwrap_or(u32::MAX);
        let pause = Duration::from_secs(1) * cost / BYTES_PER_SECOND;
        tokio::time::sleep_until(until.min(Instant::now() + pause.max(INTERVAL))).await;
    }

    /// Reads one resource, all of it or what a regular expression names.
    ///
    /// Envoy refuses an expression of more than about 90 instructions, but for the plain text it
    /// begins with (RE2 compares that beforehand).
    async fn dump<T>(
        &mut self,
        resource: &str,
        names: Option<&str>,
        read: impl FnOnce(&[u8]) -> Result<T, DumpError>,
    ) -> Result<T, ProxyError> {
        let pod = self.pod.object_ref();
        let seconds = self.deadline.as_secs_f64();
        let names = names.map(|names| format!("&name_regex={}", encode(&format!("^{names}$"))));
        let query = format!("{resource}{}", names.unwrap_or_default());
        self.is_broken = true;
        let body = tokio::time::timeout(self.deadline, self.get(&query))
            .await
            .unwrap_or_else(|_| Err(format!("no answer within {seconds} s")))
            .map_err(|cause| ProxyError::Admin { pod: pod.clone(), cause })?;
        self.is_broken = false;
        self.cost += body.len() + HEADERS;
        read(&body).map_err(|source| ProxyError::Dump { pod, source })
    }

    async fn get(&mut self, query: &str) -> Result<Bytes, String> {
        let cause = |error: hyper::Error| Printable(&error.to_string()).to_string();
        let request = Request::get(format!("/config_dump?{query}"))
            .header("host", "localhost")
            .body(Empty::new())
            .expect("queries are percent-encoded");
        self.sender.ready().await.map_err(cause)?;
        let answer = self.sender.send_request(request).await.map_err(cause)?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), DUMP_LIMIT).collect().await;
        let body = body.map_err(|error| match error.downcast_ref::<LengthLimitError>() {
            Some(_) => format!("more than {} MiB", DUMP_LIMIT / 1024 / 1024),
            None => Printable(&error.to_string()).to_string(),
        })?;
        let body = body.to_bytes();
        if status != StatusCode::OK {
            let words = shorten(&String::from_utf8_lossy(&body), MESSAGE_LIMIT);
            return Err(format!("HTTP {}: {}", status.as_u16(), Printable(words.trim())));
        }
        Ok(body)
    }
}

/// What the cluster of a destination is called, whatever its port and the cluster's DNS domain. It may
/// fit others too: what comes is looked at once more.
fn cluster_regex(destination: &Destination) -> String {
    const LONGEST: usize = 70;
    let port = destination.port.map_or_else(|| "[0-9]+".to_owned(), |port| port.to_string());
    let host = match service_of_host(&destination.host) {
        Some((name, namespace)) => format!("{name}.{namespace}.svc."),
        None => destination.host.clone(),
    };
    let rest = format!("|{}|{host}", destination.subset);
    let rest = &rest[..rest.floor_char_boundary(LONGEST)];
    format!("outbound\\|{port}{}.*", quote_regex(rest))
}

/// Quotes a name for RE2.
fn quote_regex(name: &str) -> String {
    let mut quoted = String::with_capacity(name.len());
    for character in name.chars() {
        if character.is_ascii() && !character.is_ascii_alphanumeric() {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted
}
