//! One new job for which there is a free slot, and nobody before it: it is written as one that runs already. To queue it
//! and then to claim it comes to the same, with twice the work while somebody waits for it.
use super::{
    Claimed, Durability, JobStore, LEAST_SLOTS, NewJob, SubmitError, env,
    row::{self, log_path},
    runs::runs,
    schema::{BY_MACHINE, LIVE, READY},
    slots_of_machine,
    submit::{first_id, insert},
};
use crate::model::{
    job::{Job, JobId, JobSpec, JobState, ProcMark},
    time::Wall,
};
use rusqlite::{OptionalExtension, Row, Transaction, params};
use std::slice::from_ref;

impl JobStore {
    /// Queues `job`, or makes it the caller's at once, if it may begin and comes before all that may. The id, and in the
    /// second case all that is needed to run it.
    pub fn submit_to_run(
        &mut self,
        job: &NewJob,
        me: ProcMark,
        boot_id: &str,
        at: Wall,
    ) -> Result<(JobId, Option<Claimed>), SubmitError> {
        let spec = &job.spec;
        let waits = spec.hold || spec.not_before.is_some_and(|time| time > at);
        if waits || !spec.after.is_empty() || !job.after_batch.is_empty() || self.within.is_some() {
            let ids = self.submit(from_ref(job), at)?;
            return Ok((ids[0], None));
        }
        let (base, own_slots) = (self.dir().to_owned(), self.slots);
        let done = self.change(Durability::Full, |tx| {
            let Some(group) = Before::look(tx, &spec.group, at)? else { return Ok(None) };
            let (id, env) = (JobId(first_id(tx)?), env::store(tx, &job.env, job.caller.as_deref())?);
            if group.is_somebody_there || !group.has_slot(own_slots) {
                // Without parents there is nothing that it could be refused for.
                let _ = insert(tx, id, spec, env, None, at)?;
                return Ok(Some((id, None)));
            }
            begin(tx, id, spec, env, me, boot_id, at)?;
            let running = Job {
                state: JobState::Running,
                steps: runs(None, spec.steps.len()).unwrap_or_default(),
                created: at,
                started: Some(at),
                log: log_path(&base, id, &spec.name),
                runner: Some(me),
                ..Job::of(id, spec.clone())
            };
            let (env, caller) = (job.env.to_vec(), job.caller.as_deref().cloned());
            Ok(Some((id, Some(Claimed { job: running, epoch: 1, env, caller, goes_on: false }))))
        })?;
        done.ok_or_else(|| SubmitError::UnknownGroup { group: spec.group.clone() })
    }
}

/// What its group is like before a new job.
struct Before {
    slots: Option<i64>,
    /// Jobs that hold one.
    live: i64,
    /// Jobs that may run, or whose time has come in whatever group.
    is_somebody_there: bool,
}

impl Before {
    /// `None`: there is no such group.
    fn look(tx: &Transaction, group: &str, at: Wall) -> rusqlite::Result<Option<Before>> {
        let sql = format!(
            "SELECT slots, (SELECT count(*) FROM job WHERE grp = g.name AND {LIVE}),
               EXISTS (SELECT 1 FROM job WHERE grp = g.name AND {READY}) OR EXISTS
               (SELECT 1 FROM job WHERE wake IS NOT NULL AND wake <= ?2 AND state IN ('queued', 'backoff') AND within IS NULL)
             FROM grp g WHERE name = ?1"
        );
        let before = |r: &Row| Ok(Before { slots: r.get(0)?, live: r.get(1)?, is_somebody_there: r.get(2)? });
        tx.prepare_cached(&sql)?.query_row(params![group, at.0], before).optional()
    }

    /// The machine is asked only where it matters.
    fn has_slot(&self, own: Option<u32>) -> bool {
        match self.slots {
            None => true,
            Some(BY_MACHINE) => match own {
                Some(slots) => self.live < i64::from(slots),
                None => self.live < i64::from(LEAST_SLOTS) || self.live < i64::from(slots_of_machine()),
            },
            Some(slots) => self.live < slots,
        }
    }
}

/// A row as [`insert`] and a claim make it, one after the other.
fn begin(
    tx: &Transaction,
    id: JobId,
    spec: &JobSpec,
    env: i64,
    me: ProcMark,
    boot_id: &str,
    at: Wall,
) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO job(id, name, grp, state, priority, epoch, attempt, tries, created, started, runner, runner_start,
           boot, env, spec)
         VALUES(?1, ?2, ?3, 'running', ?4, 1, 1, 1, ?5, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(params![
        id.0,
        spec.name,
        spec.group,
        spec.priority,
        at.0,
        me.pid,
        me.start.cast_signed(),
        boot_id,
        env,
        row::to_json(spec)?
    ])?;
    Ok(())
}
