//! What people do to jobs that are there.
use super::{Durability, Gone, JobStore, StoreError, clean, family, row, schema::LIVE};
use crate::model::{
    job::{JobId, JobState, ProcMark},
    time::Wall,
};
use rusqlite::{OptionalExtension, Transaction, params};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cancelled {
    /// It was over before.
    Was(JobState),
    /// It did not run, and will not.
    Ended,
    /// It runs; this process ends it when it is told to look.
    Asked(ProcMark),
    Unknown,
}

/// What came of a wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    Now(JobState),
    /// In this state it cannot be done.
    Not(JobState),
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removed {
    Gone(Gone),
    /// It runs.
    Not(JobState),
    Unknown,
}

impl JobStore {
    /// Ends a job that does not run, and skips those that come after it. One that runs is marked: its runner has to be
    /// told.
    pub fn cancel(&mut self, id: JobId, at: Wall) -> Result<Cancelled, StoreError> {
        let done = self.change(Durability::Full, |tx| cancel(tx, id, at))?;
        if done == Cancelled::Ended {
            // Somebody may sleep for it.
            self.pulse.tell_alarm();
        }
        Ok(done)
    }

    /// Keeps a job that waits from running.
    pub fn hold(&mut self, id: JobId) -> Result<Changed, StoreError> {
        self.changed(id, |tx, state| {
            if !matches!(state, JobState::Queued | JobState::Blocked | JobState::Backoff) {
                return Ok(None);
            }
            set(tx, id, JobState::Held)
        })
    }

    /// Lets a held job run when its turn comes.
    pub fn release(&mut self, id: JobId) -> Result<Changed, StoreError> {
        let done = self.changed(id, |tx, state| {
            if state != JobState::Held {
                return Ok(None);
            }
            let next = waiting_state(tx, id)?;
            set(tx, id, next)
        })?;
        self.pulse.tell_alarm();
        Ok(done)
    }

    /// Runs a job that is over once more, from its first step. Jobs before it that did not succeed hold it no longer.
    pub fn retry(&mut self, id: JobId) -> Result<Changed, StoreError> {
        self.again(id, JobState::is_over, false)
    }

    /// Runs a job that is over without being done once more, from the step at which it ended.
    pub fn resume(&mut self, id: JobId) -> Result<Changed, StoreError> {
        self.again(id, JobState::is_unfinished, true)
    }

    fn again(&mut self, id: JobId, may: fn(JobState) -> bool, goes_on: bool) -> Result<Changed, StoreError> {
        self.changed(id, |tx, state| {
            if !may(state) {
                return Ok(None);
            }
            let next = waiting_state(tx, id)?;
            tx.prepare_cached(
                "UPDATE job SET state = ?2, goes_on = ?3, tries = 0, ended = NULL, code = NULL, signal = NULL,
                   error = NULL, wake = NULL, cancel = NULL, answer = NULL WHERE id = ?1",
            )?
            .execute(params![id.0, next.word(), goes_on])?;
            Ok(Some(next))
        })
    }

    /// Forgets a job that does not run. What it left on the disk is the caller's to delete.
    pub fn remove(&mut self, id: JobId, at: Wall) -> Result<Removed, StoreError> {
        let base = self.dir().to_owned();
        self.change(Durability::Full, |tx| {
            let sql = "SELECT state FROM job WHERE id = ?1";
            // One in a state that nobody knows can be forgotten, too.
            let found = tx.prepare_cached(sql)?.query_row([id.0], |r| Ok(row::state(r, 0).ok())).optional()?;
            let Some(state) = found else { return Ok(Removed::Unknown) };
            if let Some(state @ (JobState::Running | JobState::Paused)) = state {
                return Ok(Removed::Not(state));
            }
            if !state.is_some_and(JobState::is_over) {
                family::free_children(tx, id, JobState::Cancelled, at)?;
            }
            Ok(clean::forget(tx, &base, id)?.map_or(Removed::Unknown, Removed::Gone))
        })
    }

    /// Marks every job that runs or waits as [`JobStore::cancel`] does. Those that run, with who has to be told.
    pub fn cancel_all(&mut self, at: Wall) -> Result<Vec<(JobId, Cancelled)>, StoreError> {
        let sql = format!(
            "SELECT id FROM job WHERE {LIVE} UNION SELECT id FROM job WHERE state IN ('held', 'blocked')
             UNION SELECT id FROM job WHERE state = 'queued' UNION SELECT id FROM job WHERE wake IS NOT NULL ORDER BY 1"
        );
        // In one transaction: nothing of what waits gets the slot of what ends, and a long queue is synced once.
        let done = self.change(Durability::Full, |tx| {
            let mut query = tx.prepare_cached(&sql)?;
            let ids = query.query_map([], |r| r.get(0).map(JobId))?.collect::<rusqlite::Result<Vec<JobId>>>()?;
            ids.into_iter().map(|id| Ok((id, cancel(tx, id, at)?))).collect()
        })?;
        self.pulse.tell_alarm();
        Ok(done)
    }

    fn changed(
        &mut self,
        id: JobId,
        work: impl FnOnce(&Transaction, JobState) -> rusqlite::Result<Option<JobState>>,
    ) -> Result<Changed, StoreError> {
        self.change(Durability::Full, |tx| {
            let Some(state) = state_of(tx, id)? else { return Ok(Changed::Unknown) };
            Ok(work(tx, state)?.map_or(Changed::Not(state), Changed::Now))
        })
    }
}

pub fn cancel(tx: &Transaction, id: JobId, at: Wall) -> rusqlite::Result<Cancelled> {
    let Some((state, runner)) = tx
        .prepare_cached("SELECT state, runner, runner_start FROM job WHERE id = ?1")?
        .query_row([id.0], |r| Ok((row::state(r, 0)?, row::mark(r, 1)?)))
        .optional()?
    else {
        return Ok(Cancelled::Unknown);
    };
    if state.is_over() {
        return Ok(Cancelled::Was(state));
    }
    if let (JobState::Running | JobState::Paused, Some(runner)) = (state, runner) {
        tx.prepare_cached("UPDATE job SET cancel = ?2 WHERE id = ?1")?.execute([id.0, at.0])?;
        return Ok(Cancelled::Asked(runner));
    }
    // The failure of an earlier try stays visible; its reason would be a wrong one.
    tx.prepare_cached(
        "UPDATE job SET state = 'cancelled', ended = ?2, wake = NULL, cancel = ?2,
           error = 'cancelled while it waited' WHERE id = ?1",
    )?
    .execute([id.0, at.0])?;
    family::free_children(tx, id, JobState::Cancelled, at)?;
    Ok(Cancelled::Ended)
}

fn state_of(tx: &Transaction, id: JobId) -> rusqlite::Result<Option<JobState>> {
    tx.prepare_cached("SELECT state FROM job WHERE id = ?1")?.query_row([id.0], |r| row::state(r, 0)).optional()
}

fn waiting_state(tx: &Transaction, id: JobId) -> rusqlite::Result<JobState> {
    let waits = tx.prepare_cached(&format!("SELECT {}", family::WAITS))?.query_row([id.0], |r| r.get(0))?;
    Ok(if waits { JobState::Blocked } else { JobState::Queued })
}

fn set(tx: &Transaction, id: JobId, state: JobState) -> rusqlite::Result<Option<JobState>> {
    tx.prepare_cached("UPDATE job SET state = ?2 WHERE id = ?1")?.execute(params![id.0, state.word()])?;
    Ok(Some(state))
}
