//! `agents replay`: recorded decisions, made again by this program.
use super::{
    Context,
    failure::{Failure, Report, complain},
    out::Out,
    since,
};
use crate::{
    decide::{Decision, decide},
    engine::{
        recorder::{EARLIER, LATEST},
        words::plain,
    },
    model::{
        name::printable,
        time::{Wall, human},
    },
    replay::{
        again::compare,
        difference::Difference,
        read::{Fault, Journal, Recorded},
        told::shown,
    },
    world::{clock, file, mishap},
};
use clap::{Args, ValueHint};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    io::Read,
    path::{Path, PathBuf},
    time::Duration,
};

/// No record is larger.
const LARGEST: u64 = 2 << 30;
/// Fields of the first difference that are shown.
const FIELDS: usize = 20;

#[derive(Debug, Args)]
#[command(after_help = "\
Without JOURNAL: the fleet's own record, `state/decisions/` in its log_dir. A journal holds no environment, no screen
beyond the rows that were understood, and letters and figures of commands and of texts that were sent as `x`.

Exit code 0: every decision is made again as it was; 1: one is not; 2: that is no journal.")]
pub struct ReplayArgs {
    /// A record of decisions, or a folder with one; `-` = standard input
    #[arg(value_name = "JOURNAL", value_hint = ValueHint::AnyPath)]
    journal: Option<PathBuf>,
    /// Only decisions about this agent or service
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// Only later ones: `10m`, `14:30`, `2026-11-21`, or RFC 3339
    #[arg(long, value_name = "T")]
    since: Option<String>,
    /// Also one line a decision: what was decided, and why
    #[arg(long, short)]
    verbose: bool,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// What came of it.
#[derive(Default)]
struct Sum {
    decisions: usize,
    different: usize,
    cut: usize,
    from: Option<Wall>,
    until: Wall,
    programs: BTreeSet<String>,
    /// Whom all decisions are about.
    names: BTreeSet<String>,
    first: Option<First>,
    /// With `--verbose --json`.
    all: Vec<Value>,
}

struct First {
    file: String,
    line: usize,
    at: Wall,
    /// This program failed: in words.
    fault: Option<String>,
    /// Whom, and where.
    fields: Vec<(Option<String>, Difference)>,
}

pub fn run(args: &ReplayArgs, context: &mut Context) -> Report {
    let since = args.since.as_deref().map(|t| since::moment(t, clock::now())).transpose();
    let since = since.map_err(|e| Failure::new(2, e))?;
    let mut sum = Sum::default();
    for (shown, bytes) in journals(args, context)? {
        let mut journal = Journal::new(&bytes);
        for recorded in journal.by_ref() {
            let recorded = recorded.map_err(|fault| no_journal(&shown, &fault))?;
            if since.is_some_and(|since| recorded.now.wall < since) {
                continue;
            }
            one(args, &shown, &recorded, &mut sum, &mut context.out)?;
        }
        sum.cut += journal.cut;
    }
    if let Some(name) = &args.agent
        && sum.decisions == 0
        && !sum.names.is_empty()
    {
        let known: Vec<&str> = sum.names.iter().map(String::as_str).collect();
        complain(&format!("warning: nothing was decided about `{name}`; there are {}", known.join(", ")));
    }
    let text = if args.json { object(&sum).to_string() } else { page(&sum) };
    context.out.line(text.trim_end())?;
    Ok(u8::from(sum.different > 0))
}

/// What to read, oldest first: how it is called, and what is in it.
fn journals(args: &ReplayArgs, context: &Context) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let Some(path) = &args.journal else {
        let fleet = context.fleet()?;
        let dir = &fleet.paths.decisions;
        return folder(dir).map_err(|failure| match fleet.policy.log.decisions {
            0 => failure.hint("`decisions` of [log] is 0: nothing is recorded"),
            _ => failure.hint("the record begins with the first `agents up`"),
        });
    };
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        let read = std::io::stdin().take(LARGEST).read_to_end(&mut bytes);
        read.map_err(|e| Failure::new(2, format!("standard input cannot be read: {}", plain(&e))))?;
        return Ok(vec![("standard input".into(), bytes)]);
    }
    if path.is_dir() {
        return folder(path);
    }
    Ok(vec![(called(path), read(path)?)])
}

fn folder(dir: &Path) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let files = [EARLIER, LATEST].map(|name| dir.join(name)).into_iter().filter(|file| file.exists());
    let found: Vec<_> = files.map(|file| Ok((called(&file), read(&file)?))).collect::<Result<_, Failure>>()?;
    match found.is_empty() {
        true => Err(Failure::new(2, format!("no decisions are recorded in {}", called(dir)))),
        false => Ok(found),
    }
}

fn called(path: &Path) -> String {
    format!("`{}`", printable(&path.to_string_lossy()))
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    file::read(path, LARGEST).map_err(|e| Failure::new(2, format!("{} cannot be read: {}", called(path), plain(&e))))
}

fn no_journal(file: &str, fault: &Fault) -> Failure {
    let failure = Failure::new(2, format!("{file} cannot be replayed: {fault}"));
    match fault {
        Fault::Newer { .. } => failure.hint("it takes the program that wrote it, or a newer one"),
        _ => failure.hint("a journal is a file of `state/decisions/`, as `agents` wrote it"),
    }
}

fn one(args: &ReplayArgs, file: &str, recorded: &Recorded, sum: &mut Sum, out: &mut Out) -> Result<(), Failure> {
    let names = recorded.names();
    let about = |name: &String| names.contains(name);
    sum.names.extend(names.iter().cloned());
    if args.agent.as_ref().is_some_and(|name| !about(name)) {
        return Ok(());
    }
    let again = mishap::caught(|| decide(&recorded.obs, &recorded.state, &recorded.policy, recorded.now));
    let (fields, fault) = match again {
        Err(words) => (Vec::new(), Some(words)),
        Ok(now) => (differences(args, recorded, &now)?, None),
    };
    let differs = fault.is_some() || !fields.is_empty();
    sum.decisions += 1;
    sum.different += usize::from(differs);
    sum.from.get_or_insert(recorded.now.wall);
    sum.until = recorded.now.wall;
    sum.programs.insert(recorded.program.to_string());
    if args.verbose {
        let told = recorded.told(args.agent.as_deref());
        let at = recorded.now.wall;
        match args.json {
            true => {
                let names: Vec<&String> = names.iter().collect();
                let decision = json!({"at": at.rfc3339(), "line": recorded.line, "agents": names, "told": told,
                    "actions": recorded.actions, "events": recorded.events, "equal": !differs});
                sum.all.push(decision);
            }
            false => {
                let mark = if differs { "!" } else { " " };
                out.line(&format!("{mark} {} {}", at.format_local("%F %T%.3f"), printable(&told)))?;
            }
        }
    }
    if differs && sum.first.is_none() {
        let (line, at) = (recorded.line, recorded.now.wall);
        sum.first = Some(First { file: file.to_owned(), line, at, fault, fields });
    }
    Ok(())
}

/// Each with whom it is about; with `--agent` only theirs.
fn differences(
    args: &ReplayArgs,
    recorded: &Recorded,
    now: &Decision,
) -> Result<Vec<(Option<String>, Difference)>, Failure> {
    let found = compare(recorded, now).map_err(|e| Failure::new(1, e.to_string()))?;
    let named = found.into_iter().map(|d| (d.agent(recorded, &now.state), d));
    Ok(named.filter(|(name, _)| args.agent.is_none() || args.agent == *name).collect())
}

fn page(sum: &Sum) -> String {
    let mut lines = Vec::new();
    let this = env!("CARGO_PKG_VERSION");
    let Some(from) = sum.from else {
        return "no decisions of that kind are recorded".into();
    };
    let by: Vec<&str> = sum.programs.iter().map(String::as_str).collect();
    let span = Duration::from_millis(sum.until.0.saturating_sub(from.0).max(0) as u64);
    let (noun, first, last) = (noun(sum.decisions), from.format_local("%F %T"), sum.until.format_local("%F %T"));
    lines.push(format!("{noun} from {first} to {last} ({}), by agents {}", human(span), by.join(", ")));
    if sum.cut > 0 {
        let lines_cut = if sum.cut == 1 { "1 line".into() } else { format!("{} lines", sum.cut) };
        lines.push(format!("{lines_cut} left out: whoever wrote it was killed"));
    }
    lines.push(match sum.different {
        0 => format!("made again by agents {this}: all equal"),
        n => format!("made again by agents {this}: {} equal, {n} different", sum.decisions - n),
    });
    if let Some(first) = &sum.first {
        let at = first.at.format_local("%F %T%.3f");
        lines.push(format!("\nfirst difference: {at}, line {} of {}", first.line, first.file));
        lines.extend(first.fault.as_ref().map(|words| format!("  this program has a fault: {}", printable(words))));
        let mut about = None;
        for (name, field) in first.fields.iter().take(FIELDS) {
            if about.as_ref() != Some(name) {
                lines.push(format!("  {}", name.as_deref().unwrap_or("fleet")));
                about = Some(name.clone());
            }
            let place = printable(&field.short());
            lines.push(format!("    {place}"));
            lines.push(format!("      recorded {}", shown(field.recorded.as_ref())));
            lines.push(format!("      now      {}", shown(field.now.as_ref())));
        }
        if first.fields.len() > FIELDS {
            lines.push(format!("  and {} more fields; `--json` has all", first.fields.len() - FIELDS));
        }
    }
    lines.join("\n")
}

fn noun(n: usize) -> String {
    if n == 1 { "1 decision".into() } else { format!("{n} decisions") }
}

fn object(sum: &Sum) -> Value {
    let first = sum.first.as_ref().map(|first| {
        let field = |(name, d): &(Option<String>, Difference)| json!({"agent": name, "field": d.field, "recorded": d.recorded, "now": d.now});
        let fields: Vec<Value> = first.fields.iter().map(field).collect();
        json!({"at": first.at.rfc3339(), "file": first.file.trim_matches('`'), "line": first.line, "fault": first.fault,
            "fields": fields})
    });
    let mut object = json!({
        "v": 1, "program": env!("CARGO_PKG_VERSION"), "recorded_by": sum.programs,
        "from": sum.from.map(Wall::rfc3339), "until": sum.from.map(|_| sum.until.rfc3339()),
        "decisions": sum.decisions, "equal": sum.decisions - sum.different, "different": sum.different,
        "cut": sum.cut, "first": first,
    });
    if !sum.all.is_empty() {
        object["all"] = Value::Array(sum.all.clone());
    }
    object
}
