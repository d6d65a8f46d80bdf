//! What speaks against a shift: reasons to refuse it, each with the word that allows it all the same,
//! and reasons to think twice.

use std::{collections::BTreeSet, fmt};

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
    let changed: Vec<_> = shift.routes.iter().filter(|route| !route.is_unchanged()).collect();
    for route in &changed {
        let load = check_route(route, facts, &mut findings);
        let is_one_of_several = changed.len() > 1;
        for load in load {
            let route = &route.route.id;
            findings.warn(if is_one_of_several { format!("{route}: {load}") } else { load });
        }
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
        findings.warn(format!(
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
/// Each once, though several routes may shift it.
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
    let mut told = BTreeSet::new();
    unheard.map(|(version, _)| version).filter(|version| told.insert(*version)).collect()
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

    fn warn(&mut self, what: String) {
        if !self.warnings.contains(&what) {
            self.warnings.push(what);
        }
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
        Stance::Warned => findings.warn(owner.consequence()),
        Stance::Agreed => {}
    }
}

/// Checks one route, and returns what is to be said of the load of its pods.
fn check_route(route: &RouteShift, facts: &Facts, findings: &mut Findings) -> Vec<String> {
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
            Some((_, what)) if rises && facts.is_heard_of(version) => {
                findings.warn(format!("{what}, but every gateway proxy knows a healthy endpoint"));
            }
            Some((word, what)) if rises => findings.refuse(word, what),
            Some((_, what)) => findings.warn(what),
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
            findings.warn(format!(
                "{version}: consistentHash keeps a caller with a pod, not with a version"
            ));
        }
    }
    let ready: Vec<_> = behind.iter().map(ready).collect();
    load(route, &before, &after, &ready)
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
mod tests;
