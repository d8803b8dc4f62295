//! Jobs whose runner is gone, on their way to another one. Whoever finds one first sees to it and starts the runner; so
//! that the others who find it know, who that is stands in the row (`finder`). It is no runner: nobody tells it anything.
//!
//! ```text
//! epoch    3: its runner is gone
//!          4: a finder sees to it; then a runner is on its way, which was told this epoch
//!          5: that runner has it ([`JobStore::take_over`])
//! ```
//!
//! Each step counts only with the epoch of the one before, so of several who find a job one wins, and a runner that comes
//! too late finds another epoch. What stands in the row belongs to one epoch: with the next one it counts no more.
use super::{JobStore, Lost, StoreError, row, schema::LIVE, transact};
use crate::model::{
    job::{JobId, ProcMark},
    time::Boot,
};
use rusqlite::{OptionalExtension, params};
use serde::{Deserialize, Serialize};

/// Who sees to a job whose runner is gone, until another runner has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finder {
    #[serde(flatten)]
    pub mark: ProcMark,
    /// The run of the machine in which that process lives, and `at` counts.
    pub boot: String,
    /// Since when.
    pub at: Boot,
}

#[derive(Serialize, Deserialize)]
struct Written {
    epoch: i64,
    #[serde(flatten)]
    finder: Finder,
}

/// Of a row: who sees to it. What cannot be read is nobody.
pub fn of(text: Option<&str>, epoch: i64) -> Option<Finder> {
    let written: Written = serde_json::from_str(text?).ok()?;
    (written.epoch == epoch).then_some(written.finder)
}

impl JobStore {
    /// Those of `jobs` that are as they were seen: `finder` sees to them now. With their new epochs.
    pub fn found(&mut self, jobs: &[Lost], finder: &Finder) -> Result<Vec<Lost>, StoreError> {
        let seen = format!("SELECT finder FROM job WHERE id = ?1 AND epoch = ?2 AND {LIVE}");
        self.whispered(|tx| {
            let mut ours = Vec::new();
            for job in jobs {
                let read = |r: &rusqlite::Row| Ok(of(r.get_ref(0)?.as_str_or_null()?, job.epoch));
                let now = tx.prepare_cached(&seen)?.query_row(params![job.id.0, job.epoch], read).optional()?;
                // One who was seen as dead may have sent somebody right before its end.
                if now.as_ref() != Some(&job.finder) {
                    continue;
                }
                let epoch = job.epoch + 1;
                let text = row::to_json(&Written { epoch, finder: finder.clone() })?;
                tx.prepare_cached("UPDATE job SET epoch = ?2, finder = ?3 WHERE id = ?1")?
                    .execute(params![job.id.0, epoch, text])?;
                ours.push(Lost { epoch, finder: Some(finder.clone()), ..job.clone() });
            }
            Ok(ours)
        })
    }

    /// The runners that were started for jobs, each with the epoch that it was told: they see to them now. `None`: none
    /// could be started, and nobody sees to it. A job that has a runner by now is left as it is.
    pub fn sent(&mut self, runners: &[(JobId, i64, Option<Finder>)]) -> Result<(), StoreError> {
        let sql = format!("UPDATE job SET finder = ?3 WHERE id = ?1 AND epoch = ?2 AND {LIVE}");
        self.whispered(|tx| {
            for (id, epoch, finder) in runners {
                let written = finder.clone().map(|finder| Written { epoch: *epoch, finder });
                let text = written.as_ref().map(row::to_json).transpose()?;
                tx.prepare_cached(&sql)?.execute(params![id.0, epoch, text])?;
            }
            Ok(())
        })
    }

    /// Told to nobody who waits: nothing changes of what they see. Nor has it to outlive the machine, with which the
    /// processes go.
    fn whispered<T>(
        &mut self,
        work: impl FnOnce(&rusqlite::Transaction) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        self.sync(super::Durability::Normal)?;
        let done = transact(&mut self.conn, work);
        self.told(done)
    }
}
