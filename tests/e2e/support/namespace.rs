//! A namespace of one test's own, and the commands run in it.

use std::{path::Path, process::Command};

use http::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    http::Http,
    kubectl::Kubectl,
    process::{self, Output},
    proxies::Proxies,
    sandbox::{Sandbox, random_word},
    wait::{holds, wait_for},
};

/// A namespace that is deleted with the value.
pub(crate) struct Namespace<'a> {
    sandbox: &'a Sandbox,
    name: String,
    folder: TempDir,
    admin: Http,
    kubectl: Kubectl,
}

impl<'a> Namespace<'a> {
    pub(crate) fn new(sandbox: &'a Sandbox) -> Self {
        let name = format!("e2e-{}", random_word());
        let admin = sandbox.admin();
        let object = json!({"metadata": {"name": name}});
        let created =
            admin.send_json(Method::POST, "/api/v1/namespaces", "application/json", &object);
        assert_eq!(created.status, StatusCode::CREATED, "{}", created.body);
        Self {
            sandbox,
            name,
            folder: TempDir::new().expect("a temporary folder"),
            admin,
            kubectl: sandbox.kubectl(),
        }
    }

    pub(crate) fn sandbox(&self) -> &'a Sandbox {
        self.sandbox
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The host that tests of this namespace are asked for.
    pub(crate) fn host(&self) -> String {
        format!("{}.kubia.test", self.name)
    }

    /// Forgets connections that a killed API server has left behind.
    pub(crate) fn reconnect(&mut self) {
        self.admin = self.sandbox.admin();
    }

    /// A folder for files, and HOME of what runs here.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn admin(&self) -> &Http {
        &self.admin
    }

    /// The plugin, as the user with nothing but README's Role.
    pub(crate) fn kubia(&self, arguments: &[&str]) -> Output {
        process::run(&mut self.plugin(&self.sandbox.kubia_kubeconfig(), arguments))
    }

    /// The plugin as a command yet to run, with a kubeconfig of the test's choice.
    pub(crate) fn plugin(&self, kubeconfig: &Path, arguments: &[&str]) -> Command {
        let mut command =
            process::clean(process::plugin(), kubeconfig, self.folder(), self.sandbox.path());
        command.args(["-n", &self.name]).args(arguments);
        command
    }

    /// The sandbox's kubectl, as admin.
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> Output {
        self.kubectl_with_input(arguments, "")
    }

    /// The same, with something on standard input.
    pub(crate) fn kubectl_with_input(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = self.kubectl.command(&["-n", &self.name]);
        process::run_with_input(command.args(arguments), input)
    }

    /// Applies objects in this namespace, as admin.
    pub(crate) fn apply(&self, objects: &[Value]) {
        let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
        self.kubectl_with_input(&["apply", "-f", "-"], &list.to_string()).exits(0);
    }

    /// Deploys the tutorial for this namespace's own host.
    pub(crate) fn deploy(&self) -> Output {
        self.kubia(&["deploy", "--host", &self.host()]).exits(0)
    }

    /// An object of this namespace, by its API path below the namespace.
    pub(crate) fn object(&self, api: &str, resource: &str) -> Value {
        let path = self.path(api, resource);
        let response = self.admin.get(&path);
        assert_eq!(response.status, StatusCode::OK, "{path}: {}", response.body);
        response.json()
    }

    pub(crate) fn path(&self, api: &str, resource: &str) -> String {
        format!("{api}/namespaces/{}/{resource}", self.name)
    }

    /// The rule for the write of the tutorial's route.
    pub(crate) fn write_rule(&self, action: &str) -> Value {
        let path = self.path(ISTIO, "virtualservices/kubia-vs");
        json!({"method": "PATCH", "path": path, "action": action})
    }

    pub(crate) fn virtual_service(&self) -> Value {
        self.virtual_service_called("kubia-vs")
    }

    pub(crate) fn virtual_service_called(&self, name: &str) -> Value {
        self.object(ISTIO, &format!("virtualservices/{name}"))
    }

    /// Deletes the pods of v2 for good, and waits until they are gone.
    pub(crate) fn stop_v2(&self) {
        self.kubectl(&["scale", "deployment", "kubia-server-v2", "--replicas=0"]).exits(0);
        wait_for("the pods of v2 to be gone", || {
            let pods = self.object("/api/v1", "pods?labelSelector=version%3Dv2");
            holds(pods["items"].as_array().is_some_and(Vec::is_empty), || pods.to_string())
        });
    }

    /// Writes both weights as somebody else would, and returns the object as acknowledged.
    pub(crate) fn write_weights(&self, v1: u32, v2: u32) -> Value {
        let change = json!([
            {"op": "replace", "path": "/spec/http/0/route/0/weight", "value": v1},
            {"op": "replace", "path": "/spec/http/0/route/1/weight", "value": v2},
        ]);
        let path = self.path(ISTIO, "virtualservices/kubia-vs");
        let response =
            self.admin.send_json(Method::PATCH, &path, "application/json-patch+json", &change);
        assert_eq!(response.status, StatusCode::OK, "{}", response.body);
        response.json()
    }

    /// Waits until every ready proxy of the default gateway runs these weights with endpoints
    /// behind both subsets.
    pub(crate) fn wait_live(&self, proxies: &Proxies, v1: u32, v2: u32) {
        proxies.wait_live(&self.name, &[("dr-v1", v1), ("dr-v2", v2)]);
    }

    /// Creates a pod from JSON and returns its name.
    pub(crate) fn create_pod(&self, pod: &Value) -> String {
        let path = self.path("/api/v1", "pods");
        // The controller-manager makes the default ServiceAccount a moment after the namespace.
        wait_for("a pod to be admitted", || {
            let response = self.admin.send_json(Method::POST, &path, "application/json", pod);
            match response.status {
                StatusCode::CREATED => Ok(()),
                _ => Err(response.body),
            }
        });
        pod["metadata"]["name"].as_str().expect("the pod has a name").to_owned()
    }
}

impl Drop for Namespace<'_> {
    fn drop(&mut self) {
        // Errors are ignored: a panic while panicking would hide the first one.
        let path = format!("/api/v1/namespaces/{}", self.name);
        let _ = self.admin.try_send(Method::DELETE, &path, &[], String::new());
    }
}

/// Where Istio's networking kinds are served.
pub(crate) const ISTIO: &str = "/apis/networking.istio.io/v1";

/// The weights of a VirtualService's first route, in order.
pub(crate) fn weights(virtual_service: &Value) -> Vec<u64> {
    let route = virtual_service["spec"]["http"][0]["route"].as_array();
    let route = route.unwrap_or_else(|| panic!("no route: {virtual_service}"));
    route.iter().map(|destination| destination["weight"].as_u64().unwrap_or(0)).collect()
}
