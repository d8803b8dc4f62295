//! `agents jobs wait`: until jobs are over.
use super::{
    super::{
        Context,
        failure::{Failure, Report, complain},
    },
    Ground,
    approve::how,
    news::News,
    words,
};
use crate::{
    config::parse_duration,
    model::job::{Job, JobId, JobState},
    store::jobs::JobStore,
    view::jobs::exit_words,
    world::clock,
};
use clap::Args;
use std::time::Duration;

#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 all succeeded, 1 one did not or the time is over, 2 no such job")]
pub struct WaitArgs {
    /// Ids or names
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
    /// Wait no longer than this: `90`, `5m`
    #[arg(long, value_name = "T", value_parser = time)]
    timeout: Option<Duration>,
}

fn time(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|e| format!("it {}; {}", e.message, e.hint))
}

pub fn run(args: &WaitArgs, context: &mut Context) -> Report {
    let ground = Ground::find(context)?;
    let Some(mut store) = ground.existing()? else { return words::all(None, &args.ids, 2).map(|_| 2) };
    let waited = ground.wait(&store);
    let done = until_over(args, &mut store, context);
    ground.seen(waited, &mut store);
    done
}

fn until_over(args: &WaitArgs, store: &mut JobStore, context: &mut Context) -> Report {
    let ids = words::all(Some(store), &args.ids, 2)?;
    let mut news = News::of(store.dir());
    let until = args.timeout.map(|time| clock::boot().after(time));
    let mut failed = false;
    tell_held(&ids, store)?;
    for (i, id) in ids.iter().enumerate() {
        let mut paused = false;
        // All have to be over, so it is enough to ask for one at a time.
        loop {
            match store.state(*id)? {
                Some(JobState::Paused) => {
                    if !std::mem::replace(&mut paused, true) {
                        complain(&how(*id));
                    }
                }
                Some(state) if !state.is_over() => paused = false,
                Some(state) => {
                    failed |= state != JobState::Done;
                    let job = store.job(*id)?;
                    context.out.line(&job.map_or_else(|| format!("{id} is {}", state.word()), |j| told(&j)))?;
                    context.out.flush()?;
                    break;
                }
                None => {
                    failed = true;
                    complain(&format!("error: {id} was removed meanwhile"));
                    break;
                }
            }
            let left = until.map(|until| until.since(clock::boot()));
            if left.is_some_and(|left| left.is_zero()) {
                return Err(still(&ids[i..], store)?);
            }
            news.wait(store, left)?;
        }
    }
    Ok(u8::from(failed))
}

/// `j7 is failed, exit 3: …`.
pub fn told(job: &Job) -> String {
    let mut line = format!("{} is {}", job.id, job.state.word());
    if let Some(exit) = job.exit.filter(|_| job.state != JobState::Done) {
        line.push_str(&format!(", exit {}", exit_words(exit)));
    }
    if let Some(error) = &job.error {
        line.push_str(&format!(": {}", crate::model::name::printable_cut(error, 200)));
    }
    line
}

/// Nobody but a person ends this.
fn tell_held(ids: &[JobId], store: &JobStore) -> Result<(), Failure> {
    for id in ids {
        if store.state(*id)? == Some(JobState::Held) {
            complain(&format!("warning: {id} is held\nhint: `agents jobs release {id}` lets it start"));
        }
    }
    Ok(())
}

fn still(ids: &[JobId], store: &JobStore) -> Result<Failure, Failure> {
    let mut list = Vec::new();
    for id in ids {
        if let Some(state) = store.state(*id)?.filter(|s| !s.is_over()) {
            list.push(format!("{id} is {}", state.word()));
        }
    }
    if list.is_empty() {
        list.push("they ended just now".into());
    }
    Ok(Failure::new(1, format!("the time is over: {}", list.join(", "))))
}
