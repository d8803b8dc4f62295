//! Whoever submits one job for which there is a free slot makes its runner out of itself: no other program is started for
//! it, which would take longer than all the rest.
use super::super::{failure::Failure, jobs::Ground};
use crate::{
    jobs::{begin, idle, runner, within::is_held},
    model::job::JobId,
    store::jobs::JobStore,
    world::{
        clock,
        process::{Half, split},
    },
};
use std::ffi::OsStr;

/// Of our own variables, those that say nothing of where we belong.
const HARMLESS: [&str; 3] = ["AGENTS_BOOT_ID", "AGENTS_CONFIG", "AGENTS_DEBUG"];

/// Sees to it that what may run runs. `ids`: what was submitted; `alone`: if it is one job, it may be ours. `false`: we
/// were the runner, and everything is done.
pub fn start(mut store: JobStore, ids: &[JobId], alone: bool, ground: &Ground) -> Result<bool, Failure> {
    let ours = alone && ids.len() == 1 && !is_held();
    // Whoever waits for the next job sees to the rest, too, once that one has begun.
    if ours && idle::call(store.dir()) {
        store.leave();
        return Ok(true);
    }
    if ours && is_ours_to_run() && store.startable(clock::wall(), 1)? > 0 {
        let (dir, habits) = (store.dir().to_owned(), store.habits());
        // A database that is open here must not be used over there.
        drop(store);
        match split() {
            Ok(Half::First) => return Ok(true),
            Ok(Half::Second) => {
                runner::stay(&dir, habits);
                return Ok(false);
            }
            // The job is queued, and the next command starts it.
            Ok(Half::Lost) => return Ok(false),
            Err(_) => store = ground.open()?,
        }
    }
    begin(&mut store, ids)?;
    store.leave();
    Ok(true)
}

/// The runner would have our environment. Within an agent or a job that says whose we are, and the runner would be ended
/// with them: there it is started as a program of its own.
fn is_ours_to_run() -> bool {
    let ours = |name: &OsStr| name.as_encoded_bytes().starts_with(b"AGENTS_");
    !std::env::vars_os().any(|(name, _)| ours(&name) && HARMLESS.iter().all(|other| name != *other))
}
