//! One more pod of the default gateway.

use std::{fs, path::PathBuf, process::Command};

use serde_json::{Value, json};

use super::{
    namespace::Namespace,
    process::{self, Output},
    proxies::{GATEWAY, Proxy, condition},
    wait::{holds, wait_for},
};

/// Its name.
pub(crate) const NAME: &str = "istio-ingressgateway-0-extra";

/// A gateway pod on the node that has none, as long as the value lives.
pub(crate) struct ExtraPod<'a>(&'a Namespace<'a>);

impl<'a> ExtraPod<'a> {
    /// Starts it, not yet ready, and waits until it runs these weights of the tutorial's route.
    pub(crate) fn start(namespace: &'a Namespace<'a>, weights: &[(&str, u32)]) -> Self {
        let path = format!("/apis/apps/v1/namespaces/{GATEWAY}/deployments/istio-ingressgateway");
        let mut pod = namespace.admin().get(&path).json()["spec"]["template"].take();
        pod["apiVersion"] = json!("v1");
        pod["kind"] = json!("Pod");
        pod["metadata"]["name"] = json!(NAME);
        pod["metadata"]["namespace"] = json!(GATEWAY);
        pod["metadata"]["annotations"]["sandbox/ready-after-seconds"] = json!("never");
        pod["spec"]["nodeName"] = json!("node-3");
        let kubectl = namespace.sandbox().kubectl();
        let extra = Self(namespace);
        let pod = pod.to_string();
        process::run_with_input(&mut kubectl.command(&["create", "-f", "-"]), &pod).exits(0);
        wait_for("the gateway pod to run", || {
            let phase = extra.object()["status"]["phase"].clone();
            holds(phase == "Running", || phase.to_string())
        });
        Proxy::open(&kubectl, NAME).wait_live(namespace.name(), weights);
        extra
    }

    /// The same, and makes it ready.
    pub(crate) fn start_ready(namespace: &'a Namespace<'a>, weights: &[(&str, u32)]) -> Self {
        let extra = Self::start(namespace, weights);
        extra.make_ready();
        extra
    }

    /// Makes it ready.
    pub(crate) fn make_ready(&self) {
        self.make("0", "True");
    }

    /// Makes it unready.
    pub(crate) fn make_unready(&self) {
        self.make("never", "False");
    }

    /// Stops its Envoy, which answers nobody then, as long as the value lives.
    pub(crate) fn freeze(&self) -> Frozen {
        let uid = self.object()["metadata"]["uid"].as_str().expect("a pod has a uid").to_owned();
        let entries = fs::read_dir("/proc").expect("procfs");
        let processes = entries.flatten().map(|entry| entry.path());
        let is_its_envoy = |path: &PathBuf| {
            let words = fs::read_to_string(path.join("cmdline")).unwrap_or_default();
            let program = words.split('\0').next().unwrap_or_default();
            program.ends_with("envoy") && words.contains(&uid)
        };
        let pid = processes
            .filter(is_its_envoy)
            .find_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
        let frozen = Frozen(pid.expect("the pod has an Envoy"));
        frozen.signal("STOP").exits(0);
        frozen
    }

    fn make(&self, ready_after: &str, expected: &str) {
        let annotation = format!("sandbox/ready-after-seconds={ready_after}");
        let kubectl = self.0.sandbox().kubectl();
        let arguments = ["-n", GATEWAY, "annotate", "--overwrite", "pod", NAME, &annotation];
        kubectl.run(&arguments).exits(0);
        wait_for("the gateway pod to be as ready as it should", || {
            let ready = condition(&self.object(), "Ready");
            holds(ready == expected, || ready)
        });
    }

    /// Deletes it, without waiting until it is gone.
    pub(crate) fn delete(&self) {
        self.delete_with("--wait=false").exits(0);
    }

    fn delete_with(&self, wait: &str) -> Output {
        let kubectl = self.0.sandbox().kubectl();
        kubectl.run(&["-n", GATEWAY, "delete", "pod", NAME, "--ignore-not-found", wait])
    }

    fn object(&self) -> Value {
        self.0.admin().get(&format!("/api/v1/namespaces/{GATEWAY}/pods/{NAME}")).json()
    }
}

/// The process of an Envoy that is stopped.
pub(crate) struct Frozen(String);

impl Frozen {
    fn signal(&self, name: &str) -> Output {
        process::run(Command::new("kill").args(["-s", name, &self.0]))
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        self.signal("CONT");
    }
}

impl Drop for ExtraPod<'_> {
    fn drop(&mut self) {
        // What went wrong is ignored: a panic while panicking would hide the first one.
        self.delete_with("--wait=true");
    }
}
