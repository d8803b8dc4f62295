//! `agents jobs show`: all that is known of one job.
use super::{
    super::{
        Context,
        failure::{Failure, Report},
    },
    Ground, words,
};
use crate::{
    model::job_seen::JobSeen,
    view::jobs::{self, Look},
    world::clock,
};
use clap::Args;

#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Id or name
    #[arg(value_name = "ID")]
    id: String,
    /// One JSON object
    #[arg(long)]
    pub(super) json: bool,
}

pub fn run(args: &ShowArgs, context: &mut Context) -> Report {
    let ground = Ground::find(context)?;
    let store = ground.existing()?;
    let id = words::one(store.as_ref(), &args.id)?;
    let job = store.as_ref().map(|s| s.job(id)).transpose()?.flatten();
    let Some(job) = job else { return Err(Failure::new(1, format!("{id} was removed"))) };
    let out = &mut context.out;
    if args.json {
        out.raw(&jobs::json_object(&JobSeen::of(&job)))?;
    } else {
        let look = Look { width: out.width(), paint: out.paint, now: clock::moment() };
        out.raw(jobs::page(&jobs::view(&job), look).as_bytes())?;
    }
    Ok(0)
}
