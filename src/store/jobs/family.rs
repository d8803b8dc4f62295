//! Jobs that come after others: what the end of one means for them.
use crate::model::{
    job::{JobId, JobState},
    time::Wall,
};
use rusqlite::{Transaction, params};

/// Lets the jobs that come after one that is over run, or skips them and all that come after those. How many may run.
pub fn free_children(tx: &Transaction, parent: JobId, ended: JobState, at: Wall) -> rusqlite::Result<usize> {
    let mut freed = 0;
    let mut over = vec![(parent, ended)];
    while let Some((parent, ended)) = over.pop() {
        let mut children = tx.prepare_cached(
            "SELECT e.child FROM edge e JOIN job c ON c.id = e.child
             WHERE e.parent = ?1 AND c.state IN ('blocked', 'held')",
        )?;
        let children: Vec<i64> = children.query_map([parent.0], |r| r.get(0))?.collect::<Result<_, _>>()?;
        for child in children {
            if ended == JobState::Done {
                freed += tx
                    .prepare_cached(&format!(
                        "UPDATE job SET state = 'queued' WHERE id = ?1 AND state = 'blocked' AND NOT {WAITS}"
                    ))?
                    .execute([child])?;
            } else {
                tx.prepare_cached(
                    "UPDATE job SET state = 'skipped', ended = ?2, error = ?3, wake = NULL WHERE id = ?1",
                )?
                .execute(params![child, at.0, why_skipped(parent, ended)])?;
                over.push((JobId(child), JobState::Skipped));
            }
        }
    }
    Ok(freed)
}

/// A job that cannot be run by anybody here is over, with what follows from it.
pub fn fail(tx: &Transaction, id: JobId, why: &str, at: Wall) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "UPDATE job SET state = 'failed', ended = ?2, error = ?3, wake = NULL, goes_on = 0, child = NULL,
           child_start = NULL, runner = NULL, runner_start = NULL WHERE id = ?1",
    )?
    .execute(params![id.0, at.0, why])?;
    free_children(tx, id, JobState::Failed, at).map(drop)
}

/// Of the job `?1`: one that it comes after is not over yet.
pub const WAITS: &str =
    "EXISTS(SELECT 1 FROM edge e JOIN job p ON p.id = e.parent WHERE e.child = ?1 AND p.state NOT IN
                         ('done', 'failed', 'timeout', 'cancelled', 'interrupted', 'skipped'))";

pub fn why_skipped(parent: JobId, state: JobState) -> String {
    match state {
        JobState::Failed => format!("it comes after {parent}, which failed"),
        JobState::Timeout => format!("it comes after {parent}, which ran into its time limit"),
        JobState::Interrupted | JobState::Cancelled | JobState::Skipped => {
            format!("it comes after {parent}, which was {}", state.word())
        }
        other => format!("it comes after {parent}, which is {}", other.word()),
    }
}
