//! On a terminal, the next command tells once what was left unfinished, and asks what is to become of it.
use super::{
    super::{Context, failure::complain},
    Ground, offer,
};
use crate::view::jobs;
use std::io::IsTerminal;

/// So many are told with a line of their own.
const LINES: usize = 5;

/// Nobody is told in a script: there it would be in the way, and be told to nobody. Best effort: what the command was for
/// is done.
pub fn tell(context: &mut Context) {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return;
    }
    let Ok(ground) = Ground::find(context) else { return };
    let Ok(Some(mut store)) = ground.existing() else { return };
    let Ok(left) = store.left_unfinished(LINES) else { return };
    let text = jobs::left(&jobs::views(&left.jobs), left.more);
    if !text.is_empty() {
        // After what the command itself has to say.
        let _ = context.out.flush();
        complain(&text);
        if offer::may_ask() {
            let named: Vec<_> = left.jobs.iter().map(|job| job.id).collect();
            offer::ask(&left, &named, &mut store, context);
        }
    }
}
