//! `agents report`: the morning page.
use super::{
    Context,
    failure::{Failure, Report},
    sessions, since, snapshot,
};
use crate::{
    engine::{fleet::Fleet, journal},
    model::{
        event::{Event, EventKind},
        state::State,
        time::{Now, Wall},
    },
    store::{EventFilter, Store},
    transcripts::{self, Subject},
    view::{
        report::{self, Inputs, Usage, page},
        table::Look,
    },
};
use clap::Args;
use std::{collections::BTreeMap, time::Duration};

#[derive(Debug, Args)]
#[command(after_help = "\
SHARE is the time at work, of the time in which an agent could work: somebody looked, you wanted it to run, no usage limit
held it and no question was open. A time in which it was down counts: it could have worked. `-` is: not known.

Works without a watchdog and with a broken config. `agents events` tells each thing that happened.")]
pub struct ReportArgs {
    /// From when on: `8h` (ago), `22:30`, `yesterday`, `2026-11-21`, RFC 3339, or `up` (the last start of the watchdog)
    #[arg(long, value_name = "T", default_value = "12h")]
    since: String,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

const LAST_UP: &str = "up";
/// What was in force when the time of the report began, began no earlier than so long before.
const BEFORE: Duration = Duration::from_secs(8 * 86_400);

pub fn run(args: &ReportArgs, context: &mut Context) -> Report {
    let fleet = context.fleet()?;
    let (view, now) = snapshot::take(&fleet)?;
    let store = fleet.store_to_read()?;
    let known = match &store {
        Some(store) => Known::read(&**store, &args.since, now)?,
        None if args.since == LAST_UP => Known { since: now.wall, ..Known::default() },
        None => Known { since: moment(&args.since, now)?, ..Known::default() },
    };
    let report = report::compile(&Inputs {
        policy: &fleet.policy,
        state: &known.state,
        view: &view,
        events: &known.events,
        born: known.born,
        texts: &known.texts,
        usage: &usage(&fleet, &known),
        since: known.since,
        beat: journal::last_beat(&fleet.paths.beat).map(|(at, _)| at),
        now,
    });
    if args.json {
        let text = serde_json::to_string_pretty(&report).map_err(|e| Failure::new(1, e.to_string()))?;
        context.out.line(&text)?;
    } else {
        let look = Look { width: context.out.width(), paint: context.out.paint, detailed: false };
        context.out.raw(page::page(&report, look).as_bytes())?;
    }
    Ok(0)
}

/// Turns, tokens and cost by agent, as the programs' own session files say.
fn usage(fleet: &Fleet, known: &Known) -> BTreeMap<String, Usage> {
    let subjects = sessions::subjects(fleet, &known.state, &known.events);
    // A session that is read for this time may have begun earlier: as long as the run lasts, it counts among the others.
    let run = |s: &Subject| s.starts.iter().filter(|at| **at <= known.since).max().copied();
    let from = subjects.iter().filter_map(run).min().unwrap_or(known.since);
    let survey = sessions::survey(fleet, &subjects, from);
    let of = |s: &Subject| {
        let sum = transcripts::usage::usage(&survey, &s.name, known.since)?;
        let usage = Usage { turns: Some(sum.turns), tokens: Some(sum.tokens.total()), cost_usd: sum.cost_usd };
        Some((s.name.clone(), usage))
    };
    subjects.iter().filter_map(of).collect()
}

/// What the store holds of the time that is asked for.
#[derive(Default)]
struct Known {
    state: State,
    events: Vec<Event>,
    born: Option<Wall>,
    texts: BTreeMap<i64, String>,
    since: Wall,
}

impl Known {
    fn read(store: &dyn Store, since: &str, now: Now) -> Result<Known, Failure> {
        let state = store.load()?;
        let all = EventFilter::default();
        let born = store.events_after(i64::MIN, &all, 1)?.first().map(|e| e.at);
        let since = match since {
            LAST_UP => last_up(store)?.or(born).unwrap_or(now.wall),
            other => moment(other, now)?,
        };
        let before = Wall(since.0.saturating_sub(BEFORE.as_millis() as i64));
        let events = store.last_events(&EventFilter { since: Some(before), ..all }, usize::MAX / 2)?;
        let mut texts = BTreeMap::new();
        let lost = |e: &&Event| matches!(e.kind, EventKind::Undelivered | EventKind::Unknown) && e.at >= since;
        for id in events.iter().filter(lost).filter_map(|e| e.data["delivery"].as_i64()) {
            if let Some(delivery) = store.delivery(id)? {
                texts.insert(id, delivery.text);
            }
        }
        Ok(Known { state, events, born, texts, since })
    }
}

fn moment(text: &str, now: Now) -> Result<Wall, Failure> {
    since::moment(text, now).map_err(|e| Failure::new(2, e))
}

/// When the watchdog came up last.
fn last_up(store: &dyn Store) -> Result<Option<Wall>, Failure> {
    let events = store.last_events(&EventFilter::default(), usize::MAX / 2)?;
    let up = |e: &&Event| e.kind == EventKind::Watchdog && e.data["up"] == true;
    Ok(events.iter().rev().find(up).map(|e| e.at))
}
