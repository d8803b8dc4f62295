//! A job that waits for somebody's approval. The answer is written beside the state, and stays there until a runner has
//! taken it: neither a question nor an answer is lost with a runner.
use super::{Claimed, Durability, Fenced, JobStore, StoreError, family, row, schema::LIVE};
use crate::model::{
    job::{Answer, JobId, JobState, ProcMark},
    time::Wall,
};
use rusqlite::{OptionalExtension, params};

/// What came of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answered {
    /// It stands in the store; this process has to be told.
    Given(ProcMark),
    /// Somebody was faster.
    Already(Answer),
    /// There is no step that could be run once more: none has run yet.
    NothingToRetry,
    /// In this state nobody is asked.
    Not(JobState),
    Unknown,
}

impl JobStore {
    /// The job waits for an answer; `next` is the step that follows it. It keeps its slot.
    pub fn ask(&mut self, id: JobId, epoch: i64, next: usize) -> Result<Fenced<()>, StoreError> {
        let rows = self.change(Durability::Full, |tx| {
            let sql = format!(
                "UPDATE job SET state = 'paused', step = ?3, answer = NULL, child = NULL, child_start = NULL
                 WHERE id = ?1 AND epoch = ?2 AND {LIVE}"
            );
            tx.prepare_cached(&sql)?.execute(params![id.0, epoch, i64::try_from(next).unwrap_or(i64::MAX)])
        })?;
        Ok(if rows == 1 { Fenced::Held(()) } else { Fenced::Over })
    }

    /// Answers a job that waits for it. The first answer counts; only an end can be asked for after it.
    pub fn answer(&mut self, id: JobId, answer: Answer, at: Wall) -> Result<Answered, StoreError> {
        self.change(Durability::Full, |tx| {
            let found = tx
                .prepare_cached("SELECT state, step, answer, runner, runner_start FROM job WHERE id = ?1")?
                .query_row([id.0], |r| Ok((row::state(r, 0)?, r.get::<_, i64>(1)?, given(r.get(2)?), row::mark(r, 3)?)))
                .optional()?;
            let Some((state, step, before, runner)) = found else { return Ok(Answered::Unknown) };
            let (JobState::Paused, Some(runner)) = (state, runner) else { return Ok(Answered::Not(state)) };
            match (answer, before) {
                (Answer::Cancel, _) => {
                    tx.prepare_cached("UPDATE job SET cancel = ?2 WHERE id = ?1")?.execute([id.0, at.0])?;
                }
                (_, Some(before)) => return Ok(Answered::Already(before)),
                (Answer::Retry, None) if step == 0 => return Ok(Answered::NothingToRetry),
                (_, None) => {
                    tx.prepare_cached("UPDATE job SET answer = ?2 WHERE id = ?1")?
                        .execute(params![id.0, answer.word()])?;
                }
            }
            Ok(Answered::Given(runner))
        })
    }

    /// The answer, if there is one. With it the job runs again; one that has to end stays as it is.
    pub fn take_answer(&mut self, id: JobId, epoch: i64) -> Result<Fenced<Option<Answer>>, StoreError> {
        let look = || {
            self.conn
                .prepare_cached("SELECT answer, cancel IS NOT NULL FROM job WHERE id = ?1 AND epoch = ?2")?
                .query_row([id.0, epoch], |r| Ok((given(r.get(0)?), r.get::<_, bool>(1)?)))
                .optional()
        };
        let answer = match self.told(look())? {
            None => return Ok(Fenced::Over),
            Some((_, true)) => return Ok(Fenced::Held(Some(Answer::Cancel))),
            Some((None, false)) => return Ok(Fenced::Held(None)),
            Some((Some(answer), false)) => answer,
        };
        let rows = self.change(Durability::Normal, |tx| {
            let sql = "UPDATE job SET state = 'running', answer = NULL
                       WHERE id = ?1 AND epoch = ?2 AND state = 'paused' AND answer = ?3";
            tx.prepare_cached(sql)?.execute(params![id.0, epoch, answer.word()])
        })?;
        Ok(if rows == 1 { Fenced::Held(Some(answer)) } else { Fenced::Over })
    }

    /// A paused job that was taken over: all that is needed to go on with it. One that cannot be read has failed.
    pub fn taken_over(&mut self, id: JobId, epoch: i64, at: Wall) -> Result<Option<Claimed>, StoreError> {
        let Some(job) = self.job(id)?.filter(|job| job.state == JobState::Paused) else { return Ok(None) };
        if job.spec.steps.is_empty() {
            let why = job.error.unwrap_or_default();
            self.change(Durability::Full, |tx| family::fail(tx, id, &why, at))?;
            return Ok(None);
        }
        self.with_env(job, epoch, true).map(Some)
    }
}

fn given(word: Option<String>) -> Option<Answer> {
    word.and_then(|word| Answer::parse(&word))
}
