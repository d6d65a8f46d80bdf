//! What speaks against a shift: reasons to refuse it, each with the word that allows it all the same,
//! and reasons to think twice.

use std::fmt;

use crate::domain::{
    backends::{Backends, Behind},
    object::ObjectRef,
    route::Destination,
    shift::{
        RouteShift, Shift,
        history::HistoryError,
        owner::{Owner, Stance},
    },
    split,
    text::listed,
};

/// A reason to refuse: the words of `--allow`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Word {
    /// A Service or subset does not exist.
    Missing,
    /// Nobody would answer.
    NoEndpoints,
    /// Another VirtualService takes the requests before this route does.
    Shadowed,
    /// A controller would put the weights back.
    Managed,
    /// The change cannot be recorded.
    Unrecorded,
    /// Weights are no longer what was recorded.
    Edited,
}

impl Word {
    /// Every word, as it is written.
    pub const ALL: [(&str, Self); 6] = [
        ("missing", Self::Missing),
        ("no-endpoints", Self::NoEndpoints),
        ("shadowed", Self::Shadowed),
        ("managed", Self::Managed),
        ("unrecorded", Self::Unrecorded),
        ("edited", Self::Edited),
    ];
}

impl fmt::Display for Word {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = Self::ALL.iter().find(|(_, word)| word == self).map_or("", |(text, _)| text);
        formatter.write_str(word)
    }
}

/// What was read to judge a shift by.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// What stands behind its destinations.
    pub backends: Backends,
    /// Who else manages the object.
    pub owners: Vec<Owner>,
    /// What its gateway proxies say.
    pub proxies: Vec<ProxyFacts>,
    /// The VirtualServices that serve the routes: several, for a delegate of several.
    pub roots: Vec<ObjectRef>,
    /// Why a route that is meant gets no requests anywhere, whatever its weights are.
    pub unserved: Option<String>,
    /// What could not be read, in words.
    pub not_checked: Vec<String>,
}

/// What one gateway proxy runs before a shift.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProxyFacts {
    /// The pod, as kubectl names it.
    pub pod: String,
    /// The VirtualService that takes the requests before a route that is meant.
    pub shadow: Option<String>,
    /// The versions it knows no healthy host of.
    pub without_hosts: Vec<String>,
}

/// The result of all checks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Why it is refused.
    pub refusals: Vec<Refusal>,
    /// What to think of, or what was allowed.
    pub warnings: Vec<String>,
    /// What could not be checked.
    pub not_checked: Vec<String>,
}

/// One reason to refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The word that allows it.
    pub word: Word,
    /// What is wrong.
    pub what: String,
    /// What to commit so that it need not be allowed each time: YAML of several lines.
    pub snippet: Option<String>,
}

/// A shift that was refused; nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{object}: {}; nothing was written", listed(.refusals.iter().map(|each| &each.what), "; "))]
pub struct GuardError {
    /// The VirtualService.
    pub object: ObjectRef,
    /// Why, at least one.
    pub refusals: Vec<Refusal>,
}

impl GuardError {
    /// Returns the words that allow it, each once.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let mut words: Vec<_> = self.refusals.iter().map(|refusal| refusal.word).collect();
        words.sort();
        words.dedup();
        words.iter().map(ToString::to_string).collect()
    }

    /// Returns what to commit so that it need not be allowed each time: YAML.
    #[must_use]
    pub fn snippets(&self) -> Vec<&str> {
        self.refusals.iter().filter_map(|refusal| refusal.snippet.as_deref()).collect()
    }
}

/// Checks a shift.
#[must_use]
pub fn check(shift: &Shift, facts: &Facts) -> Findings {
    let mut findings = Findings { not_checked: facts.not_checked.clone(), ..Findings::default() };
    for route in shift.routes.iter().filter(|route| !route.is_unchanged()) {
        check_route(route, facts, &mut findings);
    }
    for owner in &facts.owners {
        check_owner(shift, owner, &mut findings);
    }
    for proxy in &facts.proxies {
        if let Some(shadow) = &proxy.shadow {
            let pod = &proxy.pod;
            findings.refuse(
                Word::Shadowed,
                format!("on {pod}, {shadow} takes these requests before it does"),
            );
        }
    }
    if let Some(why) = &facts.unserved {
        findings.refuse(Word::Shadowed, why.clone());
    }
    if let [_, _, ..] = facts.roots.as_slice() {
        let roots: Vec<_> = facts.roots.iter().map(ToString::to_string).collect();
        findings.warnings.push(format!(
            "{} is a part of {}: all get these weights",
            shift.virtual_service.object,
            roots.join(" and ")
        ));
    }
    findings.not_checked.sort();
    findings.not_checked.dedup();
    findings
}

/// Returns the versions that the API server and the proxies disagree about: it has ready pods that some
/// proxy does not know of yet or, unless that is allowed, none where every proxy knows a healthy host.
#[must_use]
pub fn unheard<'a>(shift: &'a Shift, facts: &Facts, allowed: &[Word]) -> Vec<&'a str> {
    let unheard = shift.rising().filter(|(version, destination)| {
        let behind = facts.backends.behind(destination);
        if let Some((word, _)) = problem(version, destination, &behind) {
            return facts.is_heard_of(version) && !allowed.contains(&word);
        }
        ready(&behind).is_some()
            && facts.proxies.iter().any(|proxy| proxy.lacks(version))
            && !allowed.contains(&Word::NoEndpoints)
    });
    unheard.map(|(version, _)| version).collect()
}

impl Facts {
    /// Whether every proxy was read, and knows a healthy host of a version that is to get more.
    fn is_heard_of(&self, version: &str) -> bool {
        !self.proxies.is_empty()
            && self.not_checked.is_empty()
            && !self.proxies.iter().any(|proxy| proxy.lacks(version))
    }
}

impl ProxyFacts {
    fn lacks(&self, version: &str) -> bool {
        self.without_hosts.iter().any(|each| each == version)
    }
}

impl Findings {
    /// Adds where weights are no longer what was recorded.
    pub fn edited(&mut self, edits: &[String]) {
        edits.iter().for_each(|edit| self.refuse(Word::Edited, edit.clone()));
    }

    /// Adds that a change cannot be recorded.
    pub fn unrecorded(&mut self, error: &HistoryError) {
        self.refuse(Word::Unrecorded, error.to_string());
    }

    /// Makes warnings of what is allowed, and an error of the rest.
    ///
    /// # Errors
    /// [`GuardError`] when something is not allowed.
    pub fn allow(&mut self, object: &ObjectRef, words: &[Word]) -> Result<(), GuardError> {
        let refusals = std::mem::take(&mut self.refusals);
        let (allowed, refusals): (Vec<_>, Vec<_>) =
            refusals.into_iter().partition(|refusal| words.contains(&refusal.word));
        let allowed =
            allowed.into_iter().map(|each| format!("{} ({} is allowed)", each.what, each.word));
        self.warnings.extend(allowed);
        if refusals.is_empty() {
            return Ok(());
        }
        Err(GuardError { object: object.clone(), refusals })
    }

    fn refuse(&mut self, word: Word, what: String) {
        let refusal = Refusal { word, what, snippet: None };
        if !self.refusals.contains(&refusal) {
            self.refusals.push(refusal);
        }
    }
}

fn check_owner(shift: &Shift, owner: &Owner, findings: &mut Findings) {
    match owner.stance {
        Stance::Refused => findings.refusals.push(Refusal {
            word: Word::Managed,
            what: owner.consequence(),
            snippet: owner.snippet(&shift.virtual_service.json),
        }),
        Stance::Warned => findings.warnings.push(owner.consequence()),
        Stance::Agreed => {}
    }
}

fn check_route(route: &RouteShift, facts: &Facts, findings: &mut Findings) {
    let (before, after) = (route.route.shares(), route.shares());
    let destinations = &route.route.destinations;
    let behind: Vec<_> = destinations.iter().map(|each| facts.backends.behind(each)).collect();
    for (index, destination) in destinations.iter().enumerate().filter(|(at, _)| after[*at] > 0.0) {
        let version = &route.versions[index];
        if let Behind::Unknown(why) = &behind[index] {
            findings.not_checked.push(format!("endpoints of {version} ({why})"));
        }
        // Who gets less is not made worse; a proxy that knows nobody counts only where the API does.
        let rises = after[index] > before[index];
        match problem(version, destination, &behind[index]) {
            // Pods of another cluster, or a ServiceEntry.
            Some((_, what)) if rises && facts.is_heard_of(version) => findings
                .warnings
                .push(format!("{what}, but every gateway proxy knows a healthy endpoint")),
            Some((word, what)) if rises => findings.refuse(word, what),
            Some((_, what)) => findings.warnings.push(what),
            None if rises => check_proxies(version, facts, findings),
            None => {}
        }
        // Proxies that could be asked tell it themselves.
        if rises
            && facts.proxies.is_empty()
            && let Some(namespace) = facts.backends.private_rule(destination)
        {
            let rule = format!("the DestinationRule of {version} in namespace {namespace}");
            findings.not_checked.push(format!("whether gateways use {rule}"));
        }
        let is_sticky =
            destination.find_subset(&facts.backends.subsets).is_some_and(|each| each.is_sticky);
        if after[index] < 100.0 && is_sticky {
            findings.warnings.push(format!(
                "{version}: consistentHash keeps a caller with a pod, not with a version"
            ));
        }
    }
    let ready: Vec<_> = behind.iter().map(ready).collect();
    findings.warnings.extend(load(route, &before, &after, &ready));
}

/// Says why a destination cannot take requests.
fn problem(version: &str, to: &Destination, behind: &Behind<'_>) -> Option<(Word, String)> {
    match behind {
        Behind::NoService(service) => {
            Some((Word::Missing, format!("{version}: {service} does not exist")))
        }
        Behind::NoSubset => {
            let what =
                format!("{version}: no DestinationRule has subset {} of {}", to.subset, to.host);
            Some((Word::Missing, what))
        }
        Behind::Pods(pods) => (ready(behind) == Some(0))
            .then(|| (Word::NoEndpoints, no_endpoints(version, pods.len()))),
        Behind::Failed(why) => {
            Some((Word::NoEndpoints, format!("endpoints of {version} are not known ({why})")))
        }
        Behind::Unknown(_) => None,
    }
}

/// How many pods take requests, where it is known.
fn ready(behind: &Behind<'_>) -> Option<usize> {
    match behind {
        Behind::Pods(pods) => Some(pods.iter().filter(|pod| pod.serves()).count()),
        _ => None,
    }
}

fn no_endpoints(version: &str, pods: usize) -> String {
    match pods {
        0 => format!("{version} has no pods"),
        _ => format!("{version}: none of its {pods} pods is ready"),
    }
}

fn check_proxies(version: &str, facts: &Facts, findings: &mut Findings) {
    for proxy in &facts.proxies {
        if proxy.lacks(version) {
            let pod = &proxy.pod;
            findings
                .refuse(Word::NoEndpoints, format!("{pod} knows no healthy endpoint of {version}"));
        }
    }
}

/// The versions whose pods would get more than any pod of the route got before.
#[expect(clippy::cast_precision_loss, reason = "there are fewer pods than 2^52")]
fn load(route: &RouteShift, before: &[f64], after: &[f64], ready: &[Option<usize>]) -> Vec<String> {
    let Some(ready) = ready.iter().copied().collect::<Option<Vec<_>>>() else { return vec![] };
    let per_pod = |share: f64, pods: usize| if pods == 0 { 0.0 } else { share / pods as f64 };
    let most = before.iter().zip(&ready).map(|(share, pods)| per_pod(*share, *pods));
    let most = most.fold(0.0, f64::max);
    let total: usize = ready.iter().sum();
    let versions = route.versions.iter().enumerate().filter_map(|(index, version)| {
        let (share, pods) = (after[index], ready[index]);
        let times = per_pod(share, pods) / most;
        (most > 0.0 && share > before[index] && times > 1.05).then(|| {
            format!(
                "{version}: {} % on {pods} of {total} pods, {times:.1} × the load per pod of before",
                split::display(share)
            )
        })
    });
    versions.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::{
        backends::Reading,
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
        facts.backends.services[0].1 = Reading::Failed("no answer within 4 s".to_owned());
        let what = "endpoints of v2 are not known (no answer within 4 s)";
        let warned = "endpoints of v1 are not known (no answer within 4 s)";
        check(&shift([90, 10], [70, 30]), &facts, &[(Word::NoEndpoints, what)], [&[warned], &[]]);
    }

    #[test]
    fn what_could_not_be_read_is_told_once_and_refuses_nothing() {
        let mut facts = facts([4, 4]);
        facts.backends.services[0].1 = Reading::Unread("needs list pods".to_owned());
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
        assert_eq!(
            findings.warnings[0],
            "v2: none of its 1 pods is ready (no-endpoints is allowed)"
        );
    }

    #[test]
    fn words_are_written_as_they_are_read() {
        for (text, word) in Word::ALL {
            assert_eq!(word.to_string(), text);
        }
    }
}
