//! Who runs what: the next job for a runner, with its slot counted in the same statement; and those whose runner is gone.
use super::{
    Durability, Fenced, Finder, JobStore, StoreError, env, family, found,
    row::{self, COLUMNS},
    schema::LIVE,
    within::{ours, ready},
};
use crate::model::{
    caller::Caller,
    job::{Job, JobId, ProcMark},
    time::Wall,
};
use rusqlite::{OptionalExtension, Transaction, params};
use std::{ffi::OsString, path::Path};

/// A job that is the caller's to run.
#[derive(Debug)]
pub struct Claimed {
    pub job: Job,
    /// Proves that it still is the caller's.
    pub epoch: i64,
    pub env: Vec<(OsString, OsString)>,
    /// What else its processes get. `None`: what its runner was handed itself.
    pub caller: Option<Caller>,
    /// It goes on at `job.step`, where it was cut off.
    pub goes_on: bool,
}

/// A job that says it runs; whether it does, its processes tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    pub id: JobId,
    pub epoch: i64,
    pub runner: Option<ProcMark>,
    pub child: Option<ProcMark>,
    /// It runs, if at all, in this run of the machine: `false`, and its processes cannot be there any more.
    pub this_boot: bool,
    /// It waits for an answer, and so did its runner.
    pub paused: bool,
    /// Who sees to it, if somebody has found that its runner is gone.
    pub finder: Option<Finder>,
    /// The bounds in which it was submitted.
    pub within: Option<i64>,
}

impl Lost {
    /// Another runner can go on where it stands.
    pub fn waits(&self) -> bool {
        self.paused && self.within.is_none()
    }
}

impl JobStore {
    /// The first job, by priority and then by age, that may run and whose group has a free slot. It is the caller's now.
    pub fn claim(&mut self, me: ProcMark, boot_id: &str, now: Wall) -> Result<Option<Claimed>, StoreError> {
        let base = self.dir().to_owned();
        let (slots, bounds) = (self.machine_slots(), self.bounds());
        self.change(Durability::Full, |tx| claim(tx, &base, slots, bounds, me, boot_id, now))
    }

    /// Another process looks after a job whose runner is gone. The new epoch.
    pub fn take_over(&mut self, id: JobId, epoch: i64, me: ProcMark, boot_id: &str) -> Result<Fenced<i64>, StoreError> {
        let taken = self.change(Durability::Full, |tx| {
            let sql = format!(
                "UPDATE job SET epoch = epoch + 1, runner = ?3, runner_start = ?4, boot = ?5
                 WHERE id = ?1 AND epoch = ?2 AND {LIVE} RETURNING epoch"
            );
            let marks = params![id.0, epoch, me.pid, me.start.cast_signed(), boot_id];
            tx.prepare_cached(&sql)?.query_row(marks, |r| r.get(0)).optional()
        })?;
        Ok(taken.map_or(Fenced::Over, Fenced::Held))
    }

    /// Every job that says it runs. Few, and found without a look at the others.
    pub fn lost(&self, boot_id: &str) -> Result<Vec<Lost>, StoreError> {
        let query = || {
            let sql = format!(
                "SELECT id, epoch, runner, runner_start, child, child_start, boot, state = 'paused', finder, within
                 FROM job
                 WHERE {LIVE}"
            );
            let mut query = self.conn.prepare_cached(&sql)?;
            let rows = query.query_map([], |r| {
                let epoch = r.get(1)?;
                Ok(Lost {
                    id: JobId(r.get(0)?),
                    epoch,
                    runner: row::mark(r, 2)?,
                    child: row::mark(r, 4)?,
                    this_boot: r.get::<_, Option<String>>(6)?.as_deref() == Some(boot_id),
                    paused: r.get(7)?,
                    finder: found::of(r.get_ref(8)?.as_str_or_null()?, epoch),
                    within: r.get(9)?,
                })
            })?;
            rows.collect()
        };
        self.told(query())
    }

    /// How many runners could begin a job now: free slots that have a job. Never more than `most`.
    pub fn startable(&self, now: Wall, most: u32) -> Result<u32, StoreError> {
        let ready = self.told(self.ready(most))?;
        let due = match self.next_wake()? {
            Some(wake) if wake <= now => self.told(self.due(now, most))?,
            _ => 0,
        };
        Ok(u32::try_from(ready + due).unwrap_or(0).min(most))
    }

    /// Of every group the smaller number: free slots, or jobs that wait for one; of either at most `most`.
    fn ready(&self, most: u32) -> rusqlite::Result<i64> {
        let ready = ready(self.bounds());
        let sql = format!(
            "SELECT CASE slots WHEN -1 THEN ?1 ELSE slots END, (SELECT count(*) FROM job WHERE grp = g.name AND {LIVE}),
               (SELECT count(*) FROM (SELECT 1 FROM job WHERE grp = g.name AND {ready} LIMIT ?2)) FROM grp g"
        );
        let mut query = self.conn.prepare_cached(&sql)?;
        let groups = query.query_map([self.machine_slots(), most], |r| {
            let (slots, live, ready): (Option<i64>, i64, i64) = (r.get(0)?, r.get(1)?, r.get(2)?);
            Ok(slots.map_or(i64::from(most), |slots| slots - live).clamp(0, ready))
        })?;
        groups.sum()
    }

    /// How many have waited for a time that has come. Whether there is a slot for them is seen when they are claimed.
    fn due(&self, now: Wall, most: u32) -> rusqlite::Result<i64> {
        let sql = format!(
            "SELECT count(*) FROM (SELECT 1 FROM job
             WHERE wake IS NOT NULL AND wake <= ?1 AND state IN ('queued', 'backoff') AND {} LIMIT ?2)",
            ours(self.bounds())
        );
        self.conn.prepare_cached(&sql)?.query_row([now.0, i64::from(most)], |r| r.get(0))
    }

    /// When the first of those that wait for a time may run.
    pub fn next_wake(&self) -> Result<Option<Wall>, StoreError> {
        let sql = format!(
            "SELECT min(wake) FROM job WHERE wake IS NOT NULL AND state IN ('queued', 'backoff') AND {}",
            ours(self.bounds())
        );
        let query = || self.conn.prepare_cached(&sql)?.query_row([], |r| r.get::<_, Option<i64>>(0));
        Ok(self.told(query())?.map(Wall))
    }
}

pub fn claim(
    tx: &Transaction,
    base: &Path,
    machine_slots: u32,
    bounds: Option<i64>,
    me: ProcMark,
    boot_id: &str,
    now: Wall,
) -> rusqlite::Result<Option<Claimed>> {
    tx.prepare_cached(
        "UPDATE job SET state = 'queued', wake = NULL
         WHERE wake IS NOT NULL AND wake <= ?1 AND state IN ('queued', 'backoff')",
    )?
    .execute([now.0])?;
    let next = next_sql(bounds);
    loop {
        let found = tx.prepare_cached(&next)?.query_row([machine_slots], |r| Ok((r.get(0)?, r.get(1)?))).optional()?;
        let Some((id, goes_on)): Option<(i64, bool)> = found else { return Ok(None) };
        let taken = params![id, me.pid, me.start.cast_signed(), boot_id, now.0];
        tx.prepare_cached(if goes_on { TAKE_UP } else { TAKE_AFRESH })?.execute(taken)?;
        let (job, epoch, env_id) = tx.prepare_cached(&read_sql())?.query_row([id], |r| {
            let job = row::whole(r, base).map_err(|error| row::unreadable(&error));
            Ok((job, r.get("epoch")?, r.get::<_, i64>("env")?))
        })?;
        match job {
            Ok(job) => {
                let sql = format!("SELECT {} FROM env WHERE id = ?1", env::COLUMNS);
                let (env, caller) = tx.prepare_cached(&sql)?.query_row([env_id], env::read)?;
                return Ok(Some(Claimed { job, epoch, env, caller, goes_on }));
            }
            // It must not be in the way of the others.
            Err(why) => family::fail(tx, JobId(id), &why, now)?,
        }
    }
}

/// Three short statements take half as long to get ready as the one that they could be, and the transaction makes them
/// one. Of each `?1` to `?5`: the job, pid and start of the runner, boot id, time.
const TAKE_UP: &str = "UPDATE job SET state = 'running', epoch = epoch + 1, attempt = attempt + 1, tries = tries + 1,
       runner = ?2, runner_start = ?3, child = NULL, child_start = NULL, boot = ?4, started = ?5, ended = NULL,
       code = NULL, signal = NULL, error = NULL, cancel = NULL, answer = NULL, peak_rss = NULL, cpu_s = NULL,
       session = NULL, files_changed = NULL
     WHERE id = ?1";

/// The same, from the first step.
const TAKE_AFRESH: &str =
    "UPDATE job SET state = 'running', epoch = epoch + 1, attempt = attempt + 1, tries = tries + 1,
       runner = ?2, runner_start = ?3, child = NULL, child_start = NULL, boot = ?4, started = ?5, ended = NULL,
       code = NULL, signal = NULL, error = NULL, cancel = NULL, answer = NULL, peak_rss = NULL, cpu_s = NULL,
       session = NULL, files_changed = NULL, steps = NULL, step = 0, progress = NULL, last_event = NULL,
       agent_session = NULL, cost_usd = NULL, usage = NULL
     WHERE id = ?1";

fn read_sql() -> String {
    format!("SELECT {COLUMNS}, epoch, env FROM job WHERE id = ?1")
}

/// The first job, by priority and then by age, that may run. `?1`: the machine's slots. `bounds`: what the caller is held
/// in by.
pub fn next_sql(bounds: Option<i64>) -> String {
    let ready = ready(bounds);
    format!(
        "SELECT j.id, j.goes_on FROM grp g JOIN job j ON j.id =
           (SELECT id FROM job WHERE grp = g.name AND {ready} ORDER BY priority DESC, id LIMIT 1)
         WHERE g.slots IS NULL
            OR CASE g.slots WHEN -1 THEN ?1 ELSE g.slots END > (SELECT count(*) FROM job WHERE grp = g.name AND {LIVE})
         ORDER BY j.priority DESC, j.id LIMIT 1"
    )
}
