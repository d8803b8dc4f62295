//! A row as a [`Job`], and the few values that have a form of their own in it.
use super::runs::runs;
use crate::model::{
    job::{Exit, Job, JobId, JobSpec, JobState, ProcMark, StepRun},
    name::printable_cut,
    time::Wall,
};
use rusqlite::{Row, types::Type};
use serde::de::DeserializeOwned;
use std::{
    ffi::OsStr,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// In the order of [`job`].
pub const COLUMNS: &str = "id, state, attempt, step, created, started, ended, code, signal, error, wake, runner, \
                           runner_start, child, child_start, run_dir, spec, steps, progress, last_event, peak_rss, cpu_s, \
                           session, agent_session, files_changed, cost_usd, usage, bounds, name, grp, within";

/// What can be read of it: of a row that a newer version wrote, or that is damaged, why it cannot be (`error`, and in its
/// description), and no steps. `base`: the folder of the database.
pub fn job(row: &Row, base: &Path) -> rusqlite::Result<Job> {
    match whole(row, base) {
        Ok(job) => Ok(job),
        Err(error) => rest(row, base, &unreadable(&error)),
    }
}

/// In words for people.
pub fn unreadable(error: &rusqlite::Error) -> String {
    let why = match error {
        rusqlite::Error::FromSqlConversionFailure(_, _, why) => why.to_string(),
        other => other.to_string(),
    };
    format!("this version of agents cannot read it: {}", printable_cut(&why, 200))
}

/// `Err`: it cannot be read. A job that is to be run is read like this.
pub fn whole(row: &Row, base: &Path) -> rusqlite::Result<Job> {
    let id = JobId(row.get(0)?);
    let spec: JobSpec = json(row, 16)?;
    let steps = steps(row, 17, spec.steps.len())?;
    let run_dir: Option<Vec<u8>> = row.get(15)?;
    let progress: Option<String> = row.get(18)?;
    Ok(Job {
        id,
        state: state(row, 1)?,
        steps,
        step: usize::try_from(row.get::<_, i64>(3)?).unwrap_or(0),
        attempt: row.get::<_, u32>(2)?.max(1),
        created: Wall(row.get(4)?),
        started: row.get::<_, Option<i64>>(5)?.map(Wall),
        ended: row.get::<_, Option<i64>>(6)?.map(Wall),
        exit: exit(row.get(7)?, row.get(8)?),
        error: row.get(9)?,
        log: log_path(base, id, &spec.name),
        run_dir: run_dir.map(|name| base.join(OsStr::from_bytes(&name))),
        wake: row.get::<_, Option<i64>>(10)?.map(Wall),
        runner: mark(row, 11)?,
        child: mark(row, 13)?,
        progress: progress.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default(),
        last_event: row.get(19)?,
        session: row.get(22)?,
        agent_session: row.get(23)?,
        files_changed: row.get::<_, Option<i64>>(24)?.and_then(|n| u64::try_from(n).ok()),
        cost_usd: row.get(25)?,
        usage: row.get::<_, Option<String>>(26)?.and_then(|text| serde_json::from_str(&text).ok()),
        peak_rss: row.get::<_, Option<i64>>(20)?.and_then(|bytes| u64::try_from(bytes).ok()),
        cpu_s: row.get(21)?,
        bounds: row.get::<_, Option<String>>(27)?.and_then(|text| serde_json::from_str(&text).ok()),
        within: row.get(30)?,
        spec,
    })
}

fn rest(row: &Row, base: &Path, why: &str) -> rusqlite::Result<Job> {
    let id = JobId(row.get(0)?);
    let wall = |at: usize| row.get::<_, Option<i64>>(at).ok().flatten().map(Wall);
    let text = |name: &str| row.get::<_, Option<String>>(name).ok().flatten();
    let run_dir: Option<Vec<u8>> = row.get(15).ok().flatten();
    let spec = JobSpec {
        name: text("name").unwrap_or_default(),
        group: text("grp").unwrap_or_default(),
        description: why.to_owned(),
        ..JobSpec::default()
    };
    Ok(Job {
        // One that no version of ours knows is over, as far as this one can tell.
        state: state(row, 1).unwrap_or(JobState::Interrupted),
        attempt: row.get::<_, u32>(2).unwrap_or(0).max(1),
        created: wall(4).unwrap_or_default(),
        started: wall(5),
        ended: wall(6),
        exit: exit(row.get(7).ok().flatten(), row.get(8).ok().flatten()),
        error: text("error").or_else(|| Some(why.to_owned())),
        log: log_path(base, id, &spec.name),
        run_dir: run_dir.map(|name| base.join(OsStr::from_bytes(&name))),
        wake: wall(10),
        runner: mark(row, 11).ok().flatten(),
        child: mark(row, 13).ok().flatten(),
        within: row.get(30).ok().flatten(),
        ..Job::of(id, spec)
    })
}

/// Where a job's output goes: `logs/jobs/j7-NAME.log`.
pub fn log_path(base: &Path, id: JobId, name: &str) -> PathBuf {
    let file = if name.is_empty() { format!("{id}.log") } else { format!("{id}-{name}.log") };
    logs(base).join(file)
}

pub fn logs(base: &Path) -> PathBuf {
    base.join("logs/jobs")
}

/// Pid and start time in two columns.
pub fn mark(row: &Row, at: usize) -> rusqlite::Result<Option<ProcMark>> {
    let (pid, start): (Option<u32>, Option<i64>) = (row.get(at)?, row.get(at + 1)?);
    Ok(pid.zip(start).map(|(pid, start)| ProcMark { pid, start: start.cast_unsigned() }))
}

pub fn exit(code: Option<i32>, signal: Option<i32>) -> Option<Exit> {
    code.map(Exit::Code).or(signal.map(Exit::Signal))
}

/// Columns `code` and `signal`.
pub fn exit_columns(exit: Option<Exit>) -> (Option<i32>, Option<i32>) {
    match exit {
        Some(Exit::Code(code)) => (Some(code), None),
        Some(Exit::Signal(signal)) => (None, Some(signal)),
        None => (None, None),
    }
}

pub fn state(row: &Row, at: usize) -> rusqlite::Result<JobState> {
    let word = row.get_ref(at)?.as_str()?;
    JobState::parse(word).ok_or_else(|| odd(at, format!("no job is in the state `{word}`")))
}

/// What was written of the steps so far; what is missing up to the number `at_least` has not begun.
pub fn steps(row: &Row, at: usize, at_least: usize) -> rusqlite::Result<Vec<StepRun>> {
    runs(row.get_ref(at)?.as_str_or_null()?, at_least).map_err(|e| odd(at, e.to_string()))
}

pub fn json<T: DeserializeOwned>(row: &Row, at: usize) -> rusqlite::Result<T> {
    let text = row.get_ref(at)?.as_str()?;
    serde_json::from_str(text).map_err(|e| odd(at, e.to_string()))
}

pub fn to_json<T: serde::Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))
}

/// A value that no version of this program wrote.
fn odd(at: usize, why: String) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(at, Type::Text, why.into())
}
