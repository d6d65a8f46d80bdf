use serde_json::{Value, json};

use super::*;
use crate::domain::{
    backends::{Reading, Unread},
    object::Kind,
    shift::owner,
    snapshot::{Pod, Service, Subset},
    virtual_service::VirtualService,
};

/// A shift of one route, to subsets `v1` and `v2` of `web`.
fn shift(before: [u64; 2], after: [u64; 2]) -> Shift {
    let to = ["v1", "v2"].iter().zip(before).map(|(subset, weight)| {
        json!({"destination": {"host": "web", "subset": subset}, "weight": weight})
    });
    let object = json!({"metadata": {"namespace": "shop", "name": "reviews"},
                        "spec": {"http": [{"route": to.collect::<Vec<_>>()}]}});
    let virtual_service = VirtualService::new(object);
    let route = virtual_service.routes().remove(0);
    let versions = vec!["v1".to_owned(), "v2".to_owned()];
    let routes = vec![RouteShift { route, versions, after: after.map(Some).to_vec() }];
    Shift { virtual_service, routes, untouched: vec![] }
}

/// Host `web` with so many ready pods of each version.
fn facts(ready: [usize; 2]) -> Facts {
    let pods = ["v1", "v2"].iter().zip(ready).flat_map(|(version, ready)| {
        // One of each is never ready.
        (0..=ready).map(move |index| {
            let status = if index == 0 { "False" } else { "True" };
            Pod::read(&json!({
                "metadata": {"labels": {"app": "web", "version": version}},
                "status": {"conditions": [{"type": "Ready", "status": status}]},
            }))
        })
    });
    let service = Service::read(&json!({"spec": {"selector": {"app": "web"}}}));
    let reading = Reading::Found(Box::new(service), pods.collect());
    let subset = |name: &str| Subset {
        host: "web.shop.svc.cluster.local".to_owned(),
        name: name.to_owned(),
        labels: [("version".to_owned(), name.to_owned())].into(),
        namespace: "shop".to_owned(),
        ..Subset::default()
    };
    let backends = Backends {
        services: vec![(ObjectRef::new(Kind::Service, "shop", "web"), reading)],
        subsets: vec![subset("v1"), subset("v2")],
        subsets_unread: None,
    };
    Facts { backends, ..Facts::default() }
}

fn owned(metadata: &Value) -> Facts {
    let owners = owner::owners(&json!({"metadata": metadata}));
    Facts { owners, ..facts([2, 2]) }
}

fn proxy(shadow: Option<&str>, without_hosts: &[&str]) -> ProxyFacts {
    ProxyFacts {
        pod: "pod/gateway-1".to_owned(),
        shadow: shadow.map(str::to_owned),
        without_hosts: without_hosts.iter().map(|each| (*each).to_owned()).collect(),
    }
}

/// Checks what speaks against `shift`: refusals with their word, then warnings and gaps.
#[track_caller]
fn check(shift: &Shift, facts: &Facts, refusals: &[(Word, &str)], others: [&[&str]; 2]) {
    let findings = super::check(shift, facts);
    let found: Vec<_> =
        findings.refusals.iter().map(|each| (each.word, each.what.as_str())).collect();
    assert_eq!(found, refusals);
    assert_eq!([findings.warnings, findings.not_checked], others);
}

const NOTHING: [&[&str]; 2] = [&[], &[]];

#[test]
fn nothing_speaks_against_traffic_that_arrives() {
    check(&shift([50, 50], [50, 50]), &facts([1, 0]), &[], NOTHING);
    check(&shift([50, 50], [40, 60]), &facts([4, 5]), &[], NOTHING);
}

#[test]
fn a_version_without_ready_pods_gets_nothing_more() {
    let none = "v2: none of its 1 pods is ready";
    check(&shift([90, 10], [70, 30]), &facts([4, 0]), &[(Word::NoEndpoints, none)], NOTHING);
    // Who gets less is not made worse, and who gets nothing is nobody's loss.
    check(&shift([98, 2], [99, 1]), &facts([4, 0]), &[], [&[none], &[]]);
    check(&shift([98, 2], [100, 0]), &facts([4, 0]), &[], NOTHING);
}

#[test]
fn what_does_not_exist_gets_nothing_more() {
    let shift = shift([90, 10], [70, 30]);
    let mut facts = facts([4, 4]);
    facts.backends.subsets.pop();
    let what = "v2: no DestinationRule has subset v2 of web.shop.svc.cluster.local";
    check(&shift, &facts, &[(Word::Missing, what)], NOTHING);

    facts.backends.services[0].1 = Reading::Absent;
    let what = "service/web in namespace shop does not exist";
    let (v1, v2) = (format!("v1: {what}"), format!("v2: {what}"));
    check(&shift, &facts, &[(Word::Missing, &v2)], [&[&v1], &[]]);
}

#[test]
fn what_every_proxy_knows_an_endpoint_of_is_warned_of_wherever_that_is() {
    let shift = shift([90, 10], [70, 30]);
    let here = |proxies: Vec<ProxyFacts>| Facts { proxies, ..facts([4, 0]) };
    let why = "v2: none of its 1 pods is ready";
    let but = format!("{why}, but every gateway proxy knows a healthy endpoint");
    let all = here(vec![proxy(None, &[]), proxy(None, &[])]);
    check(&shift, &all, &[], [&[&but], &[]]);
    assert_eq!(unheard(&shift, &all, &[]), ["v2"]);
    assert_eq!(unheard(&shift, &all, &[Word::NoEndpoints]), [""; 0]);

    // Unless one does not, or could not be asked.
    let refused: &[(Word, &str)] = &[(Word::NoEndpoints, why)];
    let one = here(vec![proxy(None, &[]), proxy(None, &["v2"])]);
    check(&shift, &one, refused, NOTHING);
    assert_eq!(unheard(&shift, &one, &[]), [""; 0]);
    let unread = Facts { not_checked: vec!["a proxy".to_owned()], ..all.clone() };
    check(&shift, &unread, refused, [&[], &["a proxy"]]);

    let mut entry = all;
    entry.backends.services[0].1 = Reading::Absent;
    let findings = super::check(&shift, &entry);
    assert_eq!(findings.refusals, []);
}

#[test]
fn a_rule_that_gateways_may_not_use_is_not_checked_where_they_could_not_be_asked() {
    let shift = shift([90, 10], [70, 30]);
    let mut facts = facts([4, 4]);
    facts.backends.subsets[1].is_private = true;
    let what = "whether gateways use the DestinationRule of v2 in namespace shop";
    check(&shift, &facts, &[], [&[], &[what]]);
    facts.proxies = vec![proxy(None, &[])];
    check(&shift, &facts, &[], NOTHING);
    facts.proxies.clear();
    facts.backends.subsets[1].is_private = false;
    facts.backends.subsets[1].namespace = "elsewhere".to_owned();
    let what = "whether gateways use the DestinationRule of v2 in namespace elsewhere";
    check(&shift, &facts, &[], [&[], &[what]]);
}

#[test]
fn what_the_api_server_did_not_say_is_refused_where_the_share_rises() {
    let mut facts = facts([4, 4]);
    facts.backends.services[0].1 =
        Reading::Unread(Unread::Failed("no answer within 4 s".to_owned()));
    let what = "endpoints of v2 are not known (no answer within 4 s)";
    let warned = "endpoints of v1 are not known (no answer within 4 s)";
    check(&shift([90, 10], [70, 30]), &facts, &[(Word::NoEndpoints, what)], [&[warned], &[]]);
}

#[test]
fn what_could_not_be_read_is_told_once_and_refuses_nothing() {
    let mut facts = facts([4, 4]);
    facts.backends.services[0].1 = Reading::Unread(Unread::Denied("needs list pods".to_owned()));
    facts.not_checked = vec!["owners".to_owned(), "owners".to_owned()];
    let gaps: &[&str] =
        &["endpoints of v1 (needs list pods)", "endpoints of v2 (needs list pods)", "owners"];
    check(&shift([90, 10], [70, 30]), &facts, &[], [&[], gaps]);
}

#[test]
fn a_proxy_that_knows_no_healthy_endpoint_counts_where_the_share_rises() {
    let what = "pod/gateway-1 knows no healthy endpoint of v2";
    let proxies = vec![proxy(None, &["v2"]), proxy(None, &[]), proxy(None, &["v2"])];
    let facts = Facts { proxies, ..facts([4, 4]) };
    check(
        &shift([50, 50], [40, 60]),
        &facts,
        &[(Word::NoEndpoints, what)],
        [&["v2: 60 % on 4 of 8 pods, 1.2 × the load per pod of before"], &[]],
    );
    let words = ["v1: 60 % on 4 of 8 pods, 1.2 × the load per pod of before"];
    check(&shift([50, 50], [60, 40]), &facts, &[], [&words, &[]]);
}

#[test]
fn a_route_behind_another_one_is_refused() {
    let shadow = "virtualservice/old in namespace shop";
    let facts = Facts { proxies: vec![proxy(Some(shadow), &[])], ..facts([4, 5]) };
    let what = format!("on pod/gateway-1, {shadow} takes these requests before it does");
    check(&shift([50, 50], [40, 60]), &facts, &[(Word::Shadowed, &what)], NOTHING);
}

#[test]
fn owners_refuse_or_warn() {
    let shift = shift([50, 50], [49, 51]);
    let refused = owned(&json!({"ownerReferences": [{"kind": "Canary", "name": "web",
                                    "apiVersion": "flagger.app/v1beta1"}]}));
    let findings = super::check(&shift, &refused);
    assert_eq!(findings.refusals[0].word, Word::Managed);
    let warned = owned(&json!({"labels": {"kiali_wizard": "traffic_shifting"}}));
    let findings = super::check(&shift, &warned);
    assert_eq!((findings.refusals.len(), findings.warnings.len()), (0, 1));
}

#[test]
fn a_sticky_version_is_warned_of_unless_it_takes_all() {
    let mut facts = facts([4, 5]);
    facts.backends.subsets[1].is_sticky = true;
    let words = "v2: consistentHash keeps a caller with a pod, not with a version";
    check(&shift([50, 50], [45, 55]), &facts, &[], [&[words], &[]]);
    facts.backends.subsets[0].is_sticky = false;
    let words = "v2: 100 % on 5 of 9 pods, 1.6 × the load per pod of before";
    check(&shift([50, 50], [0, 100]), &facts, &[], [&[words], &[]]);
}

#[test]
fn load_is_told_where_a_pod_would_get_more_than_any_did() {
    let words = "v2: 30 % on 1 of 4 pods, 1.2 × the load per pod of before";
    check(&shift([75, 25], [70, 30]), &facts([3, 1]), &[], [&[words], &[]]);
    check(&shift([95, 5], [90, 10]), &facts([3, 1]), &[], NOTHING);
}

#[test]
fn a_version_that_several_routes_shift_is_said_once() {
    let mut several = shift([75, 25], [70, 30]);
    let (rises, falls) = (several.routes[0].clone(), shift([75, 25], [80, 20]).routes.remove(0));
    several.routes.extend([falls.clone(), rises, falls]);
    let facts = Facts { proxies: vec![proxy(None, &["v1", "v2"])], ..facts([3, 1]) };
    assert_eq!(unheard(&several, &facts, &[]), ["v2", "v1"]);
}

#[test]
fn load_is_told_of_each_of_several_routes_and_the_rest_once() {
    let mut both = shift([75, 25], [70, 30]);
    let mut second = both.routes[0].clone();
    second.route.id.index = 1;
    both.routes.push(second);
    let mut facts = facts([3, 1]);
    facts.backends.subsets[1].is_sticky = true;
    let sticky = "v2: consistentHash keeps a caller with a pod, not with a version";
    let load = "v2: 30 % on 1 of 4 pods, 1.2 × the load per pod of before";
    let (first, second) = (format!("#0: {load}"), format!("#1: {load}"));
    check(&both, &facts, &[], [&[sticky, &first, &second], &[]]);
}

#[test]
fn what_is_allowed_becomes_a_warning_and_the_rest_an_error() {
    let object = ObjectRef::new(Kind::VirtualService, "shop", "reviews");
    let mut findings = super::check(&shift([90, 10], [70, 30]), &facts([4, 0]));
    findings.edited(&["edited".to_owned()]);
    findings.unrecorded(&HistoryError::TooLarge { object: object.clone() });

    let error = findings.clone().allow(&object, &[Word::NoEndpoints]).unwrap_err();
    assert_eq!(error.words(), ["unrecorded", "edited"]);
    assert_eq!(
        error.to_string(),
        "virtualservice/reviews in namespace shop: edited; the change of \
         virtualservice/reviews in namespace shop is too large to be recorded (16384 bytes at \
         most); nothing was written"
    );
    assert!(error.snippets().is_empty());

    let all = Word::ALL.map(|(_, word)| word);
    findings.allow(&object, &all).unwrap();
    assert_eq!(findings.refusals, []);
    assert_eq!(findings.warnings[0], "v2: none of its 1 pods is ready (no-endpoints is allowed)");
}

#[test]
fn words_are_written_as_they_are_read() {
    for (text, word) in Word::ALL {
        assert_eq!(word.to_string(), text);
    }
}
