//! `agents jobs`: what there is of jobs, and what people do to them.
pub mod approve;
mod cancel;
mod change;
pub mod changes;
mod clean;
mod ground;
mod left;
mod limit;
mod list;
pub mod log;
pub mod news;
mod offer;
mod show;
pub mod told;
pub mod wait;
pub mod words;

pub use cancel::{CancelArgs, stop};
pub use ground::Ground;
pub use left::tell as tell_left;
pub use list::ListArgs;

use super::{Context, failure::Report};
use clap::{Args, Subcommand};

#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
A job is named by its id (`j7`) or its name. States: held queued blocked running paused
backoff done failed timeout cancelled interrupted skipped.

Examples:
  agents jobs                       the newest 20
  agents jobs --state failed --all
  agents jobs show j7
  agents jobs wait j7 j8            0 if both succeeded
  agents jobs retry j7
  agents jobs approve j7 continue
  agents jobs limit --group gpu 1"
)]
pub struct JobsArgs {
    #[command(subcommand)]
    verb: Option<JobsVerb>,
    #[command(flatten)]
    list: list::ListArgs,
}

#[derive(Debug, Subcommand)]
enum JobsVerb {
    /// List jobs, newest first
    List(list::ListArgs),
    /// Show one job
    Show(show::ShowArgs),
    /// End jobs, with all that they started
    Cancel(CancelArgs),
    /// Answer a job that waits for an approval between two steps
    Approve(approve::ApproveArgs),
    /// Keep jobs that wait from starting
    Hold(change::IdsArgs),
    /// Let held jobs start
    Release(change::IdsArgs),
    /// Run jobs that are over once more, from the first step
    Retry(change::IdsArgs),
    /// Run jobs that ended too early once more, from the step at which they ended
    Resume(change::IdsArgs),
    /// Forget jobs that do not run, with their logs
    Rm(change::IdsArgs),
    /// Forget old jobs that are over
    Clean(clean::CleanArgs),
    /// Show or set how many jobs of a group run at the same time
    Limit(limit::LimitArgs),
    /// Wait until jobs are over
    Wait(wait::WaitArgs),
}

pub fn run(args: &JobsArgs, context: &mut Context) -> Report {
    let done = verb(args, context);
    if done.is_ok() && !args.json() {
        left::tell(context);
    }
    done
}

impl JobsArgs {
    /// `agents jobs`, `agents jobs list`.
    pub fn listing(list: ListArgs) -> JobsArgs {
        JobsArgs { verb: None, list }
    }

    /// A program asks.
    fn json(&self) -> bool {
        match &self.verb {
            None => self.list.json,
            Some(JobsVerb::List(a)) => a.json,
            Some(JobsVerb::Show(a)) => a.json,
            Some(_) => false,
        }
    }
}

fn verb(args: &JobsArgs, context: &mut Context) -> Report {
    match &args.verb {
        None => list::run(&args.list, context),
        Some(JobsVerb::List(a)) => list::run(a, context),
        Some(JobsVerb::Show(a)) => show::run(a, context),
        Some(JobsVerb::Cancel(a)) => cancel::run(a, context),
        Some(JobsVerb::Approve(a)) => approve::run(a, context),
        Some(JobsVerb::Hold(a)) => change::run(a, change::Wish::Hold, context),
        Some(JobsVerb::Release(a)) => change::run(a, change::Wish::Release, context),
        Some(JobsVerb::Retry(a)) => change::run(a, change::Wish::Retry, context),
        Some(JobsVerb::Resume(a)) => change::run(a, change::Wish::Resume, context),
        Some(JobsVerb::Rm(a)) => change::remove(a, context),
        Some(JobsVerb::Clean(a)) => clean::run(a, context),
        Some(JobsVerb::Limit(a)) => limit::run(a, context),
        Some(JobsVerb::Wait(a)) => wait::run(a, context),
    }
}
