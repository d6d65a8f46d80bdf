//! The screens of `shift`.

use http::Method;
use insta::assert_snapshot;
use serde_json::json;

use crate::support::{FakeApi, kubia, objects};

const PATH: &str = "/apis/networking.istio.io/v1/namespaces/shop/virtualservices/kubia-vs";

#[test]
fn shift_sends_one_guarded_patch() {
    let api = objects::deployed((50, 50));
    assert_snapshot!(kubia(&api, "shift --v2 30"), @"
    exit 0
    --- stdout
    virtualservice.networking.istio.io/kubia-vs patched (not proven: needs get and create pods/portforward in namespace istio-system)
    --- stderr
    context test, namespace shop: kubia-vs v1 50 → 70, v2 50 → 30
    not checked: whether the route is shadowed (needs get and create pods/portforward in namespace istio-system)
    ");
    assert_snapshot!(api.requests().join("\n"), @r##"
    GET /apis/networking.istio.io/v1/namespaces/shop/destinationrules?resourceVersion=0
    GET /apis/networking.istio.io/v1/namespaces/shop/virtualservices/kubia-vs
    POST /apis/authentication.k8s.io/v1/selfsubjectreviews {"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}
    GET /apis/networking.istio.io/v1/namespaces/shop/gateways/kubia-service-gateway
    GET /api/v1/namespaces/shop/services/kubia-service
    GET /api/v1/pods?labelSelector=istio%3Dingressgateway&resourceVersion=0
    GET /api/v1/namespaces/shop/pods?labelSelector=tenc-service%3Dkubia-server&resourceVersion=0
    GET /api/v1/namespaces/istio-system/pods/istio-ingressgateway-7b9f-aaaaa/portforward?&ports=15000
    GET /api/v1/namespaces/istio-system/pods/istio-ingressgateway-7b9f-bbbbb/portforward?&ports=15000
    PATCH /apis/networking.istio.io/v1/namespaces/shop/virtualservices/kubia-vs?fieldManager=kubectl-kubia [{"op":"test","path":"/spec/http/0/match","value":null},{"op":"test","path":"/spec/http/0/name","value":null},{"op":"test","path":"/spec/http/0/route","value":[{"destination":{"host":"kubia-service.shop.svc.cluster.local","port":{"number":8080},"subset":"dr-v1"},"weight":50},{"destination":{"host":"kubia-service.shop.svc.cluster.local","port":{"number":8080},"subset":"dr-v2"},"weight":50}]},{"op":"test","path":"/metadata/annotations","value":null},{"op":"add","path":"/spec/http/0/route/0/weight","value":70},{"op":"add","path":"/spec/http/0/route/1/weight","value":30},{"op":"add","path":"/metadata/annotations","value":{"kubectl-kubia/history":"{\"entries\":[{\"revision\":1,\"routes\":[{\"destinations\":[\"kubia-service.shop.svc.cluster.local:8080/dr-v1\",\"kubia-service.shop.svc.cluster.local:8080/dr-v2\"],\"from\":[50,50],\"match\":\"\",\"route\":\"#0\",\"to\":[70,30]}],\"time\":\"2026-11-23T12:00:00Z\",\"user\":\"alice\"}],\"version\":1}"}}]
    GET /api/v1/pods?labelSelector=istio%3Dingressgateway
    "##);
}

#[test]
fn shift_writes_nothing_when_nothing_changes() {
    let api = objects::deployed((7, 3));
    assert_snapshot!(kubia(&api, "shift --v2 30"), @"
    exit 0
    --- stdout
    virtualservice.networking.istio.io/kubia-vs unchanged (not proven: needs get and create pods/portforward in namespace istio-system)
    --- stderr
    context test, namespace shop: kubia-vs v1 70, v2 30
    ");
    assert_eq!(api.writes(), [""; 0]);
}

#[test]
fn shift_as_json_has_shares_before_and_after() {
    assert_snapshot!(kubia(&objects::deployed((50, 50)), "shift --v2 30 -o json"), @r##"
    exit 0
    --- stdout
    {
        "apiVersion": "kubectl-kubia/v1",
        "kind": "ShiftResult",
        "context": "test",
        "namespace": "shop",
        "name": "kubia-vs",
        "dryRun": "none",
        "result": "patched",
        "routes": [
            {
                "route": "#0",
                "name": "",
                "versions": [
                    {
                        "version": "v1",
                        "subset": "dr-v1",
                        "host": "kubia-service.shop.svc.cluster.local",
                        "from": 50.0,
                        "to": 70.0,
                        "weight": 70
                    },
                    {
                        "version": "v2",
                        "subset": "dr-v2",
                        "host": "kubia-service.shop.svc.cluster.local",
                        "from": 50.0,
                        "to": 30.0,
                        "weight": 30
                    }
                ]
            }
        ],
        "untouched": [],
        "proof": {
            "verdict": "notProven",
            "reasons": [
                "needs get and create pods/portforward in namespace istio-system"
            ],
            "proxies": [
                {
                    "pod": "istio-system/istio-ingressgateway-7b9f-aaaaa",
                    "live": null,
                    "seconds": null,
                    "detail": "needs get and create pods/portforward in namespace istio-system"
                },
                {
                    "pod": "istio-system/istio-ingressgateway-7b9f-bbbbb",
                    "live": null,
                    "seconds": null,
                    "detail": "needs get and create pods/portforward in namespace istio-system"
                }
            ]
        }
    }
    --- stderr
    context test, namespace shop: kubia-vs v1 50 → 70, v2 50 → 30
    not checked: whether the route is shadowed (needs get and create pods/portforward in namespace istio-system)
    "##);
}

#[test]
fn shift_dry_run_on_the_client_writes_nothing() {
    let api = objects::deployed((50, 50));
    assert_snapshot!(kubia(&api, "shift --v1 100 --dry-run=client"), @"
    exit 0
    --- stdout
    virtualservice.networking.istio.io/kubia-vs patched (dry run)
    --- stderr
    context test, namespace shop: kubia-vs v1 50 → 100, v2 50 → 0
    not checked: whether the route is shadowed (needs get and create pods/portforward in namespace istio-system)
    ");
    assert_eq!(api.writes(), [""; 0]);
}

#[test]
fn shift_refuses_a_version_the_route_does_not_have() {
    let api = FakeApi::with_istio().object("virtualservices", &objects::virtual_service((1, 1)));
    assert_snapshot!(kubia(&api, "shift --v2 30"), @"
    exit 3
    --- stdout
    --- stderr
    error: virtualservice/kubia-vs in namespace shop has no route to version v2; it has dr-v1, dr-v2
    ");
}

#[test]
fn shift_says_when_nothing_is_deployed() {
    assert_snapshot!(kubia(&objects::cluster(), "shift --v2 30"), @"
    exit 1
    --- stdout
    --- stderr
    error: virtualservice/kubia-vs in namespace shop does not exist

    hint: name another one (`kubectl kubia status -n shop` lists them), or deploy the tutorial's app with `kubectl kubia deploy -n shop`
    ");
}

#[test]
fn shift_says_when_there_is_no_istio() {
    assert_snapshot!(kubia(&FakeApi::default(), "shift --v2 30"), @"
    exit 1
    --- stdout
    --- stderr
    error: Istio is not installed: the server has no networking.istio.io at v1, v1beta1, v1alpha3

    hint: install Istio (https://istio.io/latest/docs/setup/getting-started/), or choose another cluster with --context
    ");
}

#[test]
fn shift_refused_by_a_webhook_shows_the_servers_words() {
    let words = "admission webhook \"rev.validation.istio.io\" denied the request: no";
    let refusal = objects::status(400, "", words);
    let api = objects::deployed((50, 50)).raw_answer(&Method::PATCH, PATH, 400, &refusal);
    assert_snapshot!(kubia(&api, "shift --v2 30"), @r#"
    exit 1
    --- stdout
    --- stderr
    context test, namespace shop: kubia-vs v1 50 → 70, v2 50 → 30
    not checked: whether the route is shadowed (needs get and create pods/portforward in namespace istio-system)
    Error from server: admission webhook "rev.validation.istio.io" denied the request: no
    cannot patch virtualservice/kubia-vs in namespace shop
    "#);
}

#[test]
fn a_422_without_causes_is_no_conflict_when_the_route_is_as_it_was_read() {
    let words = "the server rejected our request due to an error in our request";
    let refusal = objects::status(422, "Invalid", words);
    let api = objects::deployed((50, 50)).raw_answer(&Method::PATCH, PATH, 422, &refusal);
    assert_snapshot!(kubia(&api, "shift --v2 30"), @"
    exit 1
    --- stdout
    --- stderr
    context test, namespace shop: kubia-vs v1 50 → 70, v2 50 → 30
    not checked: whether the route is shadowed (needs get and create pods/portforward in namespace istio-system)
    The request is invalid: the server rejected our request due to an error in our request
    cannot patch virtualservice/kubia-vs in namespace shop
    ");
}

/// What an Envoy in between says after it has sent the request.
const RESET: &str = "upstream connect error or disconnect/reset before headers";

#[test]
fn a_write_that_was_carried_out_is_no_conflict_when_it_is_tried_again() {
    for code in [429, 503] {
        let api = objects::deployed((50, 50)).misled(PATH, (code, RESET), |_| ());
        let output = kubia(&api, "shift --v2 30");
        assert_eq!(output.code, 0, "{output}");
        let line = "virtualservice.networking.istio.io/kubia-vs patched (not proven: needs ";
        assert!(output.stdout.starts_with(line), "{output}");
        assert!(!output.stderr.contains("written"), "{output}");
        let patches = api.writes().iter().filter(|write| write.starts_with("PATCH")).count();
        assert_eq!(patches, 2);
    }
}

#[test]
fn a_write_that_was_carried_out_and_overtaken_is_not_said_to_be_unwritten() {
    let api = objects::deployed((50, 50)).misled(PATH, (503, RESET), |object| {
        object["spec"]["http"][0]["route"][0]["weight"] = json!(69);
    });
    assert_snapshot!(kubia(&api, "shift --v2 30"), @"
    exit 6
    --- stdout
    --- stderr
    context test, namespace shop: kubia-vs v1 50 → 70, v2 50 → 30
    not checked: whether the route is shadowed (needs get and create pods/portforward in namespace istio-system)
    error: virtualservice/kubia-vs in namespace shop is written, but somebody else changed it meanwhile at /spec/http/0/route

    hint: look at it with `kubectl kubia status kubia-vs -n shop`
    ");
}

#[test]
fn a_refused_write_whose_object_cannot_be_read_again_may_have_been_written() {
    let api =
        objects::deployed((50, 50)).misled(PATH, (503, RESET), |object| *object = json!(null));
    assert_snapshot!(kubia(&api, "shift --v2 30"), @"
    exit 1
    --- stdout
    --- stderr
    context test, namespace shop: kubia-vs v1 50 → 70, v2 50 → 30
    not checked: whether the route is shadowed (needs get and create pods/portforward in namespace istio-system)
    The request is invalid: the server rejected our request due to an error in our request
    cannot patch virtualservice/kubia-vs in namespace shop

    hint: why could not be read, and an earlier try may have been written: look at virtualservice/kubia-vs in namespace shop before you go on
    ");
}

#[test]
fn the_same_weights_by_somebody_else_are_a_conflict() {
    let api = objects::deployed((50, 50)).misled(PATH, (503, RESET), |object| {
        object["metadata"]["annotations"] = json!({"kubectl-kubia/history": "theirs"});
    });
    let output = kubia(&api, "shift --v2 30");
    assert_eq!(output.code, 6, "{output}");
    assert!(output.stderr.contains("was changed meanwhile at /spec/http/0/route;"), "{output}");
}

#[test]
fn what_may_have_been_written_is_said() {
    let etcd = objects::status(500, "", "etcdserver: request timed out");
    let webhook = "Internal error occurred: failed calling webhook \"a\": failed to call webhook";
    let webhook = objects::status(500, "InternalError", webhook);
    let open = "hint: it may have been written all the same: look at virtualservice/kubia-vs in \
                namespace shop before you go on\n";
    for (code, body, is_open) in [
        (500, &*etcd, true),
        (500, "oops", true),
        (520, "<html>", true),
        (408, "", true),
        (500, &*webhook, false),
    ] {
        let api = objects::deployed((50, 50)).raw_answer(&Method::PATCH, PATH, code, body);
        let output = kubia(&api, "shift --v2 30");
        assert_eq!((output.code, &*output.stdout), (1, ""), "{output}");
        assert_eq!(output.stderr.ends_with(open), is_open, "{output}");
        // It writes nothing.
        let output = kubia(&api, "shift --v2 30 --dry-run=server");
        assert_eq!((output.code, &*output.stdout), (1, ""), "{output}");
        assert!(!output.stderr.contains("may have been written"), "{output}");
    }
}

#[test]
fn shift_uses_the_api_version_that_is_served() {
    let mut old = objects::virtual_service((50, 50));
    old["apiVersion"] = "networking.istio.io/v1beta1".into();
    let versions =
        serde_json::json!({"versions": [{"version": "v1alpha3"}, {"version": "v1beta1"}]});
    let api = FakeApi::default()
        .answer("/apis/networking.istio.io", 200, &versions)
        .object("virtualservices", &old);
    let api = ["destinationrules", "virtualservices/kubia-vs"].iter().fold(api, |api, path| {
        let path = format!("/apis/networking.istio.io/v1/namespaces/shop/{path}");
        api.raw_answer(&Method::GET, &path, 404, "404 page not found\n")
    });
    let output = kubia(&api, "shift kubia-vs --v2 30");
    assert_eq!(output.code, 3, "there is no DestinationRule, so v2 is unknown: {output}");
    let requests = api.requests();
    let discoveries = requests.iter().filter(|request| request.ends_with("/networking.istio.io"));
    assert_eq!(discoveries.count(), 1, "two parallel requests ask once: {requests:#?}");
}

#[test]
fn an_ambiguous_version_is_told_with_the_arguments_for_each() {
    let mut object = objects::virtual_service((50, 50));
    let subsets = "/spec/http/0/route/1/destination/subset";
    *object.pointer_mut(subsets).unwrap() = json!("dr-v1");
    let route = object["spec"]["http"][0].clone();
    object["spec"]["http"].as_array_mut().unwrap().push(route);
    let api = objects::deployed((50, 50)).object("virtualservices", &object);
    assert_snapshot!(kubia(&api, "shift v1=30 --route #1"), @"
    exit 3
    --- stdout
    --- stderr
    error: version v1 means several destinations of virtualservice/kubia-vs in namespace shop

    hint: say which: '#0'=PERCENT, '#1'=PERCENT, with --route '#1'
    ");
    assert_eq!(api.writes(), [""; 0]);
}

#[test]
fn what_has_hosts_of_its_own_is_nobodys_delegate() {
    let root = json!({
        "apiVersion": "networking.istio.io/v1",
        "metadata": {"namespace": "shop", "name": "root"},
        "spec": {"hosts": ["*"], "http": [{"delegate": {"name": "kubia-vs"}}]},
    });
    let api = objects::deployed((50, 50)).object("virtualservices", &root);
    assert_snapshot!(kubia(&api, "shift root v2=30"), @"
    exit 3
    --- stdout
    --- stderr
    error: virtualservice/root in namespace shop has no route with more than one destination

    hint: see its routes with `kubectl kubia status root -n shop`
    ");
    assert_eq!(api.writes(), [""; 0]);
}

#[test]
fn other_weighted_routes_are_told_and_stay_as_they_are() {
    let mut object = objects::virtual_service((50, 50));
    let mut beta = object["spec"]["http"][0].clone();
    beta["name"] = json!("beta");
    beta["match"] = json!([{"uri": {"prefix": "/beta"}}]);
    object["spec"]["http"].as_array_mut().unwrap().insert(0, beta);
    let api = objects::deployed((50, 50)).object("virtualservices", &object);
    assert_snapshot!(kubia(&api, "shift v2=30 --route #1 --dry-run=client"), @"
    exit 0
    --- stdout
    virtualservice.networking.istio.io/kubia-vs patched (dry run)
    --- stderr
    context test, namespace shop: kubia-vs v1 50 → 70, v2 50 → 30
    untouched: #0 (beta): v1 50, v2 50
    not checked: whether the route is shadowed (needs get and create pods/portforward in namespace istio-system)
    ");
    let output = kubia(&api, "shift v2=30 --route #1 --dry-run=client -o json");
    let json: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    let places = |list: &str| -> Vec<_> {
        json[list].as_array().unwrap().iter().map(|each| each["route"].clone()).collect()
    };
    assert_eq!((places("routes"), places("untouched")), (vec![json!("#1")], vec![json!("#0")]));
    assert_eq!(json["untouched"][0]["versions"][1]["weight"], 50);
}

#[test]
fn labels_count_where_other_namespaces_may_not_be_read() {
    let mut object = objects::virtual_service((50, 50));
    let elsewhere = json!([
        {"destination": {"host": "web.other.svc.cluster.local", "subset": "a"}, "weight": 1},
        {"destination": {"host": "web.other.svc.cluster.local", "subset": "b"}, "weight": 1},
    ]);
    object["spec"]["http"][0]["match"] = json!([{"uri": {"prefix": "/a"}}]);
    object["spec"]["http"].as_array_mut().unwrap().push(json!({"route": elsewhere}));
    let forbidden = objects::status(403, "Forbidden", "no");
    let api = objects::deployed((50, 50)).object("virtualservices", &object);
    let api = ["other", "istio-system", "istio-ingress"].iter().fold(api, |api, namespace| {
        let path = format!("/apis/networking.istio.io/v1/namespaces/{namespace}/destinationrules");
        api.raw_answer(&Method::GET, &path, 403, &forbidden)
    });
    let output = kubia(&api, "shift v2=30");
    assert_eq!(output.code, 0, "{output}");
    assert!(api.writes().iter().any(|write| write.starts_with("PATCH")), "{output}");

    let output = kubia(&api, "shift v3=30");
    assert_eq!(output.code, 3, "{output}");
    let unread = "not checked: labels of subsets (needs list destinationrules.networking.istio.io in namespace other)";
    assert!(output.to_string().contains(unread), "{output}");
}
