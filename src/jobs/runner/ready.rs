//! Who is to be a runner, and has nothing to run yet.
use super::ears::Ears;
use crate::{
    jobs::mark,
    model::{
        job::{JobId, ProcMark},
        time::Wall,
    },
    store::jobs::{Claimed, JobStore, NewJob, SubmitError},
    world::{
        clock,
        process::{ProcId, lift_file_limit},
    },
};

pub struct Ready {
    pub(super) ears: Ears,
    pub(super) me: ProcMark,
    pub(super) boot_id: String,
}

impl Ready {
    /// From here on a signal that ends others is heard, and no more; and our files are private, as large as they must be,
    /// whoever made us a runner. `None`: this process cannot be a runner: no job could
    /// be ended, or none of its processes be found.
    pub fn be() -> Option<Ready> {
        lift_file_limit();
        let (ears, me) = (Ears::open().ok()?, mark(ProcId::own()?));
        rustix::process::set_child_subreaper(Some(rustix::process::getpid())).ok()?;
        Some(Ready { ears, me, boot_id: clock::boot_id() })
    }

    /// Queues `job`, or makes it ours at once.
    pub fn submit(
        &self,
        store: &mut JobStore,
        job: &NewJob,
        at: Wall,
    ) -> Result<(JobId, Option<Claimed>), SubmitError> {
        store.submit_to_run(job, self.me, &self.boot_id, at)
    }
}
