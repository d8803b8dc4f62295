//! Several jobs in the foreground: a line for each that ends, and one exit code for all.
use super::{
    Context,
    failure::{Failure, Report, complain},
    jobs::{Ground, approve::how, news::News, wait::told},
};
use crate::{
    model::job::{JobId, JobState},
    store::jobs::JobStore,
    world::process::signals,
};
use rustix::process::Signal;

/// What a shell says of a program whose reader went away.
const PIPE: u8 = 128 + 13;

/// Until all are over. A signal to end us ends them, and so does a reader of ours that goes away; 0: all succeeded.
pub fn run(ids: &[JobId], ground: &Ground, store: &mut JobStore, context: &mut Context) -> Report {
    match until_over(ids, ground, store, context) {
        Err(Failure::Closed) => {
            cancel(ids, store)?;
            Ok(PIPE)
        }
        done => done,
    }
}

fn until_over(ids: &[JobId], ground: &Ground, store: &mut JobStore, context: &mut Context) -> Report {
    let enough: Vec<i32> = [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT].map(|s| s.as_raw()).to_vec();
    let pipe = signals::pipe_for(&enough).map_err(|e| Failure::new(1, format!("signals cannot be heard: {e}")))?;
    let mut news = News::of(store.dir());
    ground.start(store)?;
    let mut open = ids.to_vec();
    let (mut failed, mut ended) = (false, false);
    let mut paused: Vec<JobId> = Vec::new();
    loop {
        let mut rest = Vec::new();
        for id in open {
            match store.state(id)? {
                Some(JobState::Paused) => {
                    if !paused.contains(&id) {
                        complain(&how(id));
                        paused.push(id);
                    }
                    rest.push(id);
                }
                Some(state) if !state.is_over() => {
                    paused.retain(|other| *other != id);
                    rest.push(id);
                }
                Some(state) => {
                    failed |= state != JobState::Done;
                    let job = store.job(id)?;
                    context.out.line(&job.map_or_else(|| format!("{id} is {}", state.word()), |j| told(&j)))?;
                }
                None => failed = true,
            }
        }
        context.out.flush()?;
        if rest.is_empty() {
            return Ok(u8::from(failed));
        }
        open = rest;
        news.wait_or(ground, store, None, Some(&pipe))?;
        if signals::came(&pipe) && !ended {
            ended = true;
            cancel(&open, store)?;
        }
    }
}

fn cancel(ids: &[JobId], store: &mut JobStore) -> Result<(), Failure> {
    for id in ids {
        crate::jobs::cancel(store, *id)?;
    }
    Ok(())
}
