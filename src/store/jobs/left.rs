//! What was left unfinished, told once.
use super::{
    Durability, JobStore, StoreError,
    row::{self, COLUMNS},
    schema::UNFINISHED,
};
use crate::model::job::{Job, JobState};

/// Jobs that were interrupted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Left {
    /// The newest of them, newest first.
    pub jobs: Vec<Job>,
    /// Those beside them.
    pub more: usize,
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
            let told = tx.execute(&format!("UPDATE job SET told = epoch WHERE {untold}"), [])?;
            Ok(Left { more: told.saturating_sub(jobs.len()), jobs })
        })
    }
}
