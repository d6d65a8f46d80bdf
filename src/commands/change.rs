//! What `shift` and `undo` have in common once the new weights are planned: guards, the one write, the
//! proof, the result.

use std::time::Duration;

use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser},
};
use tokio::time::{Instant, sleep};

use super::{DryRunArgs, Invocation, interrupt::Interrupt, proof::Watch, recorded_user};
use crate::{
    cluster::{ApiError, Cluster, Failure},
    domain::{
        backends::Backends,
        plan::{Action, DryRun, Operation, Outcome},
        proof::evidence::{Evidence, Verdict},
        shift::{
            Shift, Snapshot,
            guard::{self, Facts, Word},
            history::{Entry, History, Undone},
            owner, patch,
        },
        text::listed,
    },
    error::Error,
    view::change::{ShiftResult, announcement},
};

/// The most characters of a reason.
const REASON_LIMIT: usize = 200;

/// How long an interrupted write may still take before it is asked what became of it.
const GRACE: Duration = Duration::from_secs(2);

/// How long to wait before proxies are looked at again before a write.
const AGAIN: Duration = Duration::from_millis(200);

/// How long proxies may take to say what they run before a write, which must not wait for long.
const LOOKING: Duration = Duration::from_secs(10);

/// How long proxies may take to hear of pods that are ready: istiod collects changes for up to 10 s.
const HEARING: Duration = Duration::from_secs(10);

/// Flags of the commands that change weights.
#[derive(Args, Clone, Debug)]
pub struct ChangeArgs {
    /// Record why, for `history`
    #[arg(long, value_name = "TEXT", value_parser = parse_reason)]
    reason: Option<String>,
    /// Go on although this speaks against it; a refusal says its word
    #[arg(long, value_name = "WORD", value_delimiter = ',', value_parser = words())]
    allow: Vec<Word>,
    /// Prove that the gateway proxies run the weights: where that can be seen, or else fail
    #[arg(long, value_name = "HOW", default_value = "auto", value_parser = modes())]
    proof: ProofMode,
    /// Give up on the proof after this time
    #[arg(long, default_value = "30s", value_name = "TIME", value_parser = super::parse_duration,
          allow_hyphen_values = true)]
    timeout: Duration,
    #[command(flatten)]
    dry_run: DryRunArgs,
}

/// How much a proof matters: `--proof`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProofMode {
    /// Proves what can be seen, and says what cannot.
    #[default]
    Auto,
    /// Anything but a proof is a failure.
    Require,
    /// Does not look.
    None,
}

fn modes() -> impl TypedValueParser<Value = ProofMode> {
    PossibleValuesParser::new(["auto", "require", "none"]).map(|name| match name.as_str() {
        "require" => ProofMode::Require,
        "none" => ProofMode::None,
        _ => ProofMode::Auto,
    })
}

fn words() -> impl TypedValueParser<Value = Word> {
    PossibleValuesParser::new(Word::ALL.map(|(text, _)| text)).map(|name| {
        let word = Word::ALL.into_iter().find(|(text, _)| *text == name);
        word.expect("clap allows only these words").1
    })
}

fn parse_reason(text: &str) -> Result<String, String> {
    if text.chars().count() > REASON_LIMIT {
        return Err(format!("a reason has at most {REASON_LIMIT} characters"));
    }
    Ok(text.to_owned())
}

/// A change of weights that has been planned.
pub(super) struct Change {
    /// What was read.
    pub(super) snapshot: Snapshot,
    /// The new weights.
    pub(super) shift: Shift,
    /// What it takes back, for an undo.
    pub(super) undo: Option<Undone>,
    /// Where somebody changed weights since they were recorded.
    pub(super) edited: Vec<String>,
}

/// Carries out a change: guards, one write, proof, result.
pub(super) async fn carry_out(
    invocation: &mut Invocation<'_>,
    cluster: &Cluster,
    change: &Change,
    args: &ChangeArgs,
) -> Result<(), Error> {
    let (shift, dry_run) = (&change.shift, args.dry_run.get());
    announcement(&cluster.context, shift).iter().for_each(|line| invocation.note(line));
    let mut interrupt = Interrupt::new();
    let preparing = Box::pin(prepare(invocation, cluster, change, args));
    let Some(ready) = interrupt.before(preparing).await else {
        let object = shift.virtual_service.object.clone();
        return Err(Error::Interrupted { object, now: Some(shift.before()) });
    };
    let (history, mut watch) = ready?;
    let action = shift.action(history);
    let writing = write(cluster, action.as_ref(), dry_run, watch.as_mut());
    let Some(written) = interrupt.or(invocation, GRACE, writing).await else {
        return Err(interrupt.explain(cluster, shift).await);
    };
    let written = written?;
    let is_written = written == Outcome::Patched && dry_run == DryRun::None;
    let mut result = ShiftResult::new(&cluster.context, shift, written, dry_run);
    if let Some(watch) = watch.as_mut().filter(|_| dry_run == DryRun::None) {
        let proving = watch.prove(cluster, shift, written == Outcome::Patched, args.timeout);
        let Some(evidence) = interrupt.or(invocation, Duration::ZERO, proving).await else {
            return Err(interrupt.explain(cluster, shift).await);
        };
        result.prove(&evidence, shift);
        let shown = show(invocation, &result, is_written);
        return outcome(change, args, &evidence).and(shown);
    }
    show(invocation, &result, is_written)
}

/// Shows the result; where that fails, what was written is said at least on stderr.
fn show(
    invocation: &mut Invocation<'_>,
    result: &ShiftResult,
    is_written: bool,
) -> Result<(), Error> {
    let shown = invocation.show(result);
    if shown.is_err() && is_written {
        invocation.note("the weights are written");
    }
    shown
}

/// Reads and judges what there is before the write; returns the history to write.
async fn prepare(
    invocation: &mut Invocation<'_>,
    cluster: &Cluster,
    change: &Change,
    args: &ChangeArgs,
) -> Result<(Option<String>, Option<Watch>), Error> {
    let (mut facts, user, mut watch) = look(cluster, change, args).await;
    if let Some(watch) = &mut watch {
        wait_heard(invocation, cluster, change, args, (&mut facts, watch)).await;
        let unread = watch.not_checked().iter();
        let unread = unread.map(|why| format!("whether the route is shadowed ({why})"));
        facts.not_checked.extend(unread);
        watch.note_shadows(&facts.proxies);
        facts.unserved.iter().for_each(|why| watch.gap(why.clone()));
    }
    let history = judge(invocation, change, args, &facts, user)?;
    if let (ProofMode::Require, Some(watch)) = (args.proof, &mut watch) {
        require_provable(cluster, change, args, watch).await?;
    }
    Ok((history, watch))
}

/// Reads what a change is judged by. An unchanged one needs no guards, and is not recorded.
async fn look(
    cluster: &Cluster,
    change: &Change,
    args: &ChangeArgs,
) -> (Facts, Option<String>, Option<Watch>) {
    let shift = &change.shift;
    let backends = async {
        if shift.is_unchanged() {
            return Backends::default();
        }
        cluster.backends(shift.routes.iter().map(|each| &each.route)).await
    };
    let user = async {
        let is_written = !shift.is_unchanged() && args.dry_run.get() != DryRun::Client;
        if is_written { recorded_user(cluster).await } else { None }
    };
    let watch = async {
        if args.proof == ProofMode::None {
            return (None, vec![]);
        }
        let object = &shift.virtual_service.object;
        let targets = shift.routes.iter().map(|each| (object.clone(), each.route.id)).collect();
        let mut watch = Watch::new(cluster, &change.snapshot, shift.applied(), targets).await;
        let proxies = watch.look(cluster, shift, Instant::now() + LOOKING).await;
        (Some(watch), proxies)
    };
    let (backends, user, (watch, proxies)) = tokio::join!(backends, user, watch);
    let facts = Facts {
        backends: Backends {
            subsets: change.snapshot.subsets.clone(),
            subsets_unread: change.snapshot.subsets_unread.clone(),
            ..backends
        },
        owners: owner::owners(&shift.virtual_service.json),
        proxies,
        roots: watch.as_ref().map(Watch::roots).unwrap_or_default(),
        unserved: watch.as_ref().and_then(Watch::unserved),
        not_checked: vec![],
    };
    (facts, user, watch)
}

/// Waits until the proxies know the pods of each version that is to get more as the API server does:
/// right after a deploy they do not, nor right after pods went.
async fn wait_heard(
    invocation: &mut Invocation<'_>,
    cluster: &Cluster,
    change: &Change,
    args: &ChangeArgs,
    (facts, watch): (&mut Facts, &mut Watch),
) {
    let shift = &change.shift;
    let unheard = guard::unheard(shift, facts, &args.allow);
    if unheard.is_empty() {
        return;
    }
    let deadline = Instant::now() + HEARING.min(args.timeout);
    let versions = listed(unheard, " and ");
    invocation.note(&format!("waiting for the gateway proxies to hear of {versions}"));
    while !guard::unheard(shift, facts, &args.allow).is_empty() && Instant::now() < deadline {
        sleep(AGAIN).await;
        watch.look_again(cluster, shift, &mut facts.proxies, deadline).await;
    }
}

/// Applies the guards, says what they found, and returns the history to write.
fn judge(
    invocation: &mut Invocation<'_>,
    change: &Change,
    args: &ChangeArgs,
    facts: &Facts,
    user: Option<String>,
) -> Result<Option<String>, Error> {
    let shift = &change.shift;
    if shift.is_unchanged() {
        return Ok(None);
    }
    let mut findings = guard::check(shift, facts);
    findings.edited(&change.edited);
    let object = &shift.virtual_service.object;
    let entry = shift.entry(invocation.now, user, args.reason.clone());
    let entry = Entry { undo: change.undo, ..entry };
    let history = History::read(object, &shift.virtual_service.json)
        .and_then(|history| history.with(object, entry));
    let history = history.map_err(|error| findings.unrecorded(&error)).ok();
    let allowed = findings.allow(object, &args.allow);
    for warning in &findings.warnings {
        invocation.note(&format!("Warning: {warning}"));
    }
    for what in &findings.not_checked {
        invocation.note(&format!("not checked: {what}"));
    }
    allowed?;
    Ok(history)
}

/// Refuses what cannot be proven, before it is written.
async fn require_provable(
    cluster: &Cluster,
    change: &Change,
    args: &ChangeArgs,
    watch: &mut Watch,
) -> Result<(), Error> {
    let mut reasons = watch.obstacles();
    if reasons.is_empty() {
        reasons = watch.closed(cluster, Instant::now() + args.timeout).await;
    }
    if reasons.is_empty() {
        return Ok(());
    }
    Err(Error::NotProvable { object: change.shift.virtual_service.object.clone(), reasons })
}

/// Writes; what the proof needs besides is read on the way.
async fn write(
    cluster: &Cluster,
    action: Option<&Action>,
    dry_run: DryRun,
    watch: Option<&mut Watch>,
) -> Result<Outcome, Error> {
    let Some(action) = action else { return Ok(Outcome::Unchanged) };
    if dry_run == DryRun::Client {
        return Ok(Outcome::Patched);
    }
    let writing = cluster.apply(action, None, dry_run);
    let written = match watch.filter(|_| dry_run == DryRun::None) {
        Some(watch) => tokio::join!(writing, watch.read_ahead(cluster)).0,
        None => writing.await,
    };
    match written {
        Err(error) if is_refused_patch(&error.failure) => explain(cluster, action, error).await,
        result => Ok(result?),
    }
}

/// Whether a patch may have been refused because somebody changed the object meanwhile.
fn is_refused_patch(failure: &Failure) -> bool {
    matches!(failure, Failure::PatchDoesNotFit { .. } | Failure::Conflict { .. })
}

/// Finds out why a patch did not fit: only a tested value that differs now is a conflict, and none
/// where it is an earlier try that was carried out, whatever its answer said.
async fn explain(cluster: &Cluster, action: &Action, refusal: ApiError) -> Result<Outcome, Error> {
    let object = action.object.clone();
    let Operation::JsonPatch(patch) = &action.operation else {
        return Err(Error::Refused(refusal));
    };
    let now = match cluster.find(&object).await {
        Ok(Some(now)) => now,
        Ok(None) => return Err(Error::NoVirtualService { object }),
        Err(_) => return Err(Error::Unexplained(refusal)),
    };
    if patch::is_written(patch, &now) {
        return Ok(Outcome::Patched);
    }
    Err(match patch::conflict(patch, &now) {
        Some(at) if patch::is_recorded(patch, &now) => {
            Error::Overtaken { object, how: format!("somebody else changed it meanwhile at {at}") }
        }
        Some(at) => Error::Changed { object, path: at },
        None => Error::Refused(refusal),
    })
}

/// What the evidence means for the exit code.
fn outcome(change: &Change, args: &ChangeArgs, evidence: &Evidence) -> Result<(), Error> {
    let shift = &change.shift;
    let object = shift.virtual_service.object.clone();
    let (seconds, is_undo) = (args.timeout.as_secs_f64(), change.undo.is_some());
    if let Some(how) = &evidence.overtaken {
        return Err(Error::Overtaken { object, how: how.clone() });
    }
    match (evidence.verdict(), args.proof) {
        (Verdict::Proven, _) | (Verdict::NotProven, ProofMode::Auto | ProofMode::None) => Ok(()),
        (Verdict::NotProven, ProofMode::Require) => {
            Err(Error::NotProven { object, seconds, is_undo, reasons: evidence.reasons() })
        }
        (Verdict::Disproven, _) => {
            Err(Error::NotLive { object, seconds, is_undo, proxies: evidence.others(shift) })
        }
    }
}
