//! On what a real Envoy answered: `tests/envoy`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    envoy::{self, RouteConfig},
    *,
};

const ROUTES: &str = include_str!("../../../tests/envoy/routes.json");
const LISTENERS: &[u8] = include_bytes!("../../../tests/envoy/listeners.json");
const SECRETS: &[u8] = include_bytes!("../../../tests/envoy/secrets.json");
const ENDPOINTS: &[u8] = include_bytes!("../../../tests/envoy/endpoints.json");
const VERSIONS: &[u8] = include_bytes!("../../../tests/envoy/versions.json");
const GATEWAY: &str = include_str!("../../../tests/envoy/gateway.json");
const VIRTUAL_SERVICE: &str = include_str!("../../../tests/envoy/virtual-service.json");

/// Where the default route stands in the dump: the HTTP and the HTTPS host.
const DEFAULT: [&str; 2] = [
    "/configs/0/route_config/virtual_hosts/0/routes/1",
    "/configs/1/route_config/virtual_hosts/0/routes/1",
];

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn pod() -> Pod {
    let labels = json!({"istio": "ingressgateway"});
    Pod::read(&json!({"metadata": {"namespace": "istio-system", "name": "gw", "labels": labels}}))
}

/// What is expected of the default route after an edit of the recorded VirtualService.
fn expectation(edit: impl FnOnce(&mut Value)) -> Expectation {
    let mut json = json(VIRTUAL_SERVICE);
    edit(&mut json);
    let root = VirtualService::new(json);
    Expectation {
        routes: merged::merge(&root, &[]),
        targets: vec![(root.object.clone(), "#1".parse().unwrap())],
        gateways: vec![Gateway::read(&self::json(GATEWAY))],
        root,
    }
}

fn configs(edit: impl FnOnce(&mut Value)) -> Vec<RouteConfig> {
    let mut dump = json(ROUTES);
    edit(&mut dump);
    envoy::route_configs(dump.to_string().as_bytes()).unwrap()
}

fn weights(dump: &mut Value, places: &[&str], weights: [u64; 2]) {
    for place in places {
        let clusters = format!("{place}/route/weighted_clusters/clusters");
        for (index, weight) in weights.into_iter().enumerate() {
            dump.pointer_mut(&clusters).unwrap()[index]["weight"] = weight.into();
        }
    }
}

/// Judges the recorded dump after edits of what is asked for and of what is run.
#[track_caller]
fn check(asked: impl FnOnce(&mut Value), run: impl FnOnce(&mut Value), expected: &str) {
    let standing = match expectation(asked).judge(&pod(), &configs(run)) {
        Standing::Right(places) => format!("right in {}", places.configs.len()),
        Standing::Other(routes, _) => {
            let shares: Vec<_> = routes.iter().map(|route| format!("{:?}", route.shares)).collect();
            shares.join(" and ")
        }
        Standing::Missing(what) | Standing::Unclear(what) => what,
    };
    assert_eq!(standing, expected);
}

fn ask(weights: [Option<u64>; 2]) -> impl FnOnce(&mut Value) {
    move |object| {
        for (index, weight) in weights.into_iter().enumerate() {
            let destination = &mut object["spec"]["http"][1]["route"][index];
            match weight {
                Some(weight) => destination["weight"] = weight.into(),
                None => drop(destination.as_object_mut().unwrap().remove("weight")),
            }
        }
    }
}

#[test]
fn weights_are_right_when_every_virtual_host_has_the_shares() {
    check(|_| {}, |_| {}, "right in 2");
    check(ask([Some(9), Some(1)]), |_| {}, "right in 2");
    check(ask([Some(70), Some(30)]), |_| {}, "[90.0, 10.0]");
    check(|_| {}, |dump| weights(dump, &DEFAULT[1..], [70, 30]), "[90.0, 10.0] and [70.0, 30.0]");
}

#[test]
fn a_share_of_0_is_proven_by_absence_and_100_by_being_alone() {
    let alone = |dump: &mut Value| {
        for place in DEFAULT {
            let clusters = format!("{place}/route/weighted_clusters/clusters");
            dump.pointer_mut(&clusters).unwrap().as_array_mut().unwrap().truncate(1);
        }
    };
    check(ask([Some(100), Some(0)]), alone, "right in 2");
    check(ask([Some(1), None]), alone, "right in 2");
    check(ask([Some(0), Some(100)]), alone, "[100.0, 0.0]");
    check(ask([Some(100), Some(0)]), |_| {}, "[90.0, 10.0]");
}

#[test]
fn destinations_that_are_one_cluster_are_told_apart_by_their_order() {
    let twice = |[first, second, v2]: [u64; 3]| {
        move |object: &mut Value| {
            let routes = &mut object["spec"]["http"][1]["route"];
            let mut again = routes[0].clone();
            again["headers"] = json!({"request": {"set": {"x": "again"}}});
            routes.as_array_mut().unwrap().insert(1, again);
            for (index, weight) in [first, second, v2].into_iter().enumerate() {
                routes[index]["weight"] = weight.into();
            }
        }
    };
    let run = |weights: &'static [u64]| {
        move |dump: &mut Value| {
            for place in DEFAULT {
                let clusters = format!("{place}/route/weighted_clusters/clusters");
                let clusters = dump.pointer_mut(&clusters).unwrap().as_array_mut().unwrap();
                clusters.splice(..0, vec![clusters[0].clone(); weights.len() - 2]);
                for (cluster, weight) in clusters.iter_mut().zip(weights) {
                    cluster["weight"] = (*weight).into();
                }
            }
        }
    };
    check(twice([68, 10, 22]), run(&[68, 10, 22]), "right in 2");
    check(twice([68, 10, 22]), run(&[10, 68, 22]), "[10.0, 68.0, 22.0]");
    let which =
        "which destination of outbound|8080|v1|web.lab.svc.cluster.local is meant cannot be told";
    check(twice([78, 0, 22]), run(&[78, 22]), which);
}

#[test]
fn a_pinned_route_with_the_same_destinations_is_not_taken_for_the_default() {
    // Its lone destination, v2, is one of those of the default route.
    let pinned_alone = |dump: &mut Value| {
        for config in 0..2 {
            let host = format!("/configs/{config}/route_config/virtual_hosts/0/routes");
            dump.pointer_mut(&host).unwrap().as_array_mut().unwrap().truncate(1);
        }
    };
    check(|_| {}, pinned_alone, "its routes cannot be told apart");
}

/// Two routes without names that lead to the same, each with a match, of which one is asked for.
fn two_unnamed(matches: &[Value; 2], target: &str) -> Expectation {
    let mut expectation = expectation(|object| {
        let to = object["spec"]["http"][1]["route"].clone();
        let mut other = to.clone();
        other[0]["weight"] = 50.into();
        other[1]["weight"] = 50.into();
        let routes = [(&matches[0], to), (&matches[1], other)];
        object["spec"]["http"] =
            routes.iter().map(|(each, route)| json!({"match": [each], "route": route})).collect();
    });
    expectation.targets[0].1 = target.parse().unwrap();
    expectation
}

/// The recorded dump with these matchers alone, each before the shares of the default route.
fn live_with(matchers: &[Value]) -> impl FnOnce(&mut Value) {
    move |dump: &mut Value| {
        for (place, config) in DEFAULT.iter().zip(0..) {
            let mut route = dump.pointer(place).unwrap().clone();
            route["name"] = "".into();
            let routes = matchers.iter().map(|matcher| {
                route["match"] = matcher.clone();
                route.clone()
            });
            let routes: Vec<_> = routes.collect();
            let at = format!("/configs/{config}/route_config/virtual_hosts/0/routes");
            *dump.pointer_mut(&at).unwrap() = routes.into();
        }
    }
}

#[test]
fn routes_that_changed_places_are_told_by_their_matches() {
    let prefix = |path: &str| json!({"prefix": path});
    let uri = |path: &str| json!({"uri": {"prefix": path}});
    // Both have 90/10 in the proxy, which is what the first is asked to have.
    let live = configs(live_with(&[prefix("/a"), prefix("/b")]));
    let judge = |matches: [Value; 2]| two_unnamed(&matches, "#0").judge(&pod(), &live);
    assert!(matches!(judge([uri("/a"), uri("/b")]), Standing::Right(_)));
    let swapped = judge([uri("/b"), uri("/a")]);
    assert_eq!(swapped, Standing::Unclear("its routes cannot be told apart".to_owned()));
}

#[test]
fn a_route_that_can_be_of_two_places_is_not_told() {
    let live = configs(live_with(&[json!({"prefix": "/"})]));
    for target in ["#0", "#1"] {
        let ports = [json!({"port": 80}), json!({"port": 8080})];
        let mut expectation = two_unnamed(&ports, target);
        let mut gateway = json(GATEWAY);
        gateway["spec"]["servers"][1] =
            json!({"port": {"number": 8080, "name": "b", "protocol": "HTTP"}, "hosts": ["*"]});
        expectation.gateways = vec![Gateway::read(&gateway)];
        let unclear = "its routes cannot be told apart".to_owned();
        assert_eq!(expectation.observe(&pod(), &live[..1]), Err(unclear), "{target}");
        // The name of a configuration of a server with TLS says which server it is.
        let ports = [json!({"port": 80}), json!({"port": 443})];
        let (routes, places) = two_unnamed(&ports, target).observe(&pod(), &live).unwrap();
        assert_eq!(routes.len(), 1, "{routes:?}");
        let config = if target == "#0" { "http.8080" } else { "https.443.https.gw.lab" };
        assert_eq!(places.configs, BTreeSet::from([config.to_owned()]));
    }
}

#[test]
fn a_redirect_is_no_route_that_leads_somewhere() {
    let mut expectation = expectation(|object| {
        let to = object["spec"]["http"][1]["route"].clone();
        let redirect = json!({"match": [{"port": 80}], "redirect": {"scheme": "https"}});
        object["spec"]["http"] = json!([redirect, {"route": to}]);
    });
    let mut gateway = json(GATEWAY);
    gateway["spec"]["servers"][1] =
        json!({"port": {"number": 443, "name": "b", "protocol": "HTTP"}, "hosts": ["*"]});
    expectation.gateways = vec![Gateway::read(&gateway)];
    let live = configs(|dump| {
        live_with(&[json!({"prefix": "/"})])(dump);
        dump["configs"][1]["route_config"]["name"] = "http.8443".into();
        let route = "/configs/0/route_config/virtual_hosts/0/routes/0";
        let route = dump.pointer_mut(route).unwrap().as_object_mut().unwrap();
        route.remove("route");
        route.insert("redirect".to_owned(), json!({"https_redirect": true}));
    });
    let Standing::Right(places) = expectation.judge(&pod(), &live) else {
        panic!("the second server has the weights")
    };
    assert_eq!(places.configs, BTreeSet::from(["http.8443".to_owned()]));
}

#[test]
fn a_route_that_is_missing_is_named() {
    let nothing = |dump: &mut Value| dump["configs"] = json!([]);
    check(|_| {}, nothing, "it has no route #1 of virtualservice/web in namespace lab");
    let http_alone = |dump: &mut Value| drop(dump["configs"].as_array_mut().unwrap().pop());
    check(|_| {}, http_alone, "it has no routes for https.443.https.gw.lab");
    let of_another = |dump: &mut Value| {
        *dump = json(&dump.to_string().replace("virtual-service/web", "virtual-service/other"));
    };
    check(|_| {}, of_another, "it has no route #1 of virtualservice/web in namespace lab");
}

#[test]
fn a_server_with_tls_has_routes_only_where_host_namespace_and_match_let_it() {
    let live = configs(|dump| drop(dump["configs"].as_array_mut().unwrap().pop()));
    let judge = |host: &str, route: &str, value: &Value| {
        let mut expectation = expectation(|object| {
            *object.pointer_mut("/spec/http/1").unwrap() = {
                let mut changed = object["spec"]["http"][1].clone();
                changed[route] = value.clone();
                changed
            };
        });
        let mut gateway = json(GATEWAY);
        gateway["spec"]["servers"][1]["hosts"] = json!([host]);
        expectation.gateways = vec![Gateway::read(&gateway)];
        match expectation.judge(&pod(), &live) {
            Standing::Right(_) => "right".to_owned(),
            Standing::Missing(what) => what,
            other => format!("{other:?}"),
        }
    };
    let missing = "it has no routes for https.443.https.gw.lab";
    for (host, expected) in [
        ("team-a/*", "right"),
        ("lab/*", missing),
        ("./*", missing),
        ("*/*", missing),
        ("*", missing),
        ("lab/*.elsewhere", "right"),
    ] {
        assert_eq!(judge(host, "name", &json!("")), expected, "{host}");
    }
    assert_eq!(judge("*", "match", &json!([{"port": 80}])), "right");
}

#[test]
fn gateways_that_share_port_and_host_have_the_routes_once_for_each() {
    // As istiod joins them: what takes every request comes last.
    let twice = |dump: &mut Value| {
        let routes = "/configs/0/route_config/virtual_hosts/0/routes";
        let routes = dump.pointer_mut(routes).unwrap().as_array_mut().unwrap();
        let (pinned, default) = (routes[0].clone(), routes[1].clone());
        *routes = vec![pinned.clone(), pinned, default.clone(), default];
    };
    let judge = |gateways: &[&str], edit: &dyn Fn(&mut Value)| {
        let mut expectation = expectation(|_| {});
        expectation.gateways = gateways
            .iter()
            .map(|name| {
                let mut gateway = json(GATEWAY);
                gateway["metadata"]["name"] = (*name).into();
                if *name != "gw" {
                    gateway["spec"]["servers"].as_array_mut().unwrap().pop();
                }
                Gateway::read(&gateway)
            })
            .collect();
        expectation.judge(&pod(), &configs(|dump| edit(dump)))
    };
    let two = ["gw", "other"];
    assert!(matches!(judge(&two, &twice), Standing::Right(_)));
    let unclear = Standing::Unclear("its routes cannot be told apart".to_owned());
    assert_eq!(judge(&["gw"], &twice), unclear);
    let second = "/configs/0/route_config/virtual_hosts/0/routes/3";
    let other = |dump: &mut Value| {
        twice(dump);
        weights(dump, &[second], [50, 50]);
    };
    assert!(matches!(judge(&two, &other), Standing::Other(..)));
    let three = |dump: &mut Value| {
        twice(dump);
        let routes = "/configs/0/route_config/virtual_hosts/0/routes";
        dump.pointer_mut(routes).unwrap().as_array_mut().unwrap().remove(0);
    };
    assert_eq!(judge(&two, &three), unclear);
}

#[test]
fn a_route_behind_one_of_its_own_that_takes_every_request_is_told() {
    let unserved = |first: Value, edit: &dyn Fn(&mut Value)| {
        let expectation = expectation(|object| {
            object["spec"]["http"][0]["match"] = first;
            edit(object);
        });
        expectation.unserved_target()
    };
    let nothing = |_: &mut Value| {};
    let why = "route #1 gets no requests: route #0 before it takes them all";
    for all in
        [json!([]), json!([{"uri": {"prefix": "/"}}]), json!([{"gateways": ["gw"]}, {"port": 80}])]
    {
        assert_eq!(unserved(all.clone(), &nothing).as_deref(), Some(why), "{all}");
    }
    for some in [
        json!([{"uri": {"prefix": "/a"}}]),
        json!([{"port": 80}]),
        json!([{"gateways": ["other"]}]),
        json!([{"sourceLabels": {"app": "web"}}]),
    ] {
        assert_eq!(unserved(some.clone(), &nothing), None, "{some}");
    }
    let also = |gateway: &'static str| {
        move |object: &mut Value| object["spec"]["gateways"] = json!(["gw", gateway])
    };
    // Of another Gateway nothing is known, nor of sidecars.
    assert_eq!(unserved(json!([{"gateways": ["gw"]}]), &also("unread")), None);
    assert_eq!(unserved(json!([{"gateways": ["gw"]}]), &also("mesh")), None);
    assert_eq!(unserved(json!([]), &also("mesh")).as_deref(), Some(why));
    let only_tls = |object: &mut Value| object["spec"]["http"][1]["match"] = json!([{"port": 443}]);
    assert_eq!(unserved(json!([{"port": 80}]), &only_tls), None);
    assert_eq!(unserved(json!([{"port": 443}]), &only_tls).as_deref(), Some(why));
    // Nor has it any where one of its own takes just these before it does.
    let behind = |matches: Value| {
        move |object: &mut Value| object["spec"]["http"][1]["match"] = matches.clone()
    };
    let (b, c) = (json!({"uri": {"prefix": "/b"}}), json!({"uri": {"exact": "/b/c"}}));
    for first in [json!([b]), json!([{"uri": {"exact": "/x"}}, b])] {
        assert_eq!(unserved(first.clone(), &behind(json!([b]))).as_deref(), Some(why), "{first}");
        assert_eq!(unserved(first, &behind(json!([b, c]))).as_deref(), Some(why));
    }
    assert_eq!(unserved(json!([c]), &behind(json!([b, c]))), None);
    assert_eq!(unserved(json!([b]), &behind(json!([b, {"uri": {"prefix": "/a"}}]))), None);
}

#[test]
fn a_destination_that_is_not_asked_for_makes_it_unclear() {
    let to_v3 = |dump: &mut Value| *dump = json(&dump.to_string().replace("|v1|", "|v3|"));
    check(|_| {}, to_v3, "its routes cannot be told apart");
}

#[test]
fn hosts_of_another_dns_domain_are_the_same_service() {
    let domain =
        |dump: &mut Value| *dump = json(&dump.to_string().replace("cluster.local", "corp"));
    check(|_| {}, domain, "right in 2");
}

#[test]
fn a_certificate_that_is_missing_is_an_obstacle_and_so_is_a_cluster_without_hosts() {
    let Standing::Right(places) = expectation(|_| {}).judge(&pod(), &configs(|_| {})) else {
        unreachable!("the recorded weights are right")
    };
    let healthy = envoy::healthy_clusters(ENDPOINTS).unwrap();
    let cluster = "outbound|8080|v1|web.lab.svc.cluster.local";
    assert_eq!(places.unhealthy(&healthy), Some(format!("{cluster} has no healthy host")));
    assert_eq!(places.unhealthy(&places.clusters), None);
    let mut front = Front {
        listeners: envoy::listeners(LISTENERS).unwrap(),
        secrets: envoy::secrets(SECRETS).unwrap(),
    };
    let obstacle = |front: &Front| places.obstacle(front).unwrap_or_default();
    assert_eq!(
        obstacle(&front),
        "the certificate kubernetes://cert of https.443.https.gw.lab is missing"
    );
    front.secrets = BTreeSet::from(["kubernetes://cert".to_owned()]);
    assert_eq!(obstacle(&front), "");
    let listener = front.listeners.remove(0);
    assert_eq!(obstacle(&front), "no listener serves http.8080");
    front.listeners.push(Listener { warming: listener.active, active: vec![] });
    assert_eq!(obstacle(&front), "the listener of http.8080 is warming");
}

#[test]
fn healthy_clusters_are_those_with_a_healthy_host() {
    let host = "kubia-service.lab2.svc.cluster.local";
    let healthy: Vec<_> = envoy::healthy_clusters(ENDPOINTS).unwrap().into_iter().collect();
    assert_eq!(
        healthy,
        ["dr-v1", "dr-v2", ""]
            .map(|subset| format!("outbound|8080|{subset}|{host}"))
            .iter()
            .cloned()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect::<Vec<_>>()
    );
    let sick = String::from_utf8_lossy(ENDPOINTS).replace("HEALTHY", "UNHEALTHY");
    assert!(envoy::healthy_clusters(sick.as_bytes()).unwrap().is_empty());
}

#[test]
fn a_route_before_ours_that_takes_all_its_requests_is_a_shadow() {
    let shadow = |matcher: Value, owner: &str| {
        let configs = configs(|dump| {
            let config =
                format!("/apis/networking.istio.io/v1/namespaces/lab/virtual-service/{owner}");
            let route = json!({"match": matcher, "route": {"cluster": "x"},
                               "metadata": {"filter_metadata": {"istio": {"config": config}}}});
            let routes = "/configs/0/route_config/virtual_hosts/0/routes";
            dump.pointer_mut(routes).unwrap().as_array_mut().unwrap().insert(0, route);
        });
        expectation(|_| {}).shadow(&pod(), &configs)
    };
    let other = "virtualservice/other in namespace lab".to_owned();
    assert_eq!(shadow(json!({"prefix": "/"}), "other"), Some(other));
    assert_eq!(shadow(json!({"prefix": "/api"}), "other"), None);
    assert_eq!(shadow(json!({"prefix": "/", "headers": [{"name": "x"}]}), "other"), None);
    assert_eq!(shadow(json!({"prefix": "/"}), "web"), None);
}

#[test]
fn a_state_is_known_from_the_whole_and_from_what_tells_it_apart() {
    let whole = envoy::route_configs(ROUTES.as_bytes()).unwrap();
    let whole: Vec<_> = whole.into_iter().map(|config| config.version).collect();
    assert_eq!(envoy::versions(ROUTES.as_bytes()).unwrap(), whole);
    assert_ne!(whole[0], whole[1]);
    assert_ne!(envoy::versions(VERSIONS).unwrap(), whole);
}

#[test]
fn dumps_in_another_shape_are_no_dumps() {
    assert_eq!(envoy::versions(VERSIONS).unwrap().len(), 2);
    assert_eq!(envoy::route_configs(b"{}").unwrap(), []);
    for dump in [&b"<html>"[..], b"", br#"{"configs": 1}"#, br#"{"configs": ["a"]}"#] {
        assert!(envoy::route_configs(dump).is_err(), "{}", String::from_utf8_lossy(dump));
    }
}

#[test]
fn what_runs_in_sidecars_alone_is_not_looked_for_at_gateways() {
    let check = |gateways: &[&str], matched: &[&str], expected: usize| {
        let mut expectation = expectation(|root| {
            root["spec"]["gateways"] = json!(gateways);
            root["spec"]["http"][1]["match"] = json!([{"gateways": matched}]);
        });
        expectation.leave_out_sidecars();
        assert_eq!((expectation.targets.len(), expectation.gateways.len()), (expected, expected));
    };
    check(&["gw", "mesh"], &["mesh"], 0);
    check(&["gw", "mesh"], &["gw", "mesh"], 1);
    check(&["gw"], &["mesh"], 1);
}

#[test]
fn only_what_is_for_the_mesh_runs_in_sidecars() {
    let check = |gateways: &[&str], matches: Value, expected: bool| {
        let expectation = expectation(|root| {
            root["spec"]["gateways"] = json!(gateways);
            root["spec"]["http"][1]["match"] = matches.clone();
        });
        assert_eq!(expectation.runs_in_sidecars(), expected, "{gateways:?} {matches}");
    };
    check(&["gw", "mesh"], json!([]), true);
    check(&["gw", "mesh"], json!([{"uri": {"prefix": "/a"}}]), true);
    check(&["gw", "mesh"], json!([{"gateways": ["gw"]}, {"gateways": ["mesh"]}]), true);
    check(&["gw", "mesh"], json!([{"gateways": ["gw"]}]), false);
    check(&["gw"], json!([]), false);
}
