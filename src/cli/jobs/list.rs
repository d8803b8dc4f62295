//! `agents jobs`, `agents jobs list`: the table, or the same as JSON.
use super::{
    super::{
        Context,
        failure::{Failure, Report},
    },
    Ground, words,
};
use crate::{
    model::job::JobState,
    store::jobs::JobFilter,
    view::jobs::{self, JobView, Look},
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
    json: bool,
}

pub fn run(args: &ListArgs, context: &mut Context) -> Report {
    let ground = Ground::find(context)?;
    let limit = if args.all { None } else { Some(args.newest.unwrap_or(NEWEST)) };
    let mut views: Vec<JobView> = Vec::new();
    let mut more = 0;
    if let Some(store) = ground.existing()? {
        let filter = JobFilter { state: args.state, group: args.group.clone() };
        views = jobs::views(&store.list(&filter, limit)?);
        // What a person would otherwise take for all there is.
        if limit == Some(views.len()) && args.newest.is_none() && args.group.is_none() && !args.json {
            let counts = store.counts()?;
            let matching = counts.iter().filter(|(state, _)| args.state.is_none_or(|s| s == **state));
            let all: u64 = matching.map(|(_, n)| n).sum();
            more = usize::try_from(all).unwrap_or(usize::MAX).saturating_sub(views.len());
        }
    }
    let out = &mut context.out;
    if args.json {
        let json = jobs::json_array(&views).map_err(|e| Failure::new(1, e.to_string()))?;
        out.raw(json.as_bytes())?;
    } else {
        let look = Look { width: out.width(), paint: out.paint, now: clock::now() };
        out.raw(jobs::list(&views, more, look).as_bytes())?;
    }
    Ok(0)
}
