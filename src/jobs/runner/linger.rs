//! A runner that has nothing to do any more waits a moment before it ends: where jobs are submitted one after the other,
//! the next one finds it there, and no runner has to be made for it.
use super::Runner;
use crate::{
    jobs::{idle::Idle, start},
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
        let until = clock::boot().after(MOMENT);
        let (mut down, mut called) = (false, false);
        while !down && clock::boot() < until {
            let Some(idle) = Idle::begin(self.store.dir()) else { break };
            // What was submitted before it was open called nobody.
            called = self.is_wanted()?;
            while !called && !down && clock::boot() < until {
                down = self.ears.rest(&[idle.fd()], Some(until)).down;
                called = idle.is_called();
            }
            drop(idle);
            if called
                && !down
                && let Some(claimed) = self.claim()?
            {
                return Ok(self.found(claimed));
            }
        }
        if down {
            if called {
                // Somebody relies on us.
                start::start(&self.store)?;
            }
            return Ok(Lingered::Down);
        }
        if self.is_wanted()?
            && let Some(claimed) = self.claim()?
        {
            return Ok(self.found(claimed));
        }
        Ok(Lingered::Nothing)
    }

    /// Asked without a write, which others would have to wait for.
    fn is_wanted(&self) -> Result<bool, StoreError> {
        Ok(self.store.startable(clock::wall(), 1)? > 0)
    }

    fn found(&mut self, claimed: Box<Claimed>) -> Lingered {
        // More than one may have relied on us.
        self.due.set(true);
        Lingered::Job(claimed)
    }
}
