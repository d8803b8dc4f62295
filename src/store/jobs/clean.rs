//! Forgetting jobs that are over, by count.
use super::{
    Durability, JobStore, StoreError, row,
    schema::{FINISHED, UNFINISHED},
};
use crate::model::{job::JobId, time::Wall};
use rusqlite::{OptionalExtension, Transaction};
use std::{
    ffi::OsStr,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// What a forgotten job left on the disk, to be deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gone {
    pub id: JobId,
    pub log: PathBuf,
    pub run_dir: Option<PathBuf>,
}

impl JobStore {
    /// Forgets all but the newest of the jobs that are over: `keep_finished` of the done and skipped ones,
    /// `keep_unfinished` of the others; with `all`, every one that is over. What runs or waits is never touched.
    pub fn clean(&mut self, keep_finished: u32, keep_unfinished: u32, all: bool) -> Result<Vec<Gone>, StoreError> {
        let keep = if all { (0, 0) } else { (keep_finished, keep_unfinished) };
        self.forget_old(keep.0, keep.1, Wall(i64::MAX), true)
    }

    /// The same, but for those that ended later than `before`: somebody may still ask how. `at_once`: nobody does, and
    /// where none are kept, these go too.
    pub fn forget_old(
        &mut self,
        keep_finished: u32,
        keep_unfinished: u32,
        before: Wall,
        at_once: bool,
    ) -> Result<Vec<Gone>, StoreError> {
        let base = self.dir().to_owned();
        let kinds = [(FINISHED, keep_finished), (UNFINISHED, keep_unfinished)];
        let over = |which: &str, keep: u32| {
            let over = format!("SELECT id, ended FROM job WHERE {which} ORDER BY id DESC LIMIT -1 OFFSET {keep}");
            let before = if at_once && keep == 0 { i64::MAX } else { before.0 };
            format!("SELECT id FROM ({over}) WHERE ended IS NULL OR ended <= {before}")
        };
        // Most often there is nothing to do: that is found out without a write.
        let old = || {
            let mut found: Vec<JobId> = Vec::new();
            for (which, keep) in kinds {
                let mut query = self.conn.prepare_cached(&over(which, keep))?;
                let ids = query.query_map([], |r| r.get(0).map(JobId))?.collect::<rusqlite::Result<Vec<_>>>()?;
                found.extend(ids);
            }
            Ok(found)
        };
        let old = self.told(old())?;
        if old.is_empty() {
            return Ok(Vec::new());
        }
        self.change(Durability::Normal, |tx| {
            let mut gone = Vec::new();
            for id in old {
                // somebody may have retried it meanwhile
                let sql = format!("SELECT 1 FROM job WHERE id = ?1 AND ({FINISHED} OR {UNFINISHED})");
                if tx.prepare_cached(&sql)?.exists([id.0])? {
                    gone.extend(forget(tx, &base, id)?);
                }
            }
            tx.execute("DELETE FROM env WHERE NOT EXISTS(SELECT 1 FROM job WHERE job.env = env.id)", [])?;
            Ok(gone)
        })
    }

    /// The run folders of jobs that are over, but for the newest `keep`: the jobs no longer name them.
    pub fn clean_dirs(&mut self, keep: u32) -> Result<Vec<PathBuf>, StoreError> {
        let base = self.dir().to_owned();
        self.change(Durability::Normal, |tx| {
            let sql = format!(
                "SELECT id, run_dir FROM job WHERE run_dir IS NOT NULL AND ({FINISHED} OR {UNFINISHED})
                 ORDER BY id DESC LIMIT -1 OFFSET {keep}"
            );
            let mut query = tx.prepare_cached(&sql)?;
            let rows = query.query_map([], |r| Ok((r.get::<_, i64>(0)?, r.get::<_, Vec<u8>>(1)?)))?;
            let old = rows.collect::<rusqlite::Result<Vec<_>>>()?;
            for (id, _) in &old {
                tx.prepare_cached("UPDATE job SET run_dir = NULL WHERE id = ?1")?.execute([id])?;
            }
            Ok(old.into_iter().map(|(_, name)| base.join(OsStr::from_bytes(&name))).collect())
        })
    }
}

/// `None`: there is no such job.
pub fn forget(tx: &Transaction, base: &Path, id: JobId) -> rusqlite::Result<Option<Gone>> {
    tx.prepare_cached("DELETE FROM edge WHERE parent = ?1 OR child = ?1")?.execute([id.0])?;
    tx.prepare_cached("DELETE FROM job WHERE id = ?1 RETURNING name, run_dir")?
        .query_row([id.0], |r| {
            let (name, run_dir): (String, Option<Vec<u8>>) = (r.get(0)?, r.get(1)?);
            let run_dir = run_dir.map(|name| base.join(OsStr::from_bytes(&name)));
            Ok(Gone { id, log: row::log_path(base, id, &name), run_dir })
        })
        .optional()
}
