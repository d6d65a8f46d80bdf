//! An ingress gateway with less in its objects than any real one has.

use http::{Method, StatusCode};
use serde_json::json;

use super::{
    namespace::Namespace,
    wait::{holds, wait_for},
};

/// Installs a gateway where `--gateway-namespace` finds it, and waits until it has an address.
///
/// The first flight of an answer is about 8 KB; Service and pods together are smaller. Its pod has the
/// label of the usual gateway's pods, so the sandbox has to be one that no other test looks at meanwhile.
pub(crate) fn install(namespace: &Namespace<'_>) {
    let labels = json!({"istio": "ingressgateway"});
    let service = json!({
        "metadata": {"name": "istio-ingressgateway"},
        "spec": {"type": "NodePort", "selector": labels,
                 "ports": [{"name": "http2", "port": 80, "targetPort": 8080}, {"name": "https", "port": 443}]},
    });
    let path = namespace.path("/api/v1", "services");
    let created = namespace.admin().send_json(Method::POST, &path, "application/json", &service);
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.body);
    namespace.create_pod(&json!({
        "metadata": {"name": "istio-ingressgateway-0", "labels": labels},
        "spec": {"automountServiceAccountToken": false,
                 "containers": [{"name": "istio-proxy", "image": "docker.io/istio/proxyv2:1.31.0"}]},
    }));
    wait_for("the small gateway to have an address", || {
        let found = namespace.kubia(&["gateway-url", "--gateway-namespace", namespace.name()]);
        holds(found.code == Some(0), || found.to_string())
    });
}
