//! `agents jobs`, `agents jobs list`: the table, or the same as JSON.
use super::{
    super::{Context, failure::Report, pour::Pour},
    Ground, words,
};
use crate::{
    model::job::JobState,
    store::jobs::JobFilter,
    view::jobs::{self, JobView, JsonArray, Look},
    world::clock,
};
use clap::Args;

/// How many are shown unasked.
const NEWEST: usize = 20;

#[derive(Debug, Default, Args)]
pub struct ListArgs {
    /// The newest N [default: 20]
    #[arg(short = 'n', value_name = "N", conflicts_with = "all")]
    newest: Option<usize>,
    /// All of them
    #[arg(long)]
    all: bool,
    /// Only those in this state
    #[arg(long, value_name = "S", value_parser = words::state)]
    state: Option<JobState>,
    /// Only those of this group
    #[arg(long, value_name = "G")]
    group: Option<String>,
    /// A JSON array, an object a line
    #[arg(long)]
    pub(super) json: bool,
}

pub fn run(args: &ListArgs, context: &mut Context) -> Report {
    let ground = Ground::find(context)?;
    let store = ground.existing()?;
    let filter = JobFilter { state: args.state, group: args.group.clone() };
    let limit = if args.all { None } else { Some(args.newest.unwrap_or(NEWEST)) };
    let out = &mut context.out;
    if args.json {
        let (mut json, mut pour) = (JsonArray::default(), Pour::into(out)?);
        if let Some(store) = store {
            store.each_seen(&filter, limit, |job| pour.some(json.push(job)))?;
        }
        pour.all(&json.end())?;
        return Ok(0);
    }
    let mut views: Vec<JobView> = Vec::new();
    if let Some(store) = store {
        // One more than is shown tells that there are more, without counting them.
        store.each(&filter, limit.map(|n| n.saturating_add(1)), |job| views.push(jobs::view(&job)))?;
    }
    let more = limit.is_some_and(|n| views.len() > n) && args.newest.is_none();
    views.truncate(limit.unwrap_or(usize::MAX));
    let look = Look { width: out.width(), paint: out.paint, now: clock::moment() };
    out.raw(jobs::list(&views, more, look).as_bytes())?;
    Ok(0)
}
