//! `agents jobs hold`, `release`, `retry`, `resume`, `rm`: what can be done to a job that does not run.
use super::{
    super::{
        Context,
        failure::{Failure, Report, complain},
    },
    Ground, words,
};
use crate::{
    jobs::{tidy::delete, within},
    model::job::JobState,
    store::jobs::{Changed, Removed},
    world::clock,
};
use clap::Args;

#[derive(Debug, Args)]
pub struct IdsArgs {
    /// Ids or names
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    Hold,
    Release,
    Retry,
    Resume,
}

impl Wish {
    /// Follows "it cannot be".
    fn done(self) -> &'static str {
        match self {
            Wish::Hold => "held",
            Wish::Release => "released",
            Wish::Retry => "retried",
            Wish::Resume => "resumed",
        }
    }

    fn hint(self) -> &'static str {
        match self {
            Wish::Hold => "only jobs that wait can be held",
            Wish::Release => "only held jobs can be released",
            Wish::Retry => "only jobs that are over can be retried",
            Wish::Resume => "only jobs that failed, ran out of time, were cancelled or interrupted can be resumed",
        }
    }
}

pub fn run(args: &IdsArgs, wish: Wish, context: &mut Context) -> Report {
    let ground = Ground::find(context)?;
    let mut store = ground.existing()?;
    let ids = words::all(store.as_ref(), &args.ids, 1)?;
    let Some(store) = &mut store else { return Ok(1) };
    let mut refused = false;
    for id in ids {
        if wish != Wish::Hold
            && let Some(why) = within::cannot_begin(store, id)?
        {
            refused = true;
            let hint =
                format!("`agents jobs show {id}` tells what it is; `agents run` submits it anew, outside of them");
            complain(&format!("error: {id} cannot be {}: {why}\nhint: {hint}", wish.done()));
            continue;
        }
        let changed = match wish {
            Wish::Hold => store.hold(id)?,
            Wish::Release => store.release(id)?,
            Wish::Retry => store.retry(id)?,
            Wish::Resume => store.resume(id)?,
        };
        match changed {
            Changed::Now(state) => context.out.line(&format!("{id} is {}", state.word()))?,
            Changed::Not(JobState::Held) if wish == Wish::Hold => context.out.line(&format!("{id} is held"))?,
            Changed::Not(state) => {
                refused = true;
                complain(&format!(
                    "error: {id} is {}: it cannot be {}\nhint: {}",
                    state.word(),
                    wish.done(),
                    wish.hint()
                ));
            }
            Changed::Unknown => {
                refused = true;
                complain(&format!("error: {id} was removed meanwhile"));
            }
        }
    }
    if wish != Wish::Hold {
        ground.start(store)?;
    }
    Ok(u8::from(refused))
}

pub fn remove(args: &IdsArgs, context: &mut Context) -> Report {
    let ground = Ground::find(context)?;
    let mut store = ground.existing()?;
    let ids = words::all(store.as_ref(), &args.ids, 1)?;
    let Some(store) = &mut store else { return Ok(1) };
    let mut refused = false;
    for id in ids {
        match store.remove(id, clock::wall())? {
            Removed::Gone(gone) => {
                delete(store.dir(), &gone);
                context.out.line(&format!("{id} was removed"))?;
            }
            Removed::Not(state) => {
                refused = true;
                let hint = format!("`agents jobs cancel {id}` ends it");
                complain(&format!("error: {id} is {}: it cannot be removed\nhint: {hint}", state.word()));
            }
            Removed::Unknown => return Err(Failure::new(1, format!("{id} was removed meanwhile"))),
        }
    }
    Ok(u8::from(refused))
}
