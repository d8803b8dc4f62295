//! New jobs: all of a batch, or none.
use super::{Durability, JobStore, StoreError, TOO_LONG_WAL, env, family, row};
use crate::model::{
    caller::Caller,
    job::{JobId, JobSpec, JobState},
    time::Wall,
};
use rusqlite::{OptionalExtension, Transaction, params};
use std::{collections::BTreeSet, ffi::OsString, sync::Arc};

/// What somebody wants done.
#[derive(Clone, Debug)]
pub struct NewJob {
    pub spec: JobSpec,
    /// The whole environment of its steps, stored once for all jobs that have the same.
    pub env: Arc<Vec<(OsString, OsString)>>,
    /// What else its steps get of whoever submits it, stored beside that. `None`: what its runner has.
    pub caller: Option<Arc<Caller>>,
    /// Comes after these, too: positions in the same batch.
    pub after_batch: Vec<usize>,
}

#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    #[error("there is no group `{group}`")]
    UnknownGroup { group: String },
    #[error("there is no job {parent} to come after")]
    UnknownParent { parent: JobId },
    /// A position in `after_batch` that the batch does not have.
    #[error("job {job} of the batch comes after job {parent}, which the batch does not have")]
    UnknownInBatch { job: usize, parent: usize },
    /// Positions in the batch, from 0, each of which comes after the one before it, and the first after the last.
    #[error("these jobs of the batch wait for each other: {}", numbers(.jobs))]
    Cycle { jobs: Vec<usize> },
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn numbers(jobs: &[usize]) -> String {
    jobs.iter().map(|n| format!("number {}", n + 1)).collect::<Vec<_>>().join(", ")
}

impl JobStore {
    /// Queues all of `jobs`, or none. The ids come in their order.
    pub fn submit(&mut self, jobs: &[NewJob], at: Wall) -> Result<Vec<JobId>, SubmitError> {
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        let order = in_order(jobs)?;
        let mut refused = None;
        let within = self.bounds();
        let ids = self.change(Durability::Full, |tx| match write(tx, jobs, &order, within, at)? {
            Ok(ids) => Ok(ids),
            Err(error) => {
                refused = Some(error);
                // rolls back
                Err(rusqlite::Error::ExecuteReturnedResults)
            }
        });
        match (refused, ids) {
            (Some(refused), _) => Err(refused),
            (None, ids) => {
                if jobs.iter().any(|job| job.spec.not_before.is_some_and(|time| time > at)) {
                    self.pulse.tell_alarm();
                }
                let ids = ids?;
                self.carry_over(TOO_LONG_WAL);
                Ok(ids)
            }
        }
    }
}

/// Positions, parents before children.
fn in_order(jobs: &[NewJob]) -> Result<Vec<usize>, SubmitError> {
    for (job, new) in jobs.iter().enumerate() {
        if let Some(&parent) = new.after_batch.iter().find(|&&parent| parent >= jobs.len()) {
            return Err(SubmitError::UnknownInBatch { job, parent });
        }
    }
    let mut order = Vec::with_capacity(jobs.len());
    let mut done = vec![false; jobs.len()];
    for first in 0..jobs.len() {
        // A path from a child up to its parents, each with how many of them are seen to: no recursion, a batch may be
        // one long chain.
        let mut path = vec![(first, 0)];
        let mut on_path = BTreeSet::from([first]);
        while let Some((job, seen)) = path.last_mut() {
            let job = *job;
            let parent = jobs[job].after_batch.get(*seen).copied();
            *seen += 1;
            match parent {
                _ if done[job] => {
                    path.pop();
                    on_path.remove(&job);
                }
                Some(parent) if on_path.contains(&parent) => {
                    let cycle = path.iter().map(|(job, _)| *job).skip_while(|job| *job != parent);
                    return Err(SubmitError::Cycle { jobs: cycle.collect() });
                }
                Some(parent) if done[parent] => {}
                Some(parent) => {
                    path.push((parent, 0));
                    on_path.insert(parent);
                }
                None => {
                    done[job] = true;
                    order.push(job);
                }
            }
        }
    }
    Ok(order)
}

fn write(
    tx: &Transaction,
    jobs: &[NewJob],
    order: &[usize],
    within: Option<i64>,
    at: Wall,
) -> rusqlite::Result<Result<Vec<JobId>, SubmitError>> {
    let first = first_id(tx)?;
    let ids: Vec<JobId> = (first..).take(jobs.len()).map(JobId).collect();
    let mut last_env: Option<(usize, i64)> = None;
    let mut groups = BTreeSet::new();
    for &job in order {
        let new = &jobs[job];
        if !groups.contains(&new.spec.group) {
            if !has_group(tx, &new.spec.group)? {
                return Ok(Err(SubmitError::UnknownGroup { group: new.spec.group.clone() }));
            }
            groups.insert(new.spec.group.clone());
        }
        let env_id = match last_env {
            Some((same, id)) if has_same_env(&jobs[same], new) => id,
            _ => env::store(tx, &new.env, new.caller.as_deref())?,
        };
        last_env = Some((job, env_id));
        let mut spec = new.spec.clone();
        // An id that the batch itself gets is a guess.
        if let Some(&parent) = spec.after.iter().find(|parent| parent.0 >= first) {
            return Ok(Err(SubmitError::UnknownParent { parent }));
        }
        spec.after.extend(new.after_batch.iter().map(|parent| ids[*parent]));
        spec.after.sort_unstable();
        spec.after.dedup();
        if let Err(refused) = insert(tx, ids[job], &spec, env_id, within, at)? {
            return Ok(Err(refused));
        }
    }
    Ok(Ok(ids))
}

fn has_same_env(one: &NewJob, other: &NewJob) -> bool {
    (Arc::ptr_eq(&one.env, &other.env) || one.env == other.env) && one.caller == other.caller
}

/// Of the next job.
pub(super) fn first_id(tx: &Transaction) -> rusqlite::Result<i64> {
    let last: Option<i64> =
        tx.query_row("SELECT seq FROM sqlite_sequence WHERE name = 'job'", [], |r| r.get(0)).optional()?;
    Ok(last.unwrap_or(0) + 1)
}

pub(super) fn has_group(tx: &Transaction, group: &str) -> rusqlite::Result<bool> {
    tx.prepare_cached("SELECT 1 FROM grp WHERE name = ?1")?.exists([group])
}

pub(super) fn insert(
    tx: &Transaction,
    id: JobId,
    spec: &JobSpec,
    env: i64,
    within: Option<i64>,
    at: Wall,
) -> rusqlite::Result<Result<(), SubmitError>> {
    let mut state = JobState::Queued;
    let mut error = None;
    for parent in &spec.after {
        let found = tx
            .prepare_cached("SELECT state FROM job WHERE id = ?1")?
            .query_row([parent.0], |r| row::state(r, 0))
            .optional()?;
        match found {
            None => return Ok(Err(SubmitError::UnknownParent { parent: *parent })),
            Some(JobState::Done) => {}
            Some(over) if over.is_over() => {
                state = JobState::Skipped;
                error.get_or_insert_with(|| family::why_skipped(*parent, over));
            }
            Some(_) if state == JobState::Queued => state = JobState::Blocked,
            Some(_) => {}
        }
        tx.prepare_cached("INSERT INTO edge(parent, child) VALUES(?1, ?2)")?.execute([parent.0, id.0])?;
    }
    if spec.hold && state != JobState::Skipped {
        state = JobState::Held;
    }
    let wake = spec.not_before.filter(|time| *time > at && !state.is_over()).map(|time| time.0);
    tx.prepare_cached(
        "INSERT INTO job(id, name, grp, state, priority, created, ended, error, wake, env, spec, within)
         VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?
    .execute(params![
        id.0,
        spec.name,
        spec.group,
        state.word(),
        spec.priority,
        at.0,
        state.is_over().then_some(at.0),
        error,
        wake,
        env,
        row::to_json(spec)?,
        within
    ])?;
    Ok(Ok(()))
}
