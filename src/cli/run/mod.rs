//! `agents run`: a job, here or in the background.
use super::{
    Context, at,
    failure::{Failure, Report},
    jobs::{Ground, tell_left},
    since,
};
mod agent;
mod apart;
mod batch;
mod files;
mod given;
mod held_in;
mod here;
mod input;
mod many;
mod question;
mod queue;
mod template;
mod tmux;

use self::{
    given::{Given, environment, shell},
    input::Input,
    queue::NewJobs,
    tmux::Sessions,
};
use crate::{
    config::parse_size,
    jobs::{self, file::JobPart},
    model::job::{Bytes, JobCommand, JobId, StepSpec},
    world::{
        clock,
        process::{keep_private, with_room},
    },
};
use clap::Args;
use serde_json::json;
use std::{
    ffi::OsString,
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// Less is a slip of the keyboard: no program starts in it.
const LEAST_MEMORY: u64 = 1_000_000;

#[derive(Debug, Default, Args)]
#[command(after_help = "\
One word is a line for your shell, unless it names an existing job file; a program and its
arguments stand behind `--` and are seen by no shell. In the foreground the job's output is
shown, signals are passed on, and the exit code is the job's, or 128+N for signal N. Its
standard input is empty, so a loop around `agents run` keeps its lines; --stdin hands this
command's over, --tmux gives it a terminal (`agents attach`). The job goes on if this command is
killed.

With --backend the word is a prompt (`-`: standard input has it), and what is shown is what the
agent says and does, also in its tmux session. It works without a terminal, so its own flags
decide what it may do.

Examples:
  agents run 'cargo test 2>&1 | tail'
  agents run -b --name web 'npm run dev'
  agents run -b --after web --timeout 10m -- cargo test --all
  agents run release.json
  agents run --template deploy host=a.example
  agents run --backend claude 'fix the failing test'
  agents run -b --backend codex --phases analyze,plan,build 'make it faster'")]
pub struct RunArgs {
    /// A line for the shell; or job files, .json or .toml; or values for `--template`
    #[arg(value_name = "LINE|FILE|K=V")]
    line: Vec<OsString>,
    /// A program and its arguments
    #[arg(value_name = "WORD", last = true)]
    argv: Vec<OsString>,
    /// In the background: print the job's id and return
    #[arg(short, long)]
    background: bool,
    /// A name for it: letters, digits, `-`, `_`, `.`
    #[arg(long, value_name = "N")]
    name: Option<String>,
    /// Where it runs [default: here]
    #[arg(long, value_name = "D", value_hint = clap::ValueHint::DirPath)]
    dir: Option<PathBuf>,
    /// A variable beside those of this environment; may be given more than once
    #[arg(long, value_name = "K=V")]
    env: Vec<OsString>,
    /// End it after this long; `none`: never [default: never, or as its file says]
    #[arg(long, value_name = "T", value_parser = limit)]
    timeout: Option<Duration>,
    /// Try it again so often if it fails: after 1 s, doubling to 60 s
    #[arg(long, value_name = "N")]
    retries: Option<u32>,
    /// The group whose limit counts [default: default]
    #[arg(long, value_name = "G")]
    group: Option<String>,
    /// Run it after the success of this job (id or name); may be given more than once
    #[arg(long, value_name = "ID")]
    after: Vec<String>,
    /// Higher goes first
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    priority: Option<i64>,
    /// Not before: `+10m`, `14:30`, `2026-11-21 14:30`, or RFC 3339
    #[arg(long, value_name = "T")]
    at: Option<String>,
    /// Keep it until `agents jobs release`
    #[arg(long)]
    hold: bool,
    /// Ask before the first step, and after each but the last
    #[arg(long)]
    interactive: bool,
    /// In a tmux session of its own, which `agents attach` shows [default for job files and --interactive]
    #[arg(long, overrides_with = "no_tmux")]
    tmux: bool,
    /// Without one
    #[arg(long, overrides_with = "tmux")]
    no_tmux: bool,
    /// It reads what this command has on standard input: `echo hi | agents run --stdin cat`
    #[arg(long, conflicts_with_all = ["background", "tmux", "backend"])]
    stdin: bool,
    /// Added to its niceness, 0 to 19
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(0..=19))]
    nice: Option<i32>,
    /// Memory of all its processes together, where the machine can count it; else address space of each: `2GB`
    #[arg(long, value_name = "M", value_parser = size)]
    mem: Option<u64>,
    /// So many processes at the same time
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    procs: Option<u32>,
    /// Let it write only in its folder and the temporary one; what holds on this machine is printed
    #[arg(long)]
    sandbox: bool,
    /// A job of a template of agents.toml, with its parameters: `host=a.example`; without T they are listed
    #[arg(long, value_name = "T", num_args = 0..=1, default_missing_value = "?", conflicts_with_all = ["argv", "batch", "backend"])]
    template: Option<String>,
    /// A prompt for this agent program instead of a line: a `[backend.NAME]` of the project; without one claude, codex, opencode, gemini
    #[arg(long, value_name = "NAME", conflicts_with = "batch")]
    backend: Option<String>,
    /// Which model it takes, by the name that its program knows
    #[arg(long, value_name = "M", conflicts_with = "batch")]
    model: Option<String>,
    /// With --backend: a step for each of these, all in one conversation
    #[arg(long, value_name = "A,B,C", value_delimiter = ',', requires = "backend")]
    phases: Vec<String>,
    /// With -b: a job for every line of this file; `-`: of standard input
    #[arg(long, value_name = "FILE", requires = "background", conflicts_with_all = ["line", "argv", "name"])]
    batch: Option<PathBuf>,
    /// With -b: a JSON object for each job: v, id
    #[arg(long, requires = "background")]
    json: bool,
}

impl RunArgs {
    /// As if nothing else was said.
    pub fn in_background(line: &[OsString], argv: &[OsString]) -> RunArgs {
        RunArgs { line: line.to_vec(), argv: argv.to_vec(), background: true, ..RunArgs::default() }
    }
}

pub fn run(args: &RunArgs, context: &mut Context) -> Report {
    let ground = Ground::find(context)?;
    let mut given = given(args, &ground)?;
    if let Some(file) = &args.batch {
        given.dir.get_or_insert_with(|| given.here.clone());
        let ids = with_room(|| {
            let mut queued = batch::queue(file, &given, &ground)?;
            jobs::kick(&mut queued.store)?;
            queued.store.leave();
            Ok::<_, Failure>(queued.ids)
        })?;
        return tell(&ids, args, context);
    }
    let files = || files::files(&args.line).filter(|_| args.argv.is_empty());
    let parts = match (&args.template, files()) {
        (Some(name), _) => match template::part(name, &args.line, &ground, context)? {
            Some(part) => vec![part],
            None => return Ok(0),
        },
        (_, Some(_)) if !args.phases.is_empty() => {
            return Err(Failure::new(2, "`--phases` is for a prompt, and this is a job file")
                .hint("write its steps into the file: `{\"prompt\": \"…\"}`"));
        }
        (_, Some(files)) => {
            given.sessions.files = true;
            files::read(&files, &ground.rules)?
        }
        (_, None) if args.backend.is_some() => {
            given.dir.get_or_insert_with(|| given.here.clone());
            let prompt = agent::prompt_of(&args.line, &args.argv)?;
            vec![agent::part(args.backend.as_deref().unwrap_or_default(), prompt, &args.phases)?]
        }
        (_, None) => {
            files::tell_missing(&args.line);
            given.dir.get_or_insert_with(|| given.here.clone());
            vec![part(command(args)?)]
        }
    };
    let mut jobs = files::jobs(&parts, &given, clock::wall())?;
    let input = args.stdin.then(Input::open).transpose()?;
    input.as_ref().map(|input| input.give(&mut jobs)).transpose()?;
    // Whatever is wrong with them has been told, and nothing was made.
    let mut new = NewJobs { jobs, parts: &parts, given: &given };
    if args.background {
        return match apart::queue(&mut new, &ground)? {
            Some(ids) => tell(&ids, args, context),
            None => Ok(0),
        };
    }
    let mut store = ground.open()?;
    let waited = ground.wait(&store);
    let done = match &new.queue(&mut store)?[..] {
        [] => return Ok(1),
        [id] => here::run(&mut store, *id, input, context.out.paint),
        several => many::run(several, &mut store, context),
    };
    ground.seen(waited, &mut store);
    done
}

/// What is in the background now; and what was left unfinished, beside a new job, too.
fn tell(ids: &[JobId], args: &RunArgs, context: &mut Context) -> Report {
    for id in ids {
        let line = if args.json { json!({"v": 1, "id": id.to_string()}).to_string() } else { id.to_string() };
        context.out.line(&line)?;
    }
    if !args.json {
        tell_left(context);
    }
    Ok(0)
}

fn given(args: &RunArgs, ground: &Ground) -> Result<Given, Failure> {
    let here = here(args.dir.as_deref())?;
    let at = args.at.as_deref().map(|text| at::coming(text, clock::wall())).transpose();
    let name_of = |entry: &OsString| entry.as_bytes().split(|b| *b == b'=').next().map(<[u8]>::to_vec);
    Ok(Given {
        dir: args.dir.as_ref().map(|dir| files::settled(here.join(dir))),
        here: files::settled(here),
        name: args.name.clone(),
        env: environment(&args.env)?.into(),
        // Whatever is made from here on is for the jobs.
        caller: Arc::new(keep_private().clone()),
        named_env: args.env.iter().filter_map(name_of).map(OsString::from_vec).collect(),
        timeout: args.timeout,
        retries: args.retries,
        group: args.group.clone(),
        after: args.after.clone(),
        not_before: at.map_err(|why| Failure::new(2, why))?,
        priority: args.priority,
        hold: args.hold,
        interactive: args.interactive,
        sessions: Sessions::asked(args.tmux.then_some(true).or((args.no_tmux || args.stdin).then_some(false))),
        nice: args.nice,
        mem: args.mem,
        procs: args.procs,
        sandbox: args.sandbox,
        shell: shell(std::env::var_os("SHELL")),
        rules: ground.rules.clone(),
        backend: args.backend.clone(),
        model: args.model.clone(),
        backends: ground.backends.clone(),
    })
}

/// Where relative paths begin. A folder that was removed under us matters only to who relies on it.
fn here(dir: Option<&Path>) -> Result<PathBuf, Failure> {
    std::env::current_dir().or_else(|e| match dir {
        Some(dir) if dir.is_absolute() => Ok(dir.to_owned()),
        _ => Err(Failure::new(1, format!("the current directory cannot be read: {e}"))
            .hint("`cd` to one that is there, or say where it runs: `--dir /PATH`")),
    })
}

/// Zero: without one.
fn limit(text: &str) -> Result<Duration, String> {
    if text == "none" { Ok(Duration::ZERO) } else { since::duration(text) }
}

fn size(text: &str) -> Result<u64, String> {
    match parse_size(text) {
        Ok(size) if size >= LEAST_MEMORY => Ok(size),
        Ok(_) => Err("it is less than 1MB".into()),
        Err(why) => Err(format!("it {why}; write a size such as `2GB`")),
    }
}

fn command(args: &RunArgs) -> Result<JobCommand, Failure> {
    match (&args.line[..], &args.argv[..]) {
        ([], []) => Err(Failure::new(2, "no command").hint("agents run 'make test', or agents run -- make test")),
        ([line], []) | ([], [line]) => Ok(JobCommand::Shell(Bytes(line.clone()))),
        ([], words) => Ok(JobCommand::Argv(words.iter().cloned().map(Bytes).collect())),
        (_, _) => {
            let text = "several words: is that a line for the shell, or a program and its arguments?";
            let hint = "put a line into quotes: agents run 'make test'; a program behind `--`: agents run -- make test";
            Err(Failure::new(2, text).hint(hint))
        }
    }
}

/// A job of one command, without a time limit.
fn part(command: JobCommand) -> JobPart {
    JobPart { steps: vec![StepSpec::of(command)], ..JobPart::default() }
}
