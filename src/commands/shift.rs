//! `shift`: reads a VirtualService, plans its new weights, and writes them in one guarded patch.

use clap::Args;

use super::{Invocation, read_virtual_service, virtual_service};
use crate::{
    cluster::{ApiError, Cluster, Failure},
    domain::{
        plan::{Action, DryRun, Outcome},
        shift::{self, Shift},
        split::Percent,
    },
    error::Error,
    view::{
        OutputFormat,
        change::{ShiftResult, announcement},
    },
};

/// Flags of `shift`.
///
/// Set the share of requests that goes to a version; the other versions keep their proportions.
/// The write is refused when anybody changed the route since it was read.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    # 30 % of requests to v2, everything else to v1\n  \
    kubectl kubia shift --v2 30\n\n  \
    # Everything back to v1\n  \
    kubectl kubia shift --v2 0")]
pub struct ShiftArgs {
    /// The VirtualService
    #[arg(default_value = super::TUTORIAL_VIRTUAL_SERVICE)]
    name: String,
    /// Send this share of requests to v1, in percent
    #[arg(long, value_name = "PERCENT", required_unless_present = "v2")]
    v1: Option<Percent>,
    /// Send this share of requests to v2, in percent
    #[arg(long, value_name = "PERCENT")]
    v2: Option<Percent>,
    #[command(flatten)]
    dry_run: super::DryRunArgs,
}

impl ShiftArgs {
    fn wanted(&self) -> Vec<(String, Percent)> {
        let named = [("v1", self.v1), ("v2", self.v2)];
        named.into_iter().filter_map(|(name, share)| Some((name.to_owned(), share?))).collect()
    }
}

/// Shifts traffic.
///
/// # Errors
/// When the VirtualService is missing, the versions are not clear, or the route was changed meanwhile.
pub async fn run(invocation: &mut Invocation<'_>, args: &ShiftArgs) -> Result<(), Error> {
    invocation.require_format(OutputFormat::USUAL)?;
    let cluster = invocation.connect().await?;
    let object = virtual_service(Some(&args.name), &cluster.namespace);
    let (route, subsets) =
        tokio::join!(read_virtual_service(&cluster, &object), cluster.subsets(&object.namespace));
    let shift = shift::plan(&object, &route?, &subsets?, &args.wanted())?;
    invocation.note(&announcement(&cluster.context, &shift));
    let dry_run = args.dry_run.get();
    let outcome = write(&cluster, &shift, dry_run).await?;
    invocation.show(&ShiftResult::new(&cluster.context, &shift, outcome, dry_run))
}

async fn write(cluster: &Cluster, shift: &Shift, dry_run: DryRun) -> Result<Outcome, Error> {
    let Some(action) = &shift.action else { return Ok(Outcome::Unchanged) };
    if dry_run == DryRun::Client {
        return Ok(Outcome::Patched);
    }
    match cluster.apply(action, None, dry_run).await {
        Err(error) if matches!(error.failure, Failure::PatchDoesNotFit { .. }) => {
            Err(explain(cluster, action, error).await)
        }
        result => Ok(result?),
    }
}

/// Finds out why a patch did not fit: only a tested value that differs now is a conflict.
async fn explain(cluster: &Cluster, action: &Action, refusal: ApiError) -> Error {
    let object = action.object.clone();
    match cluster.find(&object).await {
        Ok(None) => Error::NoVirtualService { object },
        Ok(Some(now)) => match shift::conflict(action, &now) {
            Some(path) => Error::Changed { object, path },
            None => refusal.into(),
        },
        Err(_) => refusal.into(),
    }
}
