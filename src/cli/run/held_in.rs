//! What holds each of several jobs in, told once it is known. Most often it is the same for all.
use super::super::failure::{Failure, complain};
use crate::{model::job::JobId, store::jobs::JobStore};

pub struct HeldIn {
    /// Jobs with a sandbox of which nothing was told yet.
    left: Vec<JobId>,
    told: Vec<(JobId, Vec<String>)>,
}

impl HeldIn {
    pub fn of(ids: &[JobId], store: &JobStore) -> Result<HeldIn, Failure> {
        let mut left = Vec::new();
        for id in ids {
            if store.job(*id)?.is_some_and(|job| job.spec.sandbox) {
                left.push(*id);
            }
        }
        Ok(HeldIn { left, told: Vec::new() })
    }

    /// Of those that have begun meanwhile.
    pub fn tell(&mut self, store: &JobStore) -> Result<(), Failure> {
        for id in std::mem::take(&mut self.left) {
            let Some(job) = store.job(id)? else { continue };
            match job.bounds {
                Some(bounds) => self.say(id, bounds.sandbox()),
                None if job.state.is_over() => {}
                None => self.left.push(id),
            }
        }
        Ok(())
    }

    fn say(&mut self, id: JobId, lines: Vec<String>) {
        match self.told.iter().find(|(_, told)| *told == lines) {
            Some((first, _)) => complain(&format!("agents: {id} sandbox: as that of {first}")),
            None => {
                lines.iter().for_each(|line| complain(&format!("agents: {id} sandbox: {line}")));
                self.told.push((id, lines));
            }
        }
    }
}
