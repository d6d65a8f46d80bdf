//! What the gateway's Envoys run, read from their admin port through `kubectl port-forward`.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    process::{Child, Stdio},
};

use serde_json::Value;

use super::{
    http::{Connections, Http},
    kubectl::Kubectl,
    sandbox::Sandbox,
    wait::{holds, wait_for},
};

/// The namespace of the gateway's pods.
pub(crate) const GATEWAY: &str = "istio-system";

/// All ready proxies of `istio-system/istio-ingressgateway`.
pub(crate) struct Proxies(Vec<Proxy>);

impl Proxies {
    pub(crate) fn open(sandbox: &Sandbox) -> Self {
        Self::open_with(&sandbox.kubectl())
    }

    /// The same on any cluster.
    pub(crate) fn open_with(kubectl: &Kubectl) -> Self {
        let pods = ready_gateway_pods(kubectl);
        assert!(!pods.is_empty(), "no gateway pod is ready");
        Self(pods.iter().map(|pod| Proxy::open(kubectl, pod)).collect())
    }

    pub(crate) fn into_iter(self) -> impl Iterator<Item = Proxy> {
        self.0.into_iter()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Proxy> {
        self.0.iter()
    }

    /// Waits until every proxy runs these weights for the tutorial in `namespace`, and knows a
    /// healthy endpoint of every subset.
    pub(crate) fn wait_live(&self, namespace: &str, weights: &[(&str, u32)]) {
        for proxy in &self.0 {
            proxy.wait_live(namespace, weights);
        }
    }
}

/// The names of the gateway pods that are ready and stay.
pub(crate) fn ready_gateway_pods(kubectl: &Kubectl) -> Vec<String> {
    let arguments = ["get", "pods", "-n", GATEWAY, "-l", "istio=ingressgateway", "-o", "json"];
    let pods = kubectl.run(&arguments).exits(0).json();
    let pods = pods["items"].as_array().expect("a list has items");
    let ready = pods.iter().filter(|pod| {
        pod["metadata"]["deletionTimestamp"].is_null() && condition(pod, "Ready") == "True"
    });
    ready.map(|pod| pod["metadata"]["name"].as_str().unwrap_or_default().to_owned()).collect()
}

/// `status.conditions[?(@.type==NAME)].status`.
pub(crate) fn condition(object: &Value, name: &str) -> String {
    let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
    conditions
        .filter(|condition| condition["type"] == name)
        .map(|condition| condition["status"].as_str().unwrap_or_default().to_owned())
        .next()
        .unwrap_or_default()
}

/// One Envoy's admin port; the forward ends with the value.
pub(crate) struct Proxy {
    pod: String,
    forward: Child,
    admin: Http,
}

impl Proxy {
    pub(crate) fn open(kubectl: &Kubectl, pod: &str) -> Self {
        let mut forward = kubectl
            .command(&["-n", GATEWAY, "port-forward", "--address", "127.0.0.1"])
            .args([format!("pod/{pod}").as_str(), ":15000"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("kubectl starts");
        let mut line = String::new();
        let stdout = forward.stdout.as_mut().expect("it was asked for");
        BufReader::new(stdout).read_line(&mut line).expect("kubectl prints text");
        // Forwarding from 127.0.0.1:40123 -> 15000
        let address = line
            .split_whitespace()
            .nth(2)
            .unwrap_or_else(|| panic!("kubectl port-forward to {pod} printed {line:?}"));
        let admin = Http::plain(&format!("http://{address}"), Connections::Kept);
        Self { pod: pod.to_owned(), forward, admin }
    }

    pub(crate) fn pod(&self) -> &str {
        &self.pod
    }

    /// Asks the admin port.
    pub(crate) fn get(&self, path: &str) -> String {
        let response = self.admin.get(path);
        assert!(response.status.is_success(), "{path}: {} {}", response.status, response.body);
        response.body
    }

    /// The weight of each subset in the tutorial's route, empty without one.
    pub(crate) fn weights(&self, namespace: &str) -> BTreeMap<String, u32> {
        self.weights_of(namespace, "kubia-vs")
    }

    /// The same of any `VirtualService`.
    pub(crate) fn weights_of(&self, namespace: &str, name: &str) -> BTreeMap<String, u32> {
        let dump = self.get("/config_dump?resource=dynamic_route_configs");
        let dump: Value = serde_json::from_str(&dump).expect("Envoy answers JSON");
        let owner = format!("/namespaces/{namespace}/virtual-service/{name}");
        routes(&dump)
            .filter(|route| {
                let config = &route["metadata"]["filter_metadata"]["istio"]["config"];
                config.as_str().is_some_and(|config| config.ends_with(&owner))
            })
            .flat_map(|route| subsets(&route["route"]))
            .collect()
    }

    /// Waits until this proxy runs these weights and knows a healthy endpoint of every subset.
    pub(crate) fn wait_live(&self, namespace: &str, weights: &[(&str, u32)]) {
        let pod = &self.pod;
        let wanted: BTreeMap<String, u32> = weights
            .iter()
            .filter(|(_, weight)| *weight > 0)
            .map(|(subset, weight)| ((*subset).to_owned(), *weight))
            .collect();
        wait_for(&format!("{pod} to run {wanted:?} for {namespace}"), || {
            let found = self.weights(namespace);
            holds(found == wanted, || format!("{found:?}"))?;
            let clusters = self.get("/clusters");
            for subset in wanted.keys() {
                let healthy = clusters.lines().any(|line| {
                    line.starts_with(&format!("outbound|8080|{subset}|kubia-service.{namespace}."))
                        && line.ends_with("::health_flags::healthy")
                });
                holds(healthy, || format!("no healthy endpoint of {subset}"))?;
            }
            Ok(())
        });
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.forward.kill();
        let _ = self.forward.wait();
    }
}

fn routes(dump: &Value) -> impl Iterator<Item = &Value> {
    dump["configs"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|config| config["route_config"]["virtual_hosts"].as_array().into_iter().flatten())
        .flat_map(|host| host["routes"].as_array().into_iter().flatten())
}

/// Subset and weight of each destination: Istio writes a lone one without weights.
fn subsets(route: &Value) -> Vec<(String, u32)> {
    let subset = |cluster: &Value| {
        let name = cluster.as_str().unwrap_or_default();
        name.split('|').nth(2).unwrap_or_default().to_owned()
    };
    if route["cluster"].is_string() {
        return vec![(subset(&route["cluster"]), 100)];
    }
    let clusters = route["weighted_clusters"]["clusters"].as_array().into_iter().flatten();
    clusters
        .map(|cluster| {
            let weight = cluster["weight"].as_u64().unwrap_or(0);
            (subset(&cluster["name"]), u32::try_from(weight).expect("weights fit 32 bits"))
        })
        .collect()
}
