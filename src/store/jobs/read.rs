//! Everything that only looks.
use super::{
    JobStore, StoreError,
    row::{self, COLUMNS},
    schema::{FINISHED, LIVE, READY, UNFINISHED, WAITING},
    seen::{Eye, MOST, REST},
    within::READY_WITHIN,
};
use crate::model::{
    job::{Job, JobId, JobState},
    job_seen::JobSeen,
};
use rusqlite::{OptionalExtension, ToSql};
use std::collections::BTreeMap;

#[derive(Clone, Debug, Default)]
pub struct JobFilter {
    pub state: Option<JobState>,
    pub group: Option<String>,
}

/// The condition for a state, with the index that has it.
fn condition(state: JobState) -> String {
    let index = match state {
        JobState::Running | JobState::Paused => LIVE,
        JobState::Held | JobState::Blocked => WAITING,
        JobState::Done | JobState::Skipped => FINISHED,
        JobState::Failed | JobState::Timeout | JobState::Cancelled | JobState::Interrupted => UNFINISHED,
        JobState::Backoff => "wake IS NOT NULL",
        JobState::Queued => return "state = 'queued'".into(),
    };
    format!("{index} AND state = '{}'", state.word())
}

/// What stands behind `FROM job`; `?1` is the group.
fn tail(filter: &JobFilter, limit: Option<usize>) -> String {
    let mut wanted: Vec<String> = filter.state.map(condition).into_iter().collect();
    wanted.extend(filter.group.as_ref().map(|_| "grp = ?1".to_owned()));
    let limit = limit.map_or(-1, |n| i64::try_from(n).unwrap_or(i64::MAX));
    let tail = format!("ORDER BY id DESC LIMIT {limit}");
    if wanted.is_empty() { tail } else { format!("WHERE {} {tail}", wanted.join(" AND ")) }
}

fn params(filter: &JobFilter) -> Vec<&dyn ToSql> {
    filter.group.iter().map(|group| group as &dyn ToSql).collect()
}

impl JobStore {
    /// Newest first.
    pub fn list(&self, filter: &JobFilter, limit: Option<usize>) -> Result<Vec<Job>, StoreError> {
        let mut jobs = Vec::new();
        self.each(filter, limit, |job| jobs.push(job))?;
        Ok(jobs)
    }

    /// The same, one after the other, as they all are at one moment.
    pub fn each(&self, filter: &JobFilter, limit: Option<usize>, seen: impl FnMut(Job)) -> Result<(), StoreError> {
        self.each_job(&tail(filter, limit), &params(filter), seen)
    }

    /// The same as programs are shown them: nothing is kept of one when the next one comes.
    pub fn each_seen(
        &self,
        filter: &JobFilter,
        limit: Option<usize>,
        mut shown: impl FnMut(&JobSeen),
    ) -> Result<(), StoreError> {
        let eye = Eye::of(self.dir());
        if limit.is_none() {
            // Each page is looked at once: those before it need not be kept.
            self.told(self.conn.pragma_update(None, "cache_size", -64))?;
        }
        let mut query = || {
            let sql = format!("SELECT {MOST} FROM job {}", tail(filter, limit));
            let mut query = self.conn.prepare_cached(&sql)?;
            let mut rest = self.conn.prepare_cached(REST)?;
            let mut rows = query.query(&params(filter)[..])?;
            while let Some(row) = rows.next()? {
                let found = eye.most(row);
                if let Some((job, true)) = &found {
                    shown(job);
                    continue;
                }
                // As of the same moment: the first query is not over.
                let id: i64 = row.get(0)?;
                let mut more = rest.query([id])?;
                match eye.whole(found, more.next()?) {
                    Some(job) => shown(&job),
                    None => self.read("WHERE id = ?1", &[&id], &mut |job| shown(&JobSeen::of(&job)))?,
                }
            }
            Ok(())
        };
        self.told(query())
    }

    pub fn job(&self, id: JobId) -> Result<Option<Job>, StoreError> {
        Ok(self.jobs("WHERE id = ?1", &[&id.0])?.pop())
    }

    /// Those with this name, newest first.
    pub fn named(&self, name: &str) -> Result<Vec<JobId>, StoreError> {
        let query = || {
            let sql = "SELECT id FROM job WHERE name = ?1 AND name <> '' ORDER BY id DESC";
            let mut query = self.conn.prepare_cached(sql)?;
            let rows = query.query_map([name], |r| r.get(0).map(JobId))?;
            rows.collect()
        };
        self.told(query())
    }

    /// Those that hold a slot, oldest first.
    pub fn running(&self) -> Result<Vec<Job>, StoreError> {
        self.jobs(&format!("WHERE {LIVE} ORDER BY id"), &[])
    }

    pub fn exists(&self, id: JobId) -> Result<bool, StoreError> {
        let query = || self.conn.prepare_cached("SELECT 1 FROM job WHERE id = ?1")?.exists([id.0]);
        self.told(query())
    }

    /// The state alone: cheaper than the job.
    pub fn state(&self, id: JobId) -> Result<Option<JobState>, StoreError> {
        let sql = "SELECT state FROM job WHERE id = ?1";
        let query = || self.conn.prepare_cached(sql)?.query_row([id.0], |r| row::state(r, 0)).optional();
        self.told(query())
    }

    /// How many jobs are in which state; a state without jobs is left out.
    pub fn counts(&self) -> Result<BTreeMap<JobState, u64>, StoreError> {
        // as of one moment
        let tx = self.told(self.conn.unchecked_transaction())?;
        let mut counts = BTreeMap::new();
        for state in JobState::ALL {
            // Those that wait for a time stand in another index than those that may run.
            let parts = match state {
                JobState::Queued => {
                    vec![READY.to_owned(), READY_WITHIN.into(), "wake IS NOT NULL AND state = 'queued'".into()]
                }
                other => vec![condition(other)],
            };
            let mut sum = 0;
            for part in parts {
                let sql = format!("SELECT count(*) FROM job WHERE {part}");
                let count = tx.prepare_cached(&sql).and_then(|mut query| query.query_row([], |r| r.get::<_, i64>(0)));
                sum += u64::try_from(self.told(count)?).unwrap_or(0);
            }
            if sum > 0 {
                counts.insert(state, sum);
            }
        }
        Ok(counts)
    }

    fn jobs(&self, rest: &str, params: &[&dyn ToSql]) -> Result<Vec<Job>, StoreError> {
        let mut jobs = Vec::new();
        self.each_job(rest, params, |job| jobs.push(job))?;
        Ok(jobs)
    }

    fn each_job(&self, rest: &str, params: &[&dyn ToSql], mut seen: impl FnMut(Job)) -> Result<(), StoreError> {
        self.told(self.read(rest, params, &mut seen))
    }

    fn read(&self, rest: &str, params: &[&dyn ToSql], seen: &mut dyn FnMut(Job)) -> rusqlite::Result<()> {
        let mut query = self.conn.prepare_cached(&format!("SELECT {COLUMNS} FROM job {rest}"))?;
        let mut rows = query.query(params)?;
        while let Some(row) = rows.next()? {
            seen(row::job(row, self.dir())?);
        }
        Ok(())
    }
}
