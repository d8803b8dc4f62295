//! New jobs on their way into the store.
use super::{
    super::{failure::Failure, jobs::words},
    given::Given,
};
use crate::{
    jobs::{file::JobPart, runner::Ready},
    model::{job::JobId, name::printable},
    store::{
        LIFT_FILE_LIMIT, StoreError,
        jobs::{Claimed, JobStore, NewJob, SubmitError},
    },
    world::clock,
};
use std::path::Path;

/// Nothing is wrong with them but what only the store can tell.
pub struct NewJobs<'a> {
    pub jobs: Vec<NewJob>,
    pub parts: &'a [JobPart],
    pub given: &'a Given,
}

impl NewJobs<'_> {
    /// Queues them all, or none.
    pub fn queue(&mut self, store: &mut JobStore) -> Result<Vec<JobId>, Failure> {
        set_parents(&mut self.jobs, self.parts, self.given, store)?;
        store.submit(&self.jobs, clock::wall()).map_err(|error| not_queued(error, &self.jobs))
    }

    /// The first one, of which there is no other; and all that is needed to run it, if that is ours now.
    pub fn queue_to_run(&mut self, store: &mut JobStore, me: &Ready) -> Result<(JobId, Option<Claimed>), Failure> {
        set_parents(&mut self.jobs, self.parts, self.given, store)?;
        me.submit(store, &self.jobs[0], clock::wall()).map_err(|error| not_queued(error, &self.jobs))
    }
}

/// What each of `jobs` comes after: jobs that are there, and others of the same files, by name.
pub fn set_parents(jobs: &mut [NewJob], parts: &[JobPart], given: &Given, store: &JobStore) -> Result<(), Failure> {
    let all = words::all(Some(store), &given.after, 1)?;
    for (job, part) in jobs.iter_mut().zip(parts) {
        job.spec.after.clone_from(&all);
        for word in &part.after {
            let here: Vec<usize> = (0..parts.len()).filter(|i| parts[*i].name.as_ref() == Some(word)).collect();
            match here[..] {
                [one] => job.after_batch.push(one),
                [] => job.spec.after.push(words::one(Some(store), word)?),
                _ => {
                    let text = format!("`after`: {} jobs here are named `{}`", here.len(), printable(word));
                    return Err(Failure::new(1, text).hint("give them names of their own"));
                }
            }
        }
    }
    Ok(())
}

/// Why nothing was queued.
pub fn not_queued(error: SubmitError, jobs: &[NewJob]) -> Failure {
    match &error {
        SubmitError::Store(StoreError::Full { path }) => {
            let dir = Path::new(path).parent().unwrap_or(Path::new("/"));
            let hint = format!("`df -h {}` tells how full it is", printable(&dir.to_string_lossy()));
            Failure::new(1, format!("{error}; nothing was queued")).hint(hint)
        }
        SubmitError::Store(StoreError::FileLimit { .. }) => {
            Failure::new(1, format!("{error}; nothing was queued")).hint(LIFT_FILE_LIMIT)
        }
        SubmitError::UnknownGroup { group } => {
            Failure::new(1, error.to_string()).hint(format!("agents jobs limit --group {} 4", printable(group)))
        }
        SubmitError::Cycle { jobs: circle } => {
            let name = |at: usize| {
                let name = jobs.get(at).map_or("", |job| job.spec.name.as_str());
                if name.is_empty() { format!("job {}", at + 1) } else { format!("`{}`", printable(name)) }
            };
            let next = circle.iter().cycle().skip(1);
            let pairs: Vec<String> = circle
                .iter()
                .zip(next)
                .map(|(job, parent)| format!("{} comes after {}", name(*job), name(*parent)))
                .collect();
            let text = format!("these jobs wait for each other: {}", pairs.join(", "));
            Failure::new(1, text).hint("leave out one `after` of them; nothing was queued")
        }
        _ => Failure::new(1, error.to_string()),
    }
}
