//! `agents jobs cancel`, `agents stop`: end jobs, and wait until nothing of them is left.
use super::{
    super::{
        Context,
        failure::{Failure, Report, complain},
        names,
    },
    Ground, left,
    news::News,
    words,
};
use crate::{
    jobs,
    model::job::{JobId, JobState},
    store::{
        StoreError,
        jobs::{Cancelled, JobStore},
    },
    world::clock,
};
use clap::Args;
use std::time::Duration;

/// Beyond its grace an end takes no longer than this, unless the machine is very busy.
const MARGIN: Duration = Duration::from_secs(10);

#[derive(Debug, Args)]
pub struct CancelArgs {
    /// Ids or names
    #[arg(value_name = "ID", required_unless_present = "all", conflicts_with = "all")]
    ids: Vec<String>,
    /// Every job that runs or waits
    #[arg(long)]
    all: bool,
}

/// `agents stop ID` is `agents jobs cancel ID`; who means an agent is told how that is done.
pub fn stop(args: &CancelArgs, context: &mut Context) -> Report {
    let done = run(args, context);
    if done.is_ok() {
        left::tell(context);
    }
    let Err(Failure::Said { code, text, .. }) = &done else { return done };
    let fleet = context.fleet();
    let agent = fleet.iter().flat_map(|f| names::all(&f.policy)).find(|name| args.ids.iter().any(|id| id == name));
    match agent {
        Some(name) => Err(Failure::new(*code, text.as_str()).hint(format!("`agents down {name}` stops an agent"))),
        None => done,
    }
}

pub fn run(args: &CancelArgs, context: &mut Context) -> Report {
    let ground = Ground::find(context)?;
    let mut store = ground.existing()?;
    let ids = words::all(store.as_ref(), &args.ids, 1)?;
    let Some(store) = &mut store else { return Ok(0) };
    // Watched before anybody is told, so that no end is missed.
    let mut news = News::of(store.dir());
    let answers = if args.all { all(&ground, store)? } else { each(&ids, store)? };
    let mut failed = false;
    let mut asked = Vec::new();
    for (id, answer) in answers {
        match answer {
            Cancelled::Ended => context.out.line(&format!("{id} is cancelled"))?,
            Cancelled::Was(_) if args.all => {}
            Cancelled::Was(state) => {
                failed |= state != JobState::Cancelled;
                let told = format!("{id} was over before: {}", state.word());
                if failed { complain(&format!("error: {told}")) } else { context.out.line(&told)? }
            }
            Cancelled::Asked(_) => asked.push(id),
            Cancelled::Unknown => {
                failed = true;
                complain(&format!("error: {id} was removed meanwhile"));
            }
        }
    }
    context.out.flush()?;
    for id in asked {
        failed |= !ended(id, store, &mut news, context)?;
    }
    Ok(u8::from(failed))
}

fn each(ids: &[JobId], store: &mut JobStore) -> Result<Vec<(JobId, Cancelled)>, Failure> {
    let rest = |at: usize| &ids[at..];
    let cancel = |(at, id): (usize, &JobId)| {
        let done = jobs::cancel(store, *id).map_err(|error| unwritten(error, rest(at), store))?;
        Ok((*id, done))
    };
    ids.iter().enumerate().map(cancel).collect()
}

/// On a full disk nobody can be told of an end: what fills it must end all the same.
fn unwritten(error: StoreError, ids: &[JobId], store: &JobStore) -> Failure {
    if !matches!(error, StoreError::Full { .. }) {
        return error.into();
    }
    for id in ids {
        let told = jobs::end_unwritten(store, *id);
        complain(&format!("agents: {id} cannot be marked as cancelled; {told} of its processes were told to end"));
    }
    error.into()
}

/// All are marked before any runner is told, so that none of them gets the slot of one that ends.
fn all(ground: &Ground, store: &mut JobStore) -> Result<Vec<(JobId, Cancelled)>, Failure> {
    let answers = match store.cancel_all(clock::wall()) {
        Ok(answers) => answers,
        Err(error) => {
            let live: Vec<JobId> = store.running()?.iter().map(|job| job.id).collect();
            return Err(unwritten(error, &live, store));
        }
    };
    for (_, answer) in &answers {
        if let Cancelled::Asked(runner) = answer {
            jobs::runner::tell(*runner);
        }
    }
    // Runners that were gone.
    ground.adopt(store)?;
    Ok(answers)
}

pub fn ended(id: JobId, store: &mut JobStore, news: &mut News, context: &mut Context) -> Result<bool, Failure> {
    let grace = store.job(id)?.map_or(Duration::ZERO, |job| job.spec.stop_grace);
    let until = clock::boot().after(grace + MARGIN);
    loop {
        let state = store.state(id)?;
        if state.is_none_or(JobState::is_over) {
            let word = state.map_or("gone", JobState::word);
            context.out.line(&format!("{id} is {word}"))?;
            context.out.flush()?;
            return Ok(state == Some(JobState::Cancelled));
        }
        let left = until.since(clock::boot());
        if left.is_zero() {
            complain(&format!("error: {id} has not ended yet\nhint: `agents jobs show {id}` tells how it stands"));
            return Ok(false);
        }
        news.wait(store, Some(left))?;
    }
}
