//! What a runner writes of its job, as long as it is its own; and what follows for the jobs that come after.
use super::{Claimed, Durability, JobStore, StoreError, claim, family, row, runs::runs, schema::LIVE};
use crate::model::{
    bounds::Bounds,
    job::{Exit, JobId, JobState, ProcMark, Progress, StepRun},
    time::Wall,
};
use rusqlite::{OptionalExtension, Transaction, params};
use std::time::Duration;

/// Longest pause before a job is tried again.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A write by a runner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fenced<T> {
    Held(T),
    /// The job is not the caller's any more. Nothing was written.
    Over,
}

/// How a job ended, as its runner saw it.
#[derive(Clone, Debug, PartialEq)]
pub struct Ending {
    /// One that is over. A failure or a timeout is tried again while there are retries, unless somebody asked for an end.
    pub state: JobState,
    pub exit: Option<Exit>,
    pub error: Option<String>,
    pub peak_rss: Option<u64>,
    pub cpu_s: Option<f64>,
    /// The step that ended with it, where that was not written before: one write instead of two.
    pub step: Option<StepEnd>,
}

impl Ending {
    pub fn of(state: JobState) -> Ending {
        Ending { state, exit: None, error: None, peak_rss: None, cpu_s: None, step: None }
    }
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepEnd {
    /// From 0.
    pub number: usize,
    /// `Done`, `Failed`, `Timeout`, `Cancelled`, `Interrupted`; or left out: `Skipped`.
    pub state: JobState,
    pub exit: Option<Exit>,
    pub at: Wall,
}

impl StepEnd {
    fn mark(self, run: &mut StepRun) {
        (run.state, run.exit, run.ended) = (self.state, self.exit, Some(self.at));
    }
}

/// What became of a job that ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// Over, or `Backoff`.
    pub state: JobState,
    /// When it is tried again.
    pub wake: Option<Wall>,
    /// How many jobs may run because of it.
    pub freed: usize,
}

impl JobStore {
    /// A step runs. `child`: its process.
    pub fn started(
        &mut self,
        id: JobId,
        epoch: i64,
        step: usize,
        child: ProcMark,
        at: Wall,
    ) -> Result<Fenced<()>, StoreError> {
        self.step_changed(id, epoch, step, Some(child), |run| {
            run.state = JobState::Running;
            (run.exit, run.started, run.ended) = (None, Some(at), None);
            run.attempt += 1;
        })
    }

    /// A step ended, and the job goes on. The last one is written with the job's [`Ending`].
    pub fn step_ended(&mut self, id: JobId, epoch: i64, end: StepEnd) -> Result<Fenced<()>, StoreError> {
        self.step_changed(id, epoch, end.number, None, |run| end.mark(run))
    }

    fn step_changed(
        &mut self,
        id: JobId,
        epoch: i64,
        step: usize,
        child: Option<ProcMark>,
        change: impl FnOnce(&mut StepRun),
    ) -> Result<Fenced<()>, StoreError> {
        // a machine that loses power loses these processes as well
        let held = self.change(Durability::Normal, |tx| {
            let Some(mut steps) = held_steps(tx, id, epoch, step + 1)? else { return Ok(false) };
            if let Some(run) = steps.get_mut(step) {
                change(run);
            }
            let steps = row::to_json(&steps)?;
            tx.prepare_cached("UPDATE job SET step = ?2, steps = ?3, child = ?4, child_start = ?5 WHERE id = ?1")?
                .execute(params![
                    id.0,
                    i64::try_from(step).unwrap_or(i64::MAX),
                    steps,
                    child.map(|c| c.pid),
                    child.map(|c| c.start.cast_signed())
                ])?;
            Ok(true)
        })?;
        Ok(if held { Fenced::Held(()) } else { Fenced::Over })
    }

    /// What its output says of its progress.
    pub fn progressed(
        &mut self,
        id: JobId,
        epoch: i64,
        progress: &Progress,
        last_event: Option<&str>,
    ) -> Result<Fenced<()>, StoreError> {
        let rows = self.change(Durability::Normal, |tx| {
            let sql = format!("UPDATE job SET progress = ?3, last_event = ?4 WHERE id = ?1 AND epoch = ?2 AND {LIVE}");
            tx.prepare_cached(&sql)?.execute(params![id.0, epoch, row::to_json(progress)?, last_event])
        })?;
        Ok(if rows == 1 { Fenced::Held(()) } else { Fenced::Over })
    }

    /// Where it runs, below the store's folder: a folder of its own.
    pub fn set_run_dir(&mut self, id: JobId, epoch: i64, name: &str) -> Result<Fenced<()>, StoreError> {
        let rows = self.change(Durability::Normal, |tx| {
            let sql = format!("UPDATE job SET run_dir = ?3 WHERE id = ?1 AND epoch = ?2 AND {LIVE}");
            tx.prepare_cached(&sql)?.execute(params![id.0, epoch, name.as_bytes()])
        })?;
        Ok(if rows == 1 { Fenced::Held(()) } else { Fenced::Over })
    }

    /// What holds the job in, from now on.
    pub fn set_bounds(&mut self, id: JobId, epoch: i64, bounds: &Bounds) -> Result<Fenced<()>, StoreError> {
        let rows = self.change(Durability::Normal, |tx| {
            let sql = format!("UPDATE job SET bounds = ?3 WHERE id = ?1 AND epoch = ?2 AND {LIVE}");
            tx.prepare_cached(&sql)?.execute(params![id.0, epoch, row::to_json(bounds)?])
        })?;
        Ok(if rows == 1 { Fenced::Held(()) } else { Fenced::Over })
    }

    /// The job is over, or will be tried again; its slot is free, and those that come after it run or are skipped.
    pub fn finish(&mut self, id: JobId, epoch: i64, ending: &Ending, at: Wall) -> Result<Fenced<Finished>, StoreError> {
        let finished = self.change(Durability::Full, |tx| finish(tx, id, epoch, ending, at))?;
        self.told_alarm(&finished);
        Ok(finished)
    }

    /// [`JobStore::finish`] and [`JobStore::claim`] in one: the slot passes from job to job with one write.
    pub fn finish_and_claim(
        &mut self,
        id: JobId,
        epoch: i64,
        ending: &Ending,
        me: ProcMark,
        boot_id: &str,
        at: Wall,
    ) -> Result<(Fenced<Finished>, Option<Claimed>), StoreError> {
        let base = self.dir().to_owned();
        let (slots, bounds) = (self.machine_slots(), self.bounds());
        let both = self.change(Durability::Full, |tx| {
            let finished = finish(tx, id, epoch, ending, at)?;
            Ok((finished, claim::claim(tx, &base, slots, bounds, me, boot_id, at)?))
        })?;
        self.told_alarm(&both.0);
        Ok(both)
    }

    fn told_alarm(&self, finished: &Fenced<Finished>) {
        if matches!(finished, Fenced::Held(Finished { wake: Some(_), .. })) {
            self.pulse.tell_alarm();
        }
    }

    /// Whether somebody asked for its end.
    pub fn is_cancelled(&self, id: JobId, epoch: i64) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM job WHERE id = ?1 AND epoch = ?2 AND cancel IS NOT NULL";
        let query = || self.conn.prepare_cached(sql)?.exists([id.0, epoch]);
        self.told(query())
    }
}

/// `None`: it is not the caller's any more.
fn held_steps(tx: &Transaction, id: JobId, epoch: i64, at_least: usize) -> rusqlite::Result<Option<Vec<StepRun>>> {
    let sql = format!("SELECT steps FROM job WHERE id = ?1 AND epoch = ?2 AND {LIVE}");
    tx.prepare_cached(&sql)?.query_row([id.0, epoch], |r| row::steps(r, 0, at_least)).optional()
}

fn finish(tx: &Transaction, id: JobId, epoch: i64, ending: &Ending, at: Wall) -> rusqlite::Result<Fenced<Finished>> {
    let sql =
        format!("SELECT tries, cancel IS NOT NULL, spec, steps, step FROM job WHERE id = ?1 AND epoch = ?2 AND {LIVE}");
    let found = tx
        .prepare_cached(&sql)?
        .query_row([id.0, epoch], |r| {
            // One that cannot be read any more ends all the same.
            let retries = row::json::<Retries>(r, 2).map_or(0, |spec| spec.retries);
            let steps = ending.step.map(|end| row::steps(r, 3, end.number + 1)).transpose()?;
            Ok((
                r.get::<_, u32>(0)?,
                r.get::<_, bool>(1)?,
                retries,
                steps,
                r.get::<_, Option<String>>(3)?,
                r.get::<_, i64>(4)?,
            ))
        })
        .optional()?;
    let Some((tries, asked, retries, steps, written, at_step)) = found else { return Ok(Fenced::Over) };
    let (steps, at_step) = match (ending.step, steps) {
        (Some(end), Some(mut steps)) => {
            steps.iter_mut().skip(end.number).take(1).for_each(|run| end.mark(run));
            (Some(row::to_json(&steps)?), i64::try_from(end.number).unwrap_or(i64::MAX))
        }
        // Nobody saw how it ended.
        _ => (written.map(|steps| cut_off(steps, ending.state, at)).transpose()?, at_step),
    };
    let failed = matches!(ending.state, JobState::Failed | JobState::Timeout);
    let (state, wake) = match ending.state {
        _ if failed && asked => (JobState::Cancelled, None),
        _ if failed && tries <= retries => (JobState::Backoff, Some(at.after(pause(tries)))),
        over => (over, None),
    };
    let (code, signal) = row::exit_columns(ending.exit);
    tx.prepare_cached(
        "UPDATE job SET state = ?2, ended = ?3, code = ?4, signal = ?5,
           error = coalesce(?6, CASE ?2 WHEN 'cancelled' THEN error END), wake = ?7, peak_rss = ?8, cpu_s = ?9,
           steps = ?10, step = ?11,
           child = NULL, child_start = NULL, runner = NULL, runner_start = NULL, session = NULL,
           goes_on = 0 WHERE id = ?1",
    )?
    .execute(params![
        id.0,
        state.word(),
        at.0,
        code,
        signal,
        ending.error,
        wake.map(|w| w.0),
        ending.peak_rss.and_then(|bytes| i64::try_from(bytes).ok()),
        ending.cpu_s,
        steps,
        at_step
    ])?;
    let freed = if state.is_over() { family::free_children(tx, id, state, at)? } else { 0 };
    Ok(Fenced::Held(Finished { state, wake, freed }))
}

/// A step that runs ends with its job.
fn cut_off(steps: String, state: JobState, at: Wall) -> rusqlite::Result<String> {
    let Ok(mut runs) = runs(Some(&steps), 0) else { return Ok(steps) };
    if runs.iter().all(|run| run.state != JobState::Running) {
        return Ok(steps);
    }
    for run in runs.iter_mut().filter(|run| run.state == JobState::Running) {
        (run.state, run.ended) = (state, Some(at));
    }
    row::to_json(&runs)
}

/// All that is needed of a spec at its end.
#[derive(serde::Deserialize)]
struct Retries {
    #[serde(default)]
    retries: u32,
}

/// 1 s, doubling to a minute.
fn pause(tries: u32) -> Duration {
    Duration::from_secs(1_u64 << tries.saturating_sub(1).min(6)).min(LONGEST_PAUSE)
}
