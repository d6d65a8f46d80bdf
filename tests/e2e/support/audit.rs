//! The API server's audit log: who sent which request.

use std::fs;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    http::Http,
    kubeconfig::Kubeconfig,
    namespace::Namespace,
    sandbox::{Sandbox, random_word},
    wait::{holds, wait_for},
};

/// One request as the API server saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) verb: String,
    pub(crate) uri: String,
    pub(crate) agent: String,
}

/// Waits until the API server knows the rights of a service account. It is not asked itself, so that
/// nothing of this is among its requests.
fn wait_bound(namespace: &Namespace<'_>, account: &str) {
    let (user, own) = (format!("system:serviceaccount:{account}"), namespace.name());
    let attributes = json!({"verb": "patch", "group": "networking.istio.io", "namespace": own,
                            "resource": "virtualservices"});
    let review = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
                        "spec": {"user": user, "resourceAttributes": attributes}});
    let path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
    wait_for(&format!("{account} to have its rights"), || {
        let response = namespace.admin().send_json(Method::POST, path, "application/json", &review);
        let answer: Value = serde_json::from_str(&response.body).map_err(|e| e.to_string())?;
        holds(answer["status"]["allowed"] == true, || response.body)
    });
}

/// A user of one test's own, with the same Role as `kubia`: the audit log tells its requests from
/// those of all other tests.
pub(crate) struct AuditedUser<'a> {
    namespace: &'a Namespace<'a>,
    token: String,
}

impl<'a> AuditedUser<'a> {
    pub(crate) fn new(namespace: &'a Namespace<'a>) -> Self {
        let account = format!("{}:audited", namespace.name());
        namespace.kubectl(&["create", "serviceaccount", "audited"]).exits(0);
        namespace
            .kubectl(&[
                "create",
                "clusterrolebinding",
                namespace.name(),
                "--clusterrole=kubectl-kubia",
                &format!("--serviceaccount={account}"),
            ])
            .exits(0);
        let token = namespace.kubectl(&["create", "token", "audited"]).exits(0).stdout;
        wait_bound(namespace, &account);
        Self { namespace, token: token.trim().to_owned() }
    }

    pub(crate) fn namespace(&self) -> &Namespace<'a> {
        self.namespace
    }

    /// A kubeconfig for this user.
    pub(crate) fn kubeconfig(&self) -> Kubeconfig {
        self.of(Kubeconfig::read(&self.namespace.sandbox().kubia_kubeconfig()))
    }

    /// The same cluster as this user.
    pub(crate) fn of(&self, kubeconfig: Kubeconfig) -> Kubeconfig {
        kubeconfig.with_token(&self.token)
    }

    /// All that this user has asked for, in order.
    pub(crate) fn requests(&self) -> Vec<Request> {
        // The log is written after the answer: wait until a request sent now is in it.
        let marker = format!("marker-{}", random_word());
        let path = self.namespace.path("/api/v1", &format!("services/{marker}"));
        let sandbox = self.namespace.sandbox();
        let kubeconfig = self.kubeconfig().write(self.namespace.folder(), "marker.kubeconfig");
        assert_eq!(Http::of_kubeconfig(&kubeconfig).get(&path).status, StatusCode::NOT_FOUND);
        let requests = wait_for("the audit log to have the marker", || {
            let requests = self.logged(sandbox);
            holds(requests.iter().any(|request| request.uri.contains(&marker)), || {
                format!("{requests:?}")
            })?;
            Ok(requests)
        });
        requests.into_iter().filter(|request| !request.uri.contains("/marker-")).collect()
    }

    fn logged(&self, sandbox: &Sandbox) -> Vec<Request> {
        let user = format!("system:serviceaccount:{}:audited", self.namespace.name());
        let log = fs::read_to_string(sandbox.directory().join("audit.log"))
            .expect("the sandbox keeps an audit log");
        // Only whole lines: the last one may still be written.
        let whole = log.rfind('\n').map_or("", |end| &log[..end]);
        whole
            .lines()
            .filter(|line| line.contains(&user))
            .map(|line| serde_json::from_str::<Value>(line).expect("audit lines are JSON"))
            .filter(|event| event["user"]["username"] == user.as_str())
            .map(|event| Request {
                verb: event["verb"].as_str().unwrap_or_default().to_owned(),
                uri: event["requestURI"].as_str().unwrap_or_default().to_owned(),
                agent: event["userAgent"].as_str().unwrap_or_default().to_owned(),
            })
            .collect()
    }
}

impl Drop for AuditedUser<'_> {
    fn drop(&mut self) {
        let name = self.namespace.name();
        let path = format!("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/{name}");
        let admin = self.namespace.admin();
        let _ = admin.try_send(Method::DELETE, &path, &[], String::new());
    }
}
