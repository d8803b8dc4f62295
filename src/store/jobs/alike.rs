//! Many new jobs that are alike: queued as they come, so that no more than one of them is in memory.
use super::{
    Durability, JobStore, NewJob, SubmitError, TOO_LONG_WAL, env,
    submit::{first_id, has_group, insert},
};
use crate::model::{
    job::{JobCommand, JobId, StepSpec},
    time::Wall,
};

impl JobStore {
    /// Queues a job as `alike` for each of `commands`, which is its only step and described by the text beside it: all of
    /// them, or none. There is no other in their batch. The ids come in their order.
    pub fn submit_alike(
        &mut self,
        alike: NewJob,
        commands: impl Iterator<Item = (String, JobCommand)>,
        at: Wall,
    ) -> Result<Vec<JobId>, SubmitError> {
        let NewJob { spec: mut alike, env, caller, .. } = alike;
        let mut refused = None;
        let waits = alike.not_before.is_some_and(|time| time > at);
        let within = self.bounds();
        let ids = self.change(Durability::Full, |tx| {
            // rolls back
            let mut none = |error| {
                refused = Some(error);
                Err(rusqlite::Error::ExecuteReturnedResults)
            };
            if !has_group(tx, &alike.group)? {
                return none(SubmitError::UnknownGroup { group: alike.group.clone() });
            }
            let first = first_id(tx)?;
            let env = env::store(tx, &env, caller.as_deref())?;
            let mut ids = Vec::new();
            for (id, (description, command)) in (first..).map(JobId).zip(commands) {
                alike.description = description;
                alike.steps = vec![StepSpec::of(command)];
                if let Err(error) = insert(tx, id, &alike, env, within, at)? {
                    return none(error);
                }
                ids.push(id);
            }
            Ok(ids)
        });
        match refused {
            Some(refused) => Err(refused),
            None => {
                let ids = ids?;
                if waits && !ids.is_empty() {
                    self.pulse.tell_alarm();
                }
                self.carry_over(TOO_LONG_WAL);
                Ok(ids)
            }
        }
    }
}
