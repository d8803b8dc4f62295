//! Jobs in tmux sessions: which session, and the way from the runner that claims a job to the one in the session.
use super::{Cancelled, Claimed, Durability, Fenced, JobStore, StoreError, change, env, schema::LIVE};
use crate::model::{
    job::{Job, JobId, JobState},
    time::Wall,
};
use rusqlite::params;

/// A job that runs, and whose session was made by who had this epoch: `?1` and `?2`.
const OF_SESSION: &str = "id = ?1 AND opened = ?2 AND session IS NOT NULL AND state IN ('running', 'paused')";

impl JobStore {
    /// Written before the session is made, and `None` when there will be none.
    pub fn set_session(&mut self, id: JobId, epoch: i64, session: Option<&str>) -> Result<Fenced<()>, StoreError> {
        let rows = self.change(Durability::Normal, |tx| {
            let sql = format!("UPDATE job SET session = ?3, opened = ?2 WHERE id = ?1 AND epoch = ?2 AND {LIVE}");
            tx.prepare_cached(&sql)?.execute(params![id.0, epoch, session])
        })?;
        Ok(if rows == 1 { Fenced::Held(()) } else { Fenced::Over })
    }

    /// The session that was made by who had this epoch is no more. Another one that the job has by now stays.
    pub fn session_gone(&mut self, id: JobId, opened: i64) -> Result<(), StoreError> {
        self.change(Durability::Normal, |tx| {
            tx.prepare_cached(&format!("UPDATE job SET session = NULL WHERE {OF_SESSION}"))?.execute([id.0, opened])
        })?;
        Ok(())
    }

    /// Ends the job as [`JobStore::cancel`] does, because that session was ended, which is its error then. Whoever runs
    /// the job may be another one by now. `None`: it is not the job's session any more.
    pub fn cancel_with_session(
        &mut self,
        id: JobId,
        opened: i64,
        why: &str,
        at: Wall,
    ) -> Result<Option<Cancelled>, StoreError> {
        self.change(Durability::Full, |tx| {
            // An end that was asked for before has its own reason.
            let sql =
                format!("UPDATE job SET error = CASE WHEN cancel IS NULL THEN ?3 ELSE error END WHERE {OF_SESSION}");
            let is_its_own = tx.prepare_cached(&sql)?.execute(params![id.0, opened, why])? == 1;
            is_its_own.then(|| change::cancel(tx, id, at)).transpose()
        })
    }

    /// Whether it still is the job of whoever has this epoch.
    pub fn is_held(&self, id: JobId, epoch: i64) -> Result<bool, StoreError> {
        let sql = format!("SELECT 1 FROM job WHERE id = ?1 AND epoch = ?2 AND {LIVE}");
        let query = || self.conn.prepare_cached(&sql)?.exists([id.0, epoch]);
        self.told(query())
    }

    /// Some job has a session, or will have one in a moment.
    pub fn has_sessions(&self) -> Result<bool, StoreError> {
        let sql = format!("SELECT 1 FROM job WHERE {LIVE} AND session IS NOT NULL");
        let query = || self.conn.prepare_cached(&sql)?.exists([]);
        self.told(query())
    }

    /// A job that its runner handed on right after it had claimed it: all that is needed to run it.
    pub fn handed_on(&self, id: JobId, epoch: i64) -> Result<Option<Claimed>, StoreError> {
        let Some(job) = self.job(id)?.filter(|job| matches!(job.state, JobState::Running | JobState::Paused)) else {
            return Ok(None);
        };
        let query = || {
            let sql = "SELECT goes_on FROM job WHERE id = ?1";
            self.conn.prepare_cached(sql)?.query_row([id.0], |r| r.get::<_, bool>(0))
        };
        let goes_on = self.told(query())? || job.state == JobState::Paused;
        self.with_env(job, epoch, goes_on).map(Some)
    }

    /// The job with the environment of its steps, and what else they get.
    pub(super) fn with_env(&self, job: Job, epoch: i64, goes_on: bool) -> Result<Claimed, StoreError> {
        let query = || {
            let sql = format!("SELECT {} FROM env WHERE id = (SELECT env FROM job WHERE id = ?1)", env::COLUMNS);
            self.conn.prepare_cached(&sql)?.query_row([job.id.0], env::read)
        };
        let (env, caller) = self.told(query())?;
        Ok(Claimed { job, epoch, env, caller, goes_on })
    }
}
