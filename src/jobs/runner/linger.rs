//! A runner that has nothing to do any more waits a moment before it ends: where jobs are submitted one after the other,
//! the next one finds it there, and no runner has to be made for it.
//!
//! Whoever submits a job that may run looks whether somebody holds `jobs.idle`, and if so leaves it at that; the write
//! of the job has woken the holder. The holder lets go of it first and looks once more then, so nobody relied in vain.
use super::Runner;
use crate::{
    jobs::{pulse::Watch, start},
    store::{StoreError, jobs::Claimed},
    world::clock,
};
use std::time::Duration;

/// Longer than a loop in a script needs from one job to the next.
const MOMENT: Duration = Duration::from_millis(100);

pub enum Lingered {
    Job(Box<Claimed>),
    Nothing,
    /// The machine goes down: nothing more is begun.
    Down,
}

impl Runner {
    pub(super) fn linger(&mut self) -> Result<Lingered, StoreError> {
        // One is enough.
        let Some(lock) = start::idle_lock(self.store.dir()) else { return Ok(Lingered::Nothing) };
        let watch = Watch::changes(self.store.dir());
        let until = clock::boot().after(MOMENT);
        let mut found = self.claim_if_there_is()?;
        while let (None, Some(news)) = (&found, watch.fd()) {
            if clock::boot() >= until {
                break;
            }
            if self.ears.wait(&[news], Some(until)).down {
                drop(lock);
                start::start(&self.store)?;
                return Ok(Lingered::Down);
            }
            watch.clear();
            found = self.claim_if_there_is()?;
        }
        drop(lock);
        if found.is_none() {
            found = self.claim_if_there_is()?;
        }
        // More than one may have relied on us.
        self.due.set(found.is_some());
        Ok(found.map_or(Lingered::Nothing, Lingered::Job))
    }

    /// Asked without a write, which others would have to wait for.
    fn claim_if_there_is(&mut self) -> Result<Option<Box<Claimed>>, StoreError> {
        if self.store.may_start(clock::wall())? { self.claim() } else { Ok(None) }
    }
}
