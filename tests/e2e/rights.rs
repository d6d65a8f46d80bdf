//! README's Role: with it everything works; without one of its rights, the commands that need it say
//! which one is missing.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{
    kubeconfig::Kubeconfig,
    namespace::Namespace,
    process,
    sandbox::Sandbox,
    wait::{holds, wait_for},
};

const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";

/// One right: API group, resource, verb.
type Right = (String, String, String);

/// Commands that need a right on a resource, and may be run by somebody who has all rights but one.
/// `HOST` is a host of the test's own.
const COMMANDS: [(&str, &[&str]); 9] = [
    (
        "services",
        &["gateway-url", "gateway-url kubia-service-gateway", DEPLOY, DEPLOY_ANOTHER, "status"],
    ),
    ("pods", &["status", "shift --v2 40 --timeout 5s"]),
    ("pods/portforward", &["status", "shift --v2 40 --timeout 5s", "undo --timeout 5s"]),
    ("nodes", &["gateway-url --gateway-namespace NAMESPACE --service dead --probe"]),
    ("deployments", &[DEPLOY, DEPLOY_ANOTHER]),
    ("virtualservices", &["status", "status -A", "shift --v2 40", "history", DEPLOY_ANOTHER]),
    ("destinationrules", &["status", "shift dr-v2=40", DEPLOY, DEPLOY_ANOTHER]),
    ("gateways", &["status", "shift --v2 40", "gateway-url kubia-service-gateway", DEPLOY]),
    ("gateways", &[DEPLOY_ANOTHER, "gateway-url gateway.gateway.networking.k8s.io/gateway-api"]),
];
const DEPLOY: &str = "deploy --host HOST";
const DEPLOY_ANOTHER: &str = "deploy another --host another.HOST --dry-run=server";

/// Rights without which a command line is only not completed, and nothing is said.
const SILENT: [(&str, &str, &str); 1] = [("gateway.networking.k8s.io", "gateways", "list")];

#[test]
fn without_a_right_the_command_that_needs_it_says_which() {
    let sandbox = Sandbox::shared();
    let namespace = Namespace::new(sandbox);
    namespace.deploy();
    create_dead_service(&namespace);
    let rights = rights();
    let users = Users::create(&namespace, &rights);
    for (right, kubeconfig) in rights.iter().zip(&users.kubeconfigs) {
        let said = said_without(&namespace, right, kubeconfig);
        let (group, resource, verb) = right;
        if SILENT.contains(&(group, resource, verb)) {
            continue;
        }
        assert!(
            said.iter().any(|line| names(line, right)),
            "nothing says that {verb} {resource} is missing:\n{}",
            said.join("\n")
        );
    }
}

/// The rights of `docs/rbac.yaml`, each once.
fn rights() -> Vec<Right> {
    let role = fs::read_to_string("docs/rbac.yaml").expect("the Role is there");
    let role: Value = serde_saphyr::from_str(&role).expect("it is YAML");
    let strings = |value: &Value| -> Vec<String> {
        let strings = value.as_array().expect("a list").iter();
        strings.map(|each| each.as_str().expect("of strings").to_owned()).collect()
    };
    let mut rights = Vec::new();
    for rule in role["rules"].as_array().expect("the Role has rules") {
        for resource in strings(&rule["resources"]) {
            for verb in strings(&rule["verbs"]) {
                let right = (strings(&rule["apiGroups"])[0].clone(), resource.clone(), verb);
                if !rights.contains(&right) {
                    rights.push(right);
                }
            }
        }
    }
    rights
}

/// All lines that the commands print which need a right on this resource.
fn said_without(namespace: &Namespace<'_>, right: &Right, kubeconfig: &Path) -> Vec<String> {
    let commands = COMMANDS.iter().filter(|(resource, _)| *resource == right.1);
    let commands = commands.flat_map(|(_, commands)| *commands);
    let mut said = Vec::new();
    for command in commands {
        let command =
            command.replace("HOST", &namespace.host()).replace("NAMESPACE", namespace.name());
        let mut words: Vec<_> = command.split(' ').collect();
        if command.contains("gateway-api") {
            words.extend(["-n", "istio-ingress"]);
        }
        let output = process::run(&mut namespace.plugin(kubeconfig, &words));
        assert!([0, 1, 3].contains(&output.code.unwrap_or(-1)), "{command}: {output}");
        let lines = output.stdout.lines().chain(output.stderr.lines());
        said.extend(lines.map(|line| format!("{command}: {line}")));
    }
    said
}

/// Whether a line says that a right is missing: `needs get service/kubia in …`, or the server's own
/// `cannot get resource "services" in API group "" …`.
fn names(line: &str, (group, resource, verb): &Right) -> bool {
    let singular = resource.trim_end_matches('s');
    let ours = line.contains("needs ")
        && line.split([' ', '(']).any(|word| word == verb)
        && (line.contains(resource.as_str()) || line.contains(&format!("{singular}/")));
    let servers =
        line.contains(&format!("cannot {verb} resource \"{resource}\" in API group \"{group}\""));
    ours || servers
}

/// A Service whose only address is one where nothing listens.
fn create_dead_service(namespace: &Namespace<'_>) {
    let service = json!({
        "metadata": {"name": "dead"},
        "spec": {"type": "LoadBalancer", "allocateLoadBalancerNodePorts": false,
                 "ports": [{"name": "http2", "port": 9}]},
    });
    let path = namespace.path("/api/v1", "services");
    let created = namespace.admin().send_json(Method::POST, &path, "application/json", &service);
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.body);
    let address = json!({"status": {"loadBalancer": {"ingress": [{"ip": "127.0.0.1"}]}}});
    let path = format!("{path}/dead/status");
    let merge = "application/merge-patch+json";
    let patched = namespace.admin().send_json(Method::PATCH, &path, merge, &address);
    assert_eq!(patched.status, StatusCode::OK, "{}", patched.body);
}

/// One user for each right, who has all the others.
struct Users<'a> {
    namespace: &'a Namespace<'a>,
    kubeconfigs: Vec<PathBuf>,
}

impl<'a> Users<'a> {
    fn create(namespace: &'a Namespace<'a>, rights: &[Right]) -> Self {
        let mut items = Vec::new();
        for index in 0..rights.len() {
            items.extend(user(namespace, rights, index));
        }
        let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
        namespace.kubectl_with_input(&["create", "-f", "-"], &list.to_string()).exits(0);
        let mut users = Self { namespace, kubeconfigs: Vec::new() };
        let kubia = Kubeconfig::read(&namespace.sandbox().kubia_kubeconfig());
        for index in 0..rights.len() {
            let name = format!("user-{index}");
            let token = namespace.kubectl(&["create", "token", &name]).exits(0).stdout;
            let kubeconfig = kubia.clone().with_token(token.trim());
            users.kubeconfigs.push(kubeconfig.write(namespace.folder(), &format!("{name}.config")));
        }
        users.wait(rights);
        users
    }

    /// The API server reads new roles a moment after they are written.
    fn wait(&self, rights: &[Right]) {
        let last = self.kubeconfigs.last().expect("there are users");
        let (group, resource, verb) = &rights[0];
        let review = json!({"spec": {"resourceAttributes": {
            "namespace": self.namespace.name(), "group": group, "resource": resource, "verb": verb,
        }}});
        let client = crate::support::http::Http::of_kubeconfig(last);
        let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
        wait_for("the last user to have rights", || {
            let answer = client.send_json(Method::POST, path, "application/json", &review);
            holds(answer.json()["status"]["allowed"] == true, || answer.body.clone())
        });
    }
}

impl Drop for Users<'_> {
    fn drop(&mut self) {
        let admin = self.namespace.admin();
        for index in 0..self.kubeconfigs.len() {
            let name = role_name(self.namespace, index);
            for kind in ["clusterrolebindings", "clusterroles"] {
                let path = format!("{RBAC}/{kind}/{name}");
                let _ = admin.try_send(Method::DELETE, &path, &[], String::new());
            }
        }
    }
}

fn role_name(namespace: &Namespace<'_>, index: usize) -> String {
    format!("{}-without-{index}", namespace.name())
}

/// A service account with all rights but the one at `index`.
fn user(namespace: &Namespace<'_>, rights: &[Right], index: usize) -> Vec<Value> {
    let (account, role) = (format!("user-{index}"), role_name(namespace, index));
    let mut rules: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for (place, (group, resource, verb)) in rights.iter().enumerate() {
        if place != index {
            rules.entry((group, resource)).or_default().push(verb);
        }
    }
    let rules = rules.into_iter().map(|((group, resource), verbs)| {
        json!({"apiGroups": [group], "resources": [resource], "verbs": verbs})
    });
    let api = "rbac.authorization.k8s.io/v1";
    vec![
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": account}}),
        json!({"apiVersion": api, "kind": "ClusterRole", "metadata": {"name": role},
               "rules": rules.collect::<Vec<_>>()}),
        json!({"apiVersion": api, "kind": "ClusterRoleBinding", "metadata": {"name": role},
               "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
               "subjects": [{"kind": "ServiceAccount", "name": account,
                             "namespace": namespace.name()}]}),
    ]
}
