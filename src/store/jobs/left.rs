//! What was left unfinished, told once.
use super::{
    Durability, Gone, JobStore, StoreError, clean,
    row::{self, COLUMNS},
    schema::UNFINISHED,
};
use crate::model::job::{Job, JobId, JobState};

/// Jobs that were interrupted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Left {
    /// The newest of them, newest first.
    pub jobs: Vec<Job>,
    /// Those beside them.
    pub more: usize,
    /// All of them, newest first.
    pub ids: Vec<JobId>,
}

impl JobStore {
    /// Jobs that ended `interrupted` and were not told by this before. Now they are, also those beyond `at_most`. One that
    /// is run again and interrupted again is told again.
    pub fn left_unfinished(&mut self, at_most: usize) -> Result<Left, StoreError> {
        let untold = format!("{UNFINISHED} AND state = '{}' AND told <> epoch", JobState::Interrupted.word());
        // Most often there is nothing to tell: that is found out without a write.
        let exists = || self.conn.prepare_cached(&format!("SELECT 1 FROM job WHERE {untold}"))?.exists([]);
        if !self.told(exists())? {
            return Ok(Left::default());
        }
        let base = self.dir().to_owned();
        self.change(Durability::Normal, |tx| {
            let sql = format!("SELECT {COLUMNS} FROM job WHERE {untold} ORDER BY id DESC LIMIT {at_most}");
            let jobs =
                tx.prepare_cached(&sql)?.query_map([], |r| row::job(r, &base))?.collect::<Result<Vec<_>, _>>()?;
            let sql = format!("SELECT id FROM job WHERE {untold} ORDER BY id DESC");
            let ids =
                tx.prepare_cached(&sql)?.query_map([], |r| r.get(0).map(JobId))?.collect::<Result<Vec<_>, _>>()?;
            tx.execute(&format!("UPDATE job SET told = epoch WHERE {untold}"), [])?;
            Ok(Left { more: ids.len().saturating_sub(jobs.len()), jobs, ids })
        })
    }

    /// Forgets those of these that still are as they were told: what somebody goes on with meanwhile stays. What they left
    /// on the disk is the caller's to delete.
    pub fn forget_left(&mut self, ids: &[JobId]) -> Result<Vec<Gone>, StoreError> {
        let base = self.dir().to_owned();
        self.change(Durability::Full, |tx| {
            let sql = "SELECT 1 FROM job WHERE id = ?1 AND state = ?2 AND told = epoch";
            let mut gone = Vec::new();
            for id in ids {
                if tx.prepare_cached(sql)?.exists((id.0, JobState::Interrupted.word()))? {
                    gone.extend(clean::forget(tx, &base, *id)?);
                }
            }
            Ok(gone)
        })
    }
}
