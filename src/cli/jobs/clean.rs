//! `agents jobs clean`: forget jobs by count, with what they left on the disk.
use super::{
    super::{Context, failure::Report},
    Ground,
};
use crate::jobs::tidy::{delete, delete_dir};
use clap::Args;

#[derive(Debug, Args)]
pub struct CleanArgs {
    /// Every job that is over, however few there are
    #[arg(long)]
    all: bool,
}

pub fn run(args: &CleanArgs, context: &mut Context) -> Report {
    let ground = Ground::find(context)?;
    let rules = &ground.rules;
    let mut removed = 0;
    if let Some(mut store) = ground.existing()? {
        let gone = store.clean(rules.keep_finished, rules.keep_unfinished, args.all)?;
        gone.iter().for_each(|gone| delete(store.dir(), gone));
        removed = gone.len();
        for dir in store.clean_dirs(if args.all { 0 } else { rules.keep_dirs })? {
            delete_dir(store.dir(), &dir);
        }
    }
    let what = if removed == 1 { "job" } else { "jobs" };
    context.out.line(&format!("removed {removed} {what}"))?;
    Ok(0)
}
