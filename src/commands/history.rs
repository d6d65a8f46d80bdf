//! `history`: shows the recorded changes of a VirtualService's weights.

use clap::Args;

use super::{Invocation, read_snapshot, virtual_service};
use crate::{
    error::Error,
    view::{OutputFormat, history::HistoryView},
};

/// Flags of `history`.
///
/// Show who changed the weights of a VirtualService, when, from what to what, and why. The record is
/// an annotation of the object; changes by other programs are not in it.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    # The tutorial's route\n  \
    kubectl kubia history\n\n  \
    # Another one, for a script\n  \
    kubectl kubia history reviews -n shop -o json")]
pub struct HistoryArgs {
    /// The VirtualService
    #[arg(default_value = super::TUTORIAL_VIRTUAL_SERVICE, value_parser = super::parse_virtual_service)]
    name: String,
}

/// Shows the history.
///
/// # Errors
/// When the VirtualService or its annotation cannot be read.
pub async fn run(invocation: &mut Invocation<'_>, args: &HistoryArgs) -> Result<(), Error> {
    invocation.require_format(OutputFormat::USUAL)?;
    let cluster = invocation.connect().await?;
    let object = virtual_service(Some(&args.name), &cluster.namespace);
    let snapshot = read_snapshot(&cluster, &object).await?;
    let (changed, history) = snapshot.last_changed()?;
    let view =
        HistoryView::new(&cluster.context, changed, &history, &snapshot.subsets, invocation.now);
    if view.is_empty() && invocation.format == OutputFormat::Text {
        invocation.note(&format!("no recorded change of {object}"));
    }
    invocation.show(&view)
}
