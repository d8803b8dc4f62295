//! `agents logs`: what a session printed, as clean lines, across rotation.
use super::{
    Context,
    failure::{Failure, Report},
    jobs::log as job_log,
    log_agent::{self, Shown},
    log_follow::{Follow, Take},
    log_lines::{Wanted, print_all, print_raw, print_tail, unreadable},
    log_parts, log_transcript,
    names::{self, WATCHDOG},
    out::Out,
    since,
};
use crate::{
    engine::fleet::Fleet,
    model::{
        job::JobId,
        job_agent::Stream,
        name::{printable, unusable},
    },
    view::{clean::Cleaner, errors, jobs::stream::Line},
    world::clock,
};
use clap::Args;
use regex::Regex;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
#[command(after_help = "\
On a terminal, a bare `agents logs NAME` shows the last 10 lines and follows.

Examples:
  agents logs                       the watchdog's log
  agents logs builder -f
  agents logs builder -n 100 --grep 'test result'
  agents logs builder --errors --since 2h
  agents logs builder --transcript -n 50
  agents logs j7 -f                 a job, until it is over")]
pub struct LogsArgs {
    /// Agent, service, or the id or name of a job; none: the watchdog
    name: Option<String>,
    /// Go on with what is printed from now on
    #[arg(long, short)]
    follow: bool,
    /// Only the last N lines [default: all; 10 with -f]
    #[arg(long, short = 'n', value_name = "N")]
    lines: Option<usize>,
    /// Only lines that this pattern matches
    #[arg(long, value_name = "RE", value_parser = pattern)]
    grep: Option<Regex>,
    /// Only later output: `10m`, `14:30`, `2026-11-21`, or RFC 3339. Output without times counts by its file's age
    #[arg(long, value_name = "T")]
    since: Option<String>,
    /// Only lines that look like trouble
    #[arg(long)]
    errors: bool,
    /// The bytes as the terminal got them; of a job of an agent, its stream
    #[arg(long, conflicts_with_all = ["grep", "errors", "since"])]
    raw: bool,
    /// The program's own session file (Claude Code, Codex) as turns: who, when, tools, results, errors. `-n` counts these
    #[arg(long, conflicts_with = "raw", requires = "name")]
    transcript: bool,
}

fn pattern(text: &str) -> Result<Regex, String> {
    Regex::new(text).map_err(|e| e.to_string())
}

pub fn run(args: &LogsArgs, context: &mut Context) -> Report {
    let bare = args.lines.is_none()
        && args.grep.is_none()
        && args.since.is_none()
        && !args.errors
        && !args.raw
        && !args.follow;
    let follow = args.follow || (bare && args.name.is_some() && context.out.terminal);
    let since = args.since.as_deref().map(|t| since::moment(t, clock::now())).transpose();
    let since = since.map_err(|e| Failure::new(2, e))?;
    let limit = args.lines.or((follow && since.is_none()).then_some(10));
    let wanted = Wanted { limit, since, follow };
    if args.transcript {
        let fleet = context.fleet()?;
        let name = args.name.as_deref().unwrap_or(WATCHDOG);
        let wanted = log_transcript::Wanted { limit, since, grep: args.grep.clone(), errors: args.errors, follow };
        return log_transcript::run(&fleet, name, &wanted, &mut context.out);
    }
    let Place { path, mut growing, stream, fresh } = place(args.name.as_deref(), follow, context)?;
    if let Some(stream) = stream.filter(|_| !args.raw) {
        return show_agent(args, &wanted, stream, &path, growing.as_mut(), &mut context.out);
    }
    show(args, &wanted, &path, fresh, growing.as_mut(), &mut context.out)
}

/// How a log goes on.
enum Growing {
    /// For ever, across rotation.
    Session(Follow),
    /// Until its job is over.
    Job(Box<job_log::JobLog>),
}

impl Growing {
    fn run(&mut self, from: u64, out: &mut Out, take: &mut Take<'_>) -> Report {
        match self {
            Growing::Session(follow) => follow.run(from, out, take),
            Growing::Job(log) => job_log::follow(log, from, out, take),
        }
    }
}

/// A log.
struct Place {
    path: PathBuf,
    growing: Option<Growing>,
    /// Of an agent, that stands in it.
    stream: Option<Stream>,
    /// What makes lines of it.
    fresh: fn() -> Cleaner,
}

/// The log of an agent, a service or the watchdog; else of a job. Watched before it is read, so that nothing falls
/// between.
fn place(name: Option<&str>, follow: bool, context: &mut Context) -> Result<Place, Failure> {
    let fleet = context.fleet();
    let unit =
        fleet.as_ref().is_ok_and(|f| name.is_none_or(|n| n == WATCHDOG || names::all(&f.policy).any(|a| a == n)));
    let is_id = name.is_some_and(|n| JobId::parse(n).is_some());
    let of_session = match (&fleet, is_id && !unit) {
        (Ok(fleet), false) => Some(log_of(fleet, name)),
        _ => None,
    };
    // Jobs need no config; and a name that is no agent's may be a job's.
    if let Some(name) = name.filter(|_| !unit && !matches!(of_session, Some(Ok(_))))
        && let Some(log) = job_log::named(name, context)?
    {
        let path = log.path.clone();
        if !follow && !log_parts::exists(&path) {
            return Err(log.nothing());
        }
        let stream = log.stream;
        let growing = follow.then(|| Growing::Job(Box::new(log)));
        return Ok(Place { path, growing, stream, fresh: Cleaner::of_lines });
    }
    let path = match of_session {
        Some(path) => path?,
        None => {
            let fleet = fleet.map_err(|failure| names::nobody(failure, name, context))?;
            // What looks like an id means a job, and no agent.
            log_of(&fleet, name).map_err(|failure| name.filter(|_| is_id).map_or(failure, names::no_job))?
        }
    };
    let growing = follow.then(|| Follow::new(&path)).transpose().map_err(|e| unreadable(&path, &e))?;
    Ok(Place { path, growing: growing.map(Growing::Session), stream: None, fresh: Cleaner::default })
}

/// What the agent of a job says.
fn show_agent(
    args: &LogsArgs,
    wanted: &Wanted,
    stream: Stream,
    path: &Path,
    growing: Option<&mut Growing>,
    out: &mut Out,
) -> Report {
    let keep = |line: &Line| {
        let is_trouble = line.trouble || errors::is_error(&line.text);
        (!args.errors || is_trouble) && args.grep.as_ref().is_none_or(|g| g.is_match(&line.text))
    };
    let mut shown =
        Shown::new(stream, log_agent::Wanted { limit: wanted.limit, keep: &keep, since: wanted.since }, out);
    let end = shown.whole(path, out)?;
    out.flush()?;
    if let Some(growing) = growing {
        growing.run(end, out, &mut |bytes, out| shown.more(bytes, out))?;
    }
    shown.end(out)
}

fn show(
    args: &LogsArgs,
    wanted: &Wanted,
    path: &Path,
    fresh: fn() -> Cleaner,
    growing: Option<&mut Growing>,
    out: &mut Out,
) -> Report {
    if args.raw {
        let size = print_raw(path, wanted.limit, out).map_err(|e| e.into_failure(path))?;
        out.flush()?;
        return match growing {
            Some(growing) => growing.run(size, out, &mut |bytes, out| out.raw(bytes)),
            None => Ok(0),
        };
    }
    let keep =
        |line: &str| (!args.errors || errors::is_error(line)) && args.grep.as_ref().is_none_or(|g| g.is_match(line));
    let plain = args.grep.is_none() && !args.errors && wanted.since.is_none();
    let (mut cleaner, end) = match wanted.limit {
        _ if !log_parts::exists(path) => Ok((fresh(), 0)),
        Some(n) if plain => print_tail(path, fresh, n, wanted.follow, out),
        _ => print_all(path, fresh(), wanted, &keep, out),
    }
    .map_err(|e| e.into_failure(path))?;
    out.flush()?;
    let Some(growing) = growing else { return Ok(0) };
    let emit = |cleaner: &mut Cleaner, bytes: Option<&[u8]>, out: &mut Out| {
        let mut failed = Ok(());
        let mut line = |line: &str| {
            if failed.is_ok() && keep(line) {
                failed = out.line(line);
            }
        };
        match bytes {
            Some(bytes) => cleaner.feed(bytes, &mut line),
            None => cleaner.finish(&mut line),
        }
        failed
    };
    let done = growing.run(end, out, &mut |bytes, out| emit(&mut cleaner, Some(bytes), out))?;
    // Its last line need not have an end.
    emit(&mut cleaner, None, out)?;
    Ok(done)
}

/// The log of a name; also of one that is no longer in the config, if its file is there.
fn log_of(fleet: &Fleet, name: Option<&str>) -> Result<PathBuf, Failure> {
    let policy = &fleet.policy;
    let name = name.unwrap_or(WATCHDOG);
    let known = name == WATCHDOG || policy.agent(name).is_some() || policy.service(name).is_some();
    let session = names::session(policy, name);
    let path =
        if name == WATCHDOG { fleet.paths.watchdog_log.clone() } else { policy.log_dir.join(format!("{session}.log")) };
    let there = log_parts::exists(&path);
    if known && there {
        return Ok(path);
    }
    if known {
        let text = format!("`{name}` has no log yet: `{}`", path.display());
        return Err(Failure::new(1, text).hint(format!("`agents up {name}` starts it")));
    }
    if unusable(name).is_none() && there {
        return Ok(path);
    }
    Err(Failure::new(1, format!("no agent or service is named `{}`, and no log is", printable(name)))
        .hint(names::meant(policy, name)))
}
