//! The screens of `status`.

use insta::assert_snapshot;

use crate::support::{FakeApi, kubia, objects};

#[test]
fn status_shows_the_way_of_a_request() {
    let api = objects::deployed((70, 30));
    assert_snapshot!(kubia(&api, "status"), @"
    exit 0
    --- stdout
    URL:             http://127.1.0.2:32440
    Gateway service: istio-system/istio-ingressgateway
    Gateway pods:    2 of 4 ready, 1 terminating
    Gateway:         kubia-service-gateway
    VirtualService:  shop/kubia-vs
    Hosts:           *
    Route:           #0

    VERSION   SUBSET   SHARE   LIVE        READY   IMAGE            AGE
    v1        dr-v1    70      <unknown>   2/3     node:24-alpine   3d5h
    v2        dr-v2    30      <unknown>   1/1     node:24-alpine   3d5h
      istio-system/istio-ingressgateway-7b9f-aaaaa needs get and create pods/portforward in namespace istio-system
      istio-system/istio-ingressgateway-7b9f-bbbbb needs get and create pods/portforward in namespace istio-system
    --- stderr
    ");
    assert_snapshot!(api.requests().join("\n"), @"
    GET /apis/networking.istio.io/v1/namespaces/shop/destinationrules?resourceVersion=0
    GET /apis/networking.istio.io/v1/namespaces/shop/virtualservices/kubia-vs
    GET /apis/networking.istio.io/v1/namespaces/shop/gateways/kubia-service-gateway
    GET /api/v1/namespaces/shop/services/kubia-service
    GET /api/v1/namespaces/shop/pods?labelSelector=tenc-service%3Dkubia-server&resourceVersion=0
    GET /api/v1/pods?labelSelector=istio%3Dingressgateway&resourceVersion=0
    GET /api/v1/namespaces/istio-system/services?resourceVersion=0
    GET /api/v1/namespaces/istio-system/pods/istio-ingressgateway-7b9f-aaaaa/portforward?&ports=15000
    GET /api/v1/namespaces/istio-system/pods/istio-ingressgateway-7b9f-bbbbb/portforward?&ports=15000
    ");
}

#[test]
#[expect(clippy::too_many_lines, reason = "one whole document")]
fn status_as_json() {
    assert_snapshot!(kubia(&objects::deployed((70, 30)), "status -o json"), @r##"
    exit 0
    --- stdout
    {
        "apiVersion": "kubectl-kubia/v1",
        "kind": "Status",
        "context": "test",
        "namespace": "shop",
        "name": "kubia-vs",
        "hosts": [
            "*"
        ],
        "gateways": [
            "kubia-service-gateway"
        ],
        "url": "http://127.1.0.2:32440",
        "gateway": {
            "namespace": "istio-system",
            "service": "istio-ingressgateway",
            "pods": [
                {
                    "name": "istio-ingressgateway-0-broken",
                    "hostIP": "127.1.0.4",
                    "state": "NotReady"
                },
                {
                    "name": "istio-ingressgateway-1-leaving",
                    "hostIP": "127.1.0.4",
                    "state": "Terminating"
                },
                {
                    "name": "istio-ingressgateway-7b9f-aaaaa",
                    "hostIP": "127.1.0.2",
                    "state": "Ready"
                },
                {
                    "name": "istio-ingressgateway-7b9f-bbbbb",
                    "hostIP": "127.1.0.3",
                    "state": "Ready"
                }
            ]
        },
        "routes": [
            {
                "route": "#0",
                "name": "",
                "namespace": "shop",
                "virtualService": "kubia-vs",
                "matches": [],
                "versions": [
                    {
                        "version": "v1",
                        "subset": "dr-v1",
                        "host": "kubia-service.shop.svc.cluster.local",
                        "share": 70.0,
                        "live": null,
                        "weight": 70,
                        "ready": 2,
                        "pods": 3,
                        "images": [
                            "docker.io/library/node:24-alpine"
                        ],
                        "created": "2026-11-20T07:00:00Z",
                        "waiting": null
                    },
                    {
                        "version": "v2",
                        "subset": "dr-v2",
                        "host": "kubia-service.shop.svc.cluster.local",
                        "share": 30.0,
                        "live": null,
                        "weight": 30,
                        "ready": 1,
                        "pods": 1,
                        "images": [
                            "docker.io/library/node:24-alpine"
                        ],
                        "created": "2026-11-20T07:00:00Z",
                        "waiting": null
                    }
                ],
                "proxies": [
                    {
                        "pod": "istio-system/istio-ingressgateway-7b9f-aaaaa",
                        "shares": null,
                        "unknown": "needs get and create pods/portforward in namespace istio-system",
                        "obstacle": null
                    },
                    {
                        "pod": "istio-system/istio-ingressgateway-7b9f-bbbbb",
                        "shares": null,
                        "unknown": "needs get and create pods/portforward in namespace istio-system",
                        "obstacle": null
                    }
                ]
            }
        ],
        "notProven": [],
        "notChecked": []
    }
    --- stderr
    "##);
}

#[test]
fn status_shows_hostile_strings_harmlessly() {
    let mut hostile = objects::virtual_service((1, 1));
    hostile["spec"]["http"][0]["name"] = "$(id)\u{1b}[2J\n\u{202e}".into();
    let api = FakeApi::with_istio().object("virtualservices", &hostile);
    assert_snapshot!(kubia(&api, "status"), @r#"
    exit 0
    --- stdout
    URL:             <none>
    Gateway service: <unknown>
    Gateway:         kubia-service-gateway
    VirtualService:  shop/kubia-vs
    Hosts:           *
    Route:           #0 ($(id)^[[2J\n\u{202e})

    VERSION   SUBSET   SHARE   LIVE        READY       IMAGE    AGE
    dr-v1     dr-v1    50      <unknown>   <unknown>   <none>   <unknown>
    dr-v2     dr-v2    50      <unknown>   <unknown>   <none>   <unknown>
    not proven: gateway/kubia-service-gateway in namespace shop does not exist
    not checked: service/kubia-service in namespace shop does not exist
    --- stderr
    "#);
}

#[test]
fn status_says_when_nothing_is_deployed() {
    assert_snapshot!(kubia(&objects::cluster(), "status -n elsewhere reviews"), @"
    exit 1
    --- stdout
    --- stderr
    error: virtualservice/reviews in namespace elsewhere does not exist

    hint: `kubectl kubia status -A` lists those with weights
    ");
}
