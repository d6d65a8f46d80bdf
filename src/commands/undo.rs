//! `undo`: plans the way back that the history names, and has it written and proven.

use clap::Args;

use super::{
    Invocation,
    change::{Change, ChangeArgs, carry_out},
    read_snapshot, virtual_service,
};
use crate::{domain::shift::undo, error::Error, view::OutputFormat};

/// Flags of `undo`.
///
/// Give a VirtualService the weights back that it had before its last recorded change, exactly as they
/// were. Undoing twice does it again. With --to-revision, every route that was changed after that
/// revision returns to what it was then.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    # Take the last shift back\n  \
    kubectl kubia undo reviews -n shop\n\n  \
    # Take back all that came after revision 3\n  \
    kubectl kubia undo reviews --to-revision 3")]
pub struct UndoArgs {
    /// The VirtualService
    #[arg(default_value = super::TUTORIAL_VIRTUAL_SERVICE, value_parser = super::parse_virtual_service)]
    name: String,
    /// Take back every change after this revision, 0 for all; `kubectl kubia history` lists them
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    to_revision: Option<u64>,
    #[command(flatten)]
    change: ChangeArgs,
}

/// Undoes a recorded change.
///
/// # Errors
/// As those of `shift`; and when nothing was recorded, or the weights were edited since.
pub async fn run(invocation: &mut Invocation<'_>, args: &UndoArgs) -> Result<(), Error> {
    invocation.require_format(OutputFormat::USUAL)?;
    let cluster = invocation.connect().await?;
    let object = virtual_service(Some(&args.name), &cluster.namespace);
    let snapshot = read_snapshot(&cluster, &object).await?;
    let (changed, history) = snapshot.last_changed()?;
    let undo = undo::plan(changed, &history, args.to_revision, &snapshot.subsets)?;
    let change =
        Change { snapshot, shift: undo.shift, undo: Some(undo.undone), edited: undo.edited };
    carry_out(invocation, &cluster, &change, &args.change).await
}
