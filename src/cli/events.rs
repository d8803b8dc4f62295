//! `agents events`: the journal.
use super::{
    Context,
    failure::{Failure, Report},
    names,
    out::Out,
    since,
};
use crate::{
    engine::fleet::Fleet,
    model::event::Event,
    store::{EventFilter, Store},
    view::event,
    world::clock,
};
use clap::Args;
use std::time::Duration;

#[derive(Debug, Args)]
pub struct EventsArgs {
    /// Go on with what happens from now on; needs a running watchdog
    #[arg(long, short)]
    follow: bool,
    /// At most the newest N of the past ones [default: 50, or all with --since]
    #[arg(long, short = 'n', value_name = "N")]
    lines: Option<usize>,
    /// Only later ones: `10m`, `14:30`, `2026-11-21`, or RFC 3339
    #[arg(long, value_name = "T")]
    since: Option<String>,
    /// Only of this agent or service
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

const POLL: Duration = Duration::from_millis(250);
const BATCH: usize = 500;
/// So many polls between two looks whether the watchdog is there.
const LOOK_EVERY: u32 = 8;

pub fn run(args: &EventsArgs, context: &mut Context) -> Report {
    let fleet = context.fleet()?;
    names::check(&fleet.policy, args.agent.as_slice(), true)?;
    let since = args.since.as_deref().map(|t| since::moment(t, clock::now())).transpose();
    let since = since.map_err(|e| Failure::new(2, e))?;
    let filter = EventFilter { agent: args.agent.clone(), since };
    if args.follow && !fleet.is_attended() {
        return Err(Failure::new(4, "no watchdog is running, so nothing would come").hint("`agents up watchdog`"));
    }
    let Some(store) = fleet.store_to_read()? else {
        return Ok(0);
    };
    let limit = args.lines.unwrap_or(if filter.since.is_some() { usize::MAX / 2 } else { 50 });
    let past = store.last_events(&filter, limit)?;
    // What the filter leaves out is behind us, too.
    let newest = store.last_events(&EventFilter::default(), 1)?;
    let seq = newest.iter().chain(&past).map(|e| e.seq).max().unwrap_or(0);
    let today = today();
    for e in &past {
        show(e, &today, args.json, &mut context.out)?;
    }
    context.out.flush()?;
    if args.follow { follow(&fleet, &*store, &filter, seq, args.json, context) } else { Ok(0) }
}

/// Never ends well: the reader goes away, or the watchdog does.
fn follow(
    fleet: &Fleet,
    store: &dyn Store,
    filter: &EventFilter,
    mut seq: i64,
    json: bool,
    context: &mut Context,
) -> Report {
    let mut polls = 0_u32;
    loop {
        context.out.pause(POLL)?;
        polls = polls.wrapping_add(1);
        let alive = !polls.is_multiple_of(LOOK_EVERY) || fleet.is_attended();
        let today = today();
        let new = store.events_after(seq, filter, BATCH)?;
        for e in &new {
            seq = seq.max(e.seq);
            show(e, &today, json, &mut context.out)?;
        }
        context.out.flush()?;
        if !alive && new.is_empty() {
            return Err(Failure::new(4, "the watchdog has ended").hint("`agents up watchdog`"));
        }
    }
}

/// The local day. Events of another one carry theirs.
fn today() -> String {
    clock::now().wall.format_local("%F")
}

fn show(e: &Event, today: &str, json: bool, out: &mut Out) -> Result<(), Failure> {
    if json {
        return out.line(&event::json(e).to_string());
    }
    out.line(&event::line(e, e.at.format_local("%F") != today))
}
