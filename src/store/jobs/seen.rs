//! A row as programs are shown it, borrowed from the row.
//!
//! What stands in every row is asked for by one statement, and the rest by another one, of the few rows that have any of
//! it: a column that is empty costs nearly as much as one that is not, and there are thousands of rows.
use super::{row, runs::runs};
use crate::model::{
    job::{JobId, JobState, Progress},
    job_seen::JobSeen,
    spec_seen::SpecSeen,
    time::Wall,
};
use rusqlite::Row;
use std::{
    borrow::Cow,
    ffi::OsStr,
    fmt::Write,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// In the order of [`Eye::most`].
pub const MOST: &str = "id, state, attempt, step, created, started, ended, code, signal, peak_rss, cpu_s, spec, steps, \
                        coalesce(error, wake, run_dir, progress, last_event, session, agent_session, files_changed, \
                        cost_usd, usage, bounds) IS NULL";
/// In the order of [`Eye::whole`].
pub const REST: &str = "SELECT error, wake, run_dir, progress, last_event, session, agent_session, files_changed, \
                        cost_usd, usage, bounds, child, child_start FROM job WHERE id = ?1";

/// Reads the rows of one store. Of both: `None`, if there is something in the row that was not expected; [`row::job`] says
/// what.
pub struct Eye {
    base: PathBuf,
    /// Where the logs are, with a slash at its end.
    logs: String,
}

impl Eye {
    /// `base`: the folder of the database.
    pub fn of(base: &Path) -> Eye {
        let logs = row::logs(base).join("");
        Eye { base: base.to_owned(), logs: logs.to_string_lossy().into_owned() }
    }

    /// The job, and whether that is all of it.
    pub fn most<'a>(&self, row: &'a Row) -> Option<(JobSeen<'a>, bool)> {
        let spec: SpecSeen = serde_json::from_str(text(row, 11)??).ok()?;
        let id = JobId(int(row, 0)??);
        let state = JobState::parse(text(row, 1)??)?;
        let seen = JobSeen {
            id,
            state,
            steps: runs(text(row, 12)?, spec.steps.len()).ok()?.into(),
            step: int(row, 3)??.try_into().unwrap_or(0),
            attempt: u32::try_from(int(row, 2)??).ok()?.max(1),
            created: Wall(int(row, 4)??),
            started: int(row, 5)?.map(Wall),
            ended: int(row, 6)?.map(Wall),
            exit: row::exit(small(row, 7)?, small(row, 8)?),
            error: None,
            log: self.log(id, &spec.name).into(),
            run_dir: None,
            wake: None,
            pid: None,
            session: None,
            progress: Cow::Owned(Progress::default()),
            last_event: None,
            agent_session: None,
            files_changed: None,
            cost_usd: None,
            usage: None,
            peak_rss: int(row, 9)?.and_then(|bytes| bytes.try_into().ok()),
            cpu_s: real(row, 10)?,
            bounds: None,
            spec,
        };
        Some((seen, int(row, 13)?? == 1 && state != JobState::Running))
    }

    /// What was found of it, with the rest.
    pub fn whole<'a>(&self, found: Option<(JobSeen<'a>, bool)>, rest: Option<&'a Row>) -> Option<JobSeen<'a>> {
        let (mut seen, _) = found?;
        self.rest(rest?, &mut seen)?;
        Some(seen)
    }

    fn rest<'a>(&self, row: &'a Row, seen: &mut JobSeen<'a>) -> Option<()> {
        seen.error = text(row, 0)?;
        seen.wake = int(row, 1)?.map(Wall);
        let run_dir = row.get_ref(2).ok()?.as_blob_or_null().ok()?;
        let run_dir = run_dir.map(|name| self.base.join(OsStr::from_bytes(name)));
        seen.run_dir = run_dir.map(|dir| dir.to_string_lossy().into_owned().into());
        seen.progress = Cow::Owned(text(row, 3)?.and_then(|t| serde_json::from_str(t).ok()).unwrap_or_default());
        seen.last_event = text(row, 4)?;
        seen.session = text(row, 5)?;
        seen.agent_session = text(row, 6)?;
        seen.files_changed = int(row, 7)?.and_then(|count| count.try_into().ok());
        seen.cost_usd = real(row, 8)?;
        seen.usage = text(row, 9)?.and_then(|text| serde_json::from_str(text).ok()).map(Cow::Owned);
        seen.bounds = text(row, 10)?.and_then(|text| serde_json::from_str(text).ok()).map(Cow::Owned);
        let (pid, start): (Option<u32>, _) = (small(row, 11)?, int(row, 12)?);
        seen.pid = pid.filter(|_| start.is_some() && seen.state == JobState::Running);
        Some(())
    }

    /// The same as [`row::log_path`].
    fn log(&self, id: JobId, name: &str) -> String {
        let mut log = String::with_capacity(self.logs.len() + name.len() + 26);
        log.push_str(&self.logs);
        // A `String` takes everything.
        let _ = write!(log, "{id}");
        if !name.is_empty() {
            log.push('-');
            log.push_str(name);
        }
        log.push_str(".log");
        log
    }
}

/// Of each: `None` is something else than it should be, and `Some(None)` nothing.
fn int(row: &Row, at: usize) -> Option<Option<i64>> {
    row.get_ref(at).ok()?.as_i64_or_null().ok()
}

fn small<T: TryFrom<i64>>(row: &Row, at: usize) -> Option<Option<T>> {
    int(row, at)?.map_or(Some(None), |number| number.try_into().ok().map(Some))
}

fn real(row: &Row, at: usize) -> Option<Option<f64>> {
    row.get_ref(at).ok()?.as_f64_or_null().ok()
}

fn text<'a>(row: &'a Row, at: usize) -> Option<Option<&'a str>> {
    row.get_ref(at).ok()?.as_str_or_null().ok()
}
