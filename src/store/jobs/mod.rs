//! What is known of jobs: a SQLite file of its own, `jobs.db`, beside nothing but its `-wal`, `-shm` and `-lock`.
//!
//! There is no process that owns it. Whoever has a job to submit writes a row; a runner takes the next row that may
//! run with one statement ([`JobStore::claim`]), which counts the slots in the same breath, and holds it by an epoch:
//! a runner whose job was taken over writes nothing any more ([`Fenced::Over`]).
//!
//! ```text
//!  held ──release──┐                      ┌──> done
//!  blocked ─free──>│                      │
//!     │          queued ──claim──> running ──> failed, timeout ──retries left──> backoff ──time──> queued
//!     │            ^                      │
//!     └> skipped   └── retry, resume ─────┼──> cancelled, interrupted
//!                                         └──> paused ──answer──> running
//! ```
mod agent;
mod alike;
mod approval;
mod at_once;
mod change;
mod claim;
mod clean;
mod env;
mod family;
mod finish;
mod found;
mod groups;
mod habits;
mod left;
mod pulse;
mod read;
mod row;
mod runs;
mod schema;
mod seen;
mod session;
mod submit;
#[cfg(test)]
mod tests;
mod within;

pub use agent::AgentNews;
pub use approval::Answered;
pub use change::{Cancelled, Changed, Removed};
pub use claim::{Claimed, Lost};
pub use clean::Gone;
pub use finish::{Ending, Fenced, Finished, StepEnd};
pub use found::Finder;
pub use groups::Group;
pub use habits::{Habits, Keep};
pub use left::Left;
pub use pulse::{ALARM, PULSE};
pub use read::JobFilter;
pub use submit::{NewJob, SubmitError};
pub use within::{Alive, Within};

use super::{
    Durability, StoreError,
    sqlite::{
        BUSY, blank, busy, connect, fault,
        files::{Files, Presence},
        steps,
    },
};
use pulse::Pulse;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use std::{
    cell::OnceCell,
    path::{Path, PathBuf},
    time::Duration,
};

/// The file's name.
pub const FILE: &str = "jobs.db";

/// Pages of the `-wal` after which whoever runs jobs carries it over, in the middle of them. Others leave that to SQLite's
/// own measure, which is more than they write.
const LOG_PAGES: u32 = 400;

/// Bytes of `-wal`: whoever opens the store while nobody else has it open reads all of it, as much in a part of a
/// millisecond.
const LONG_WAL: u64 = 128 * 1024;

/// Of a group of which nobody said anything, however few cores the machine has.
const LEAST_SLOTS: u32 = 4;

/// The same where nobody has the time for it, but nobody may come who has.
const TOO_LONG_WAL: u64 = 2 * 1024 * 1024;

pub struct JobStore {
    conn: Connection,
    files: Files,
    /// Of what must not be lost with the power; the rest is always `Normal`.
    durability: Durability,
    sync: Option<Durability>,
    pulse: Pulse,
    /// Of a group that has no limit of its own. `None`: by the machine.
    slots: Option<u32>,
    cores: OnceCell<u32>,
    habits: Option<Habits>,
    /// What we are held in by.
    within: Option<Within>,
}

/// Opens the store; makes it, and its folder, if need be.
pub fn open(path: &Path, durability: Durability) -> Result<JobStore, StoreError> {
    let Some(files) = Files::find(path, true)? else { return Err(fault::other(path, "its folder is gone")) };
    let made = if files.presence()? == Presence::Present { None } else { make(&files, durability)? };
    let conn = match made {
        Some(conn) => conn,
        None => known(&files)?,
    };
    ready(conn, files, durability)
}

/// Opens a store that is there. `None`: there is none, so nobody has submitted anything.
pub fn open_existing(path: &Path, durability: Durability) -> Result<Option<JobStore>, StoreError> {
    let Some(files) = Files::find(path, false)? else { return Ok(None) };
    if files.presence()? != Presence::Present {
        return Ok(None);
    }
    let conn = known(&files)?;
    ready(conn, files, durability).map(Some)
}

/// One that is there, in today's format.
fn known(files: &Files) -> Result<Connection, StoreError> {
    let mut conn = connect(files, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    steps::migrate(&mut conn, &files.db, schema::STEPS)?;
    Ok(conn)
}

fn ready(conn: Connection, files: Files, durability: Durability) -> Result<JobStore, StoreError> {
    let pulse = Pulse::beside(&files);
    Ok(JobStore {
        conn,
        files,
        durability,
        sync: None,
        pulse,
        slots: None,
        cores: OnceCell::new(),
        habits: None,
        within: None,
    })
}

/// Only one process makes it; the others wait and find it made: `None`.
fn make(files: &Files, durability: Durability) -> Result<Option<Connection>, StoreError> {
    let lock = files.lock()?;
    if !lock.exclusive_within(BUSY)? {
        return Err(fault::other(&files.db, "another process has been making it for 5 s"));
    }
    if files.presence()? == Presence::Present {
        return Ok(None);
    }
    // left over from another database: must never be played into this one
    let leavings = [files.beside("-wal"), files.beside("-shm")];
    for left in &leavings {
        files.remove(left)?;
    }
    // Nothing was ever in an empty one.
    files.remove(&files.db)?;
    let made = files.create_with(&files.db, &blank::page(), durability).and_then(|()| fill(files));
    if made.is_err() {
        // Nothing was ever in it (a full disk): nothing is left of it that others would have to make sense of.
        for half in leavings.iter().chain([&files.db]) {
            files.remove(half)?;
        }
    }
    made.map(Some)
}

fn fill(files: &Files) -> Result<Connection, StoreError> {
    let mut conn = connect(files, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // On the disk it is with the first job, whose write carries all that stands before it in the log.
    conn.pragma_update(None, "synchronous", "OFF").map_err(|e| fault::sql(&files.db, e))?;
    steps::make(&mut conn, &files.db, schema::STEPS, schema::WHOLE)?;
    Ok(conn)
}

impl JobStore {
    /// What the project says of its jobs. Without it the machine decides, and nothing is cleaned up unasked.
    pub fn set_habits(&mut self, habits: Habits) {
        self.slots = habits.slots.or(self.slots);
        self.durability = habits.durability;
        self.habits = Some(habits);
    }

    pub fn habits(&self) -> Option<Habits> {
        self.habits
    }

    /// Slots of the default group, where nobody has set a limit: `[jobs] slots`.
    pub fn set_machine_slots(&mut self, slots: u32) {
        self.slots = Some(slots);
    }

    /// The machine is asked where nobody has said it, and where somebody needs to know: it answers from several files.
    fn machine_slots(&self) -> u32 {
        self.slots.unwrap_or_else(|| *self.cores.get_or_init(slots_of_machine))
    }

    /// The folder that holds the database, the logs and the run directories. Absolute.
    pub fn dir(&self) -> &Path {
        self.files.db.parent().unwrap_or(Path::new("/"))
    }

    pub fn path(&self) -> PathBuf {
        self.files.db.clone()
    }

    /// Whoever opens the store while nobody else has it open reads all that stands in the `-wal`. So whoever has time
    /// carries it over, if it is much. Best effort; waits for nobody.
    pub fn settle(&mut self) {
        if self.carry_over(LONG_WAL) {
            // The next write begins it anew, which has to reach the disk first: it is done here, where nobody waits for it.
            let _ = transact(&mut self.conn, |tx| {
                let version: i64 = tx.query_row("PRAGMA user_version", [], |r| r.get(0))?;
                tx.pragma_update(None, "user_version", version)
            });
        }
    }

    /// Whether it was done.
    fn carry_over(&mut self, long: u64) -> bool {
        let is_long = std::fs::metadata(self.files.beside("-wal")).is_ok_and(|wal| wal.len() > long);
        if !is_long || self.conn.busy_timeout(Duration::ZERO).is_err() {
            return false;
        }
        // The first column: somebody was in the way.
        let done = self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |r| r.get(0)) == Ok(0);
        let _ = self.conn.busy_handler(Some(busy::wait));
        done
    }

    /// We are here for more than one change: to be called by whoever runs jobs.
    pub fn set_busy(&mut self) -> Result<(), StoreError> {
        let set = self.conn.pragma_update(None, "wal_autocheckpoint", LOG_PAGES);
        self.told(set)
    }

    /// For who ends right after this: the kernel closes the files, and nobody has to take apart what was made of them.
    pub fn leave(self) {
        std::mem::forget(self);
    }

    fn told<T>(&self, result: rusqlite::Result<T>) -> Result<T, StoreError> {
        result.map_err(|e| fault::sql(&self.files.db, e))
    }

    fn sync(&mut self, durability: Durability) -> Result<(), StoreError> {
        let wanted = if self.durability == Durability::Normal { Durability::Normal } else { durability };
        if self.sync != Some(wanted) {
            let word = if wanted == Durability::Full { "FULL" } else { "NORMAL" };
            let set = self.conn.pragma_update(None, "synchronous", word);
            self.told(set)?;
            self.sync = Some(wanted);
        }
        Ok(())
    }

    /// All of `work` or nothing; those who wait for news are told afterwards, if there are any.
    fn change<T>(
        &mut self,
        durability: Durability,
        work: impl FnOnce(&Transaction) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        self.sync(durability)?;
        let before = self.conn.total_changes();
        let done = transact(&mut self.conn, work);
        let done = self.told(done)?;
        if self.conn.total_changes() != before {
            self.pulse.tell();
        }
        Ok(done)
    }
}

/// The same on this machine.
fn slots_of_machine() -> u32 {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    u32::try_from(cores).unwrap_or(u32::MAX).max(LEAST_SLOTS)
}

fn transact<T>(conn: &mut Connection, work: impl FnOnce(&Transaction) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
    // immediate: a transaction that reads first and then finds the file changed under it cannot wait, only fail
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let done = work(&tx)?;
    tx.commit()?;
    Ok(done)
}
