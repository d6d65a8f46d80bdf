//! The screens of `deploy`.

use insta::assert_snapshot;

use crate::support::{FakeApi, kubia, objects};

#[test]
fn deploy_checks_all_six_with_the_server_and_writes_the_route_last() {
    let api = objects::cluster();
    assert_snapshot!(kubia(&api, "deploy --wait=false"), @"
    exit 0
    --- stdout
    service/kubia-service created
    deployment.apps/kubia-server created
    deployment.apps/kubia-server-v2 created
    destinationrule.networking.istio.io/kubia-dr created
    gateway.networking.istio.io/kubia-service-gateway created
    virtualservice.networking.istio.io/kubia-vs created
    --- stderr
    context test, namespace shop: kubia for host *, Gateway port 8080 (port 80 of the gateway's Service)
    ");
    assert_snapshot!(api.writes().join("\n"), @"
    PATCH /api/v1/namespaces/shop/services/kubia-service?fieldManager=kubectl-kubia&fieldValidation=Strict&dryRun=All
    PATCH /apis/apps/v1/namespaces/shop/deployments/kubia-server?fieldManager=kubectl-kubia&fieldValidation=Strict&dryRun=All
    PATCH /apis/apps/v1/namespaces/shop/deployments/kubia-server-v2?fieldManager=kubectl-kubia&fieldValidation=Strict&dryRun=All
    PATCH /apis/networking.istio.io/v1/namespaces/shop/destinationrules/kubia-dr?fieldManager=kubectl-kubia&fieldValidation=Strict&dryRun=All
    PATCH /apis/networking.istio.io/v1/namespaces/shop/gateways/kubia-service-gateway?fieldManager=kubectl-kubia&fieldValidation=Strict&dryRun=All
    PATCH /apis/networking.istio.io/v1/namespaces/shop/virtualservices/kubia-vs?fieldManager=kubectl-kubia&fieldValidation=Strict&dryRun=All
    PATCH /api/v1/namespaces/shop/services/kubia-service?fieldManager=kubectl-kubia&fieldValidation=Strict
    PATCH /apis/apps/v1/namespaces/shop/deployments/kubia-server?fieldManager=kubectl-kubia&fieldValidation=Strict
    PATCH /apis/apps/v1/namespaces/shop/deployments/kubia-server-v2?fieldManager=kubectl-kubia&fieldValidation=Strict
    PATCH /apis/networking.istio.io/v1/namespaces/shop/destinationrules/kubia-dr?fieldManager=kubectl-kubia&fieldValidation=Strict
    PATCH /apis/networking.istio.io/v1/namespaces/shop/gateways/kubia-service-gateway?fieldManager=kubectl-kubia&fieldValidation=Strict
    PATCH /apis/networking.istio.io/v1/namespaces/shop/virtualservices/kubia-vs?fieldManager=kubectl-kubia&fieldValidation=Strict
    ");
}

#[test]
fn deploy_dry_run_on_the_server_writes_nothing() {
    let api = objects::cluster();
    assert_snapshot!(kubia(&api, "deploy --dry-run=server --host shop.example.com"), @"
    exit 0
    --- stdout
    service/kubia-service created (server dry run)
    deployment.apps/kubia-server created (server dry run)
    deployment.apps/kubia-server-v2 created (server dry run)
    destinationrule.networking.istio.io/kubia-dr created (server dry run)
    gateway.networking.istio.io/kubia-service-gateway created (server dry run)
    virtualservice.networking.istio.io/kubia-vs created (server dry run)
    --- stderr
    context test, namespace shop: kubia for host shop.example.com, Gateway port 8080 (port 80 of the gateway's Service)
    ");
    assert!(api.writes().iter().all(|write| write.contains("&dryRun=All")));
}

#[test]
fn deploy_as_json_lists_the_objects() {
    assert_snapshot!(kubia(&objects::cluster(), "deploy --wait=false -o json"), @r#"
    exit 0
    --- stdout
    {
        "apiVersion": "kubectl-kubia/v1",
        "kind": "DeployResult",
        "context": "test",
        "namespace": "shop",
        "dryRun": "none",
        "gatewayPort": {
            "server": 8080,
            "servicePort": 80,
            "servicePortName": "http2",
            "listener": 8080
        },
        "objects": [
            {
                "kind": "service",
                "name": "kubia-service",
                "result": "created"
            },
            {
                "kind": "deployment.apps",
                "name": "kubia-server",
                "result": "created"
            },
            {
                "kind": "deployment.apps",
                "name": "kubia-server-v2",
                "result": "created"
            },
            {
                "kind": "destinationrule.networking.istio.io",
                "name": "kubia-dr",
                "result": "created"
            },
            {
                "kind": "gateway.networking.istio.io",
                "name": "kubia-service-gateway",
                "result": "created"
            },
            {
                "kind": "virtualservice.networking.istio.io",
                "name": "kubia-vs",
                "result": "created"
            }
        ]
    }
    --- stderr
    context test, namespace shop: kubia for host *, Gateway port 8080 (port 80 of the gateway's Service)
    "#);
}

#[test]
fn deploy_refuses_a_host_that_is_taken() {
    let gateway = serde_json::json!({
        "apiVersion": "networking.istio.io/v1",
        "metadata": {"namespace": "shop", "name": "kubia-service-gateway"},
        "spec": {"selector": {"istio": "ingressgateway"},
                 "servers": [{"port": {"number": 80}, "hosts": ["*"]}]},
    });
    let api = objects::deployed((50, 50)).object("gateways", &gateway);
    assert_snapshot!(kubia(&api, "deploy other --wait=false"), @"
    exit 3
    --- stdout
    --- stderr
    error: host * is already served by virtualservice/kubia-vs in namespace shop through gateway/kubia-service-gateway in namespace shop

    hint: choose another host with --host, or see the other one with `kubectl get virtualservices.networking.istio.io kubia-vs -n shop -o yaml`
    ");
    assert_eq!(api.writes(), [""; 0]);
}

#[test]
fn deploy_says_when_there_is_no_istio() {
    assert_snapshot!(kubia(&FakeApi::default(), "deploy"), @"
    exit 1
    --- stdout
    --- stderr
    error: Istio is not installed: the server has no networking.istio.io at v1, v1beta1, v1alpha3

    hint: install Istio (https://istio.io/latest/docs/setup/getting-started/), or choose another cluster with --context
    ");
}

#[test]
fn deploy_says_what_it_may_not_check() {
    let message = "virtualservices.networking.istio.io is forbidden";
    let api = objects::cluster().raw_answer(
        &http::Method::GET,
        "/apis/networking.istio.io/v1/virtualservices",
        403,
        &objects::status(403, "Forbidden", message),
    );
    assert_snapshot!(kubia(&api, "deploy --dry-run=server").stderr, @"
    context test, namespace shop: kubia for host *, Gateway port 8080 (port 80 of the gateway's Service)
    not checked: whether another namespace serves host * (needs list virtualservices.networking.istio.io in all namespaces)
    ");
}
