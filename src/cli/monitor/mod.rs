//! `agents monitor`: looks on at jobs until they are over.
mod lines;
mod live;
mod tail;

use super::{
    Context,
    failure::{Failure, Report},
    jobs::{Ground, wait::told, words},
    terminal,
};
use crate::{
    model::job::{Job, JobId, JobState},
    store::jobs::JobStore,
    view::jobs::{JobView, views},
};
use clap::Args;
use rustix::stdio::{stdin, stdout};

#[derive(Debug, Args)]
#[command(after_help = "\
On a terminal the jobs are shown with the newest lines of a log, until all are over. Keys: `q` or
ctrl-C leaves, and the jobs go on; `c` cancels the job, after a question; for a job that waits for
an approval, `c` continues, `r` retries the last step, `x` cancels; tab shows the log of the next
job. Elsewhere, a line is printed for each change.

Exit codes: 0 all succeeded (or it was left with `q`), 1 one did not, 2 no such job

Examples:
  agents monitor j7
  agents monitor build test")]
pub struct MonitorArgs {
    /// Ids or names
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
}

pub fn run(args: &MonitorArgs, context: &mut Context) -> Report {
    let ground = Ground::find(context)?;
    let Some(mut store) = ground.existing()? else { return words::all(None, &args.ids, 2).map(|_| 2) };
    let waited = ground.wait(&store);
    let done = until_over(args, &mut store, context);
    ground.seen(waited, &mut store);
    done
}

fn until_over(args: &MonitorArgs, store: &mut JobStore, context: &mut Context) -> Report {
    let ids = words::all(Some(store), &args.ids, 2)?;
    let draws = context.out.terminal && terminal::can_draw();
    if draws && terminal::is_ours(stdin()) && terminal::is_ours(stdout()) {
        live::run(&ids, store, context)
    } else {
        lines::run(&ids, store, context)
    }
}

/// Those that are still there.
fn look(ids: &[JobId], store: &JobStore) -> Result<Vec<Job>, Failure> {
    let mut jobs = Vec::with_capacity(ids.len());
    for id in ids {
        jobs.extend(store.job(*id)?);
    }
    Ok(jobs)
}

/// For a view: all are over, or gone.
fn all_over(jobs: &[Job]) -> bool {
    jobs.iter().all(|job| job.state.is_over())
}

/// As `agents jobs wait`. One that was removed meanwhile did not succeed, as far as anybody knows.
fn code(ids: &[JobId], jobs: &[Job]) -> u8 {
    let done = jobs.iter().filter(|job| job.state == JobState::Done).count();
    u8::from(done < ids.len())
}

fn shown(jobs: &[Job]) -> Vec<JobView> {
    views(jobs)
}

/// What is left on the terminal of a view that ended.
fn last_words(jobs: &[Job], context: &mut Context) -> Result<(), Failure> {
    for job in jobs {
        context.out.line(&told(job))?;
    }
    context.out.flush()
}
