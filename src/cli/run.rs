//! `agents run`: a job, here or in the background.
use super::{
    Context,
    failure::{Failure, Report},
    job_place, run_here, since,
};
use crate::{
    jobs::{self, check},
    model::{
        job::{Bytes, JobCommand, JobId, JobSpec, StepSpec},
        name::{printable, printable_cut},
    },
    store::{
        Durability, StoreError,
        jobs::{self as store, DEFAULT_GROUP, JobStore, NewJob, SubmitError},
    },
    world::clock,
};
use clap::Args;
use serde_json::json;
use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
    time::Duration,
};

/// Between TERM and KILL.
const STOP_GRACE: Duration = Duration::from_secs(10);
/// Bytes of a job's log.
const LOG_CAP: u64 = 100_000_000;

#[derive(Debug, Args)]
#[command(after_help = "\
One word is a line for your shell; a program and its arguments stand behind `--` and are seen by no shell. In the
foreground the job's output is shown, signals are passed on, and the exit code is the job's, or 128+N for signal N. Its
standard input is empty. The job goes on if this command is killed.

Examples:
  agents run 'cargo test 2>&1 | tail'
  agents run -b --name web 'npm run dev'
  agents run -b --after web --timeout 10m -- cargo test --all")]
pub struct RunArgs {
    /// A line for the shell
    #[arg(value_name = "LINE")]
    line: Vec<OsString>,
    /// A program and its arguments
    #[arg(value_name = "WORD", last = true)]
    argv: Vec<OsString>,
    /// In the background: print the job's id and return
    #[arg(short, long)]
    background: bool,
    /// A name for it: letters, digits, `-`, `_`, `.`
    #[arg(long, value_name = "N", default_value = "", hide_default_value = true)]
    name: String,
    /// Where it runs [default: here]
    #[arg(long, value_name = "D", value_hint = clap::ValueHint::DirPath)]
    dir: Option<PathBuf>,
    /// A variable beside those of this environment; may be given more than once
    #[arg(long, value_name = "K=V")]
    env: Vec<OsString>,
    /// End it after this long
    #[arg(long, value_name = "T", value_parser = since::duration)]
    timeout: Option<Duration>,
    /// Try it again so often if it fails: after 1 s, doubling to 60 s
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    retries: u32,
    /// The group whose limit counts
    #[arg(long, value_name = "G", default_value = DEFAULT_GROUP)]
    group: String,
    /// Run it after the success of this job (id or name); may be given more than once
    #[arg(long, value_name = "ID")]
    after: Vec<String>,
    /// Higher goes first
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true, allow_hyphen_values = true)]
    priority: i64,
    /// Keep it until `agents jobs release`
    #[arg(long)]
    hold: bool,
    /// Added to its niceness, 0 to 19
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(0..=19))]
    nice: Option<i32>,
    /// With -b: one JSON object: v, id
    #[arg(long, requires = "background")]
    json: bool,
}

pub fn run(args: &RunArgs, context: &mut Context) -> Report {
    let place = job_place::of(context)?;
    let env = environment(&args.env)?;
    let mut spec = spec(args)?;
    check::job(&spec, &env).map_err(refused)?;
    let mut store = store::open(&place.db(), Durability::Full)?;
    spec.after = args.after.iter().map(|word| parent(&store, word)).collect::<Result<_, _>>()?;
    let job = NewJob { spec, env, after_batch: Vec::new() };
    let ids = store.submit(&[job], clock::wall()).map_err(not_queued)?;
    let Some(id) = ids.first().copied() else { return Ok(1) };
    if !args.background {
        return run_here::run(&mut store, id);
    }
    jobs::kick(&mut store)?;
    context.out.line(&if args.json { json!({"v": 1, "id": id.to_string()}).to_string() } else { id.to_string() })?;
    Ok(0)
}

fn spec(args: &RunArgs) -> Result<JobSpec, Failure> {
    let command = match (&args.line[..], &args.argv[..]) {
        ([], []) => {
            return Err(Failure::new(2, "no command").hint("agents run 'make test', or agents run -- make test"));
        }
        ([line], []) | ([], [line]) => JobCommand::Shell(Bytes(line.clone())),
        ([], words) => JobCommand::Argv(words.iter().cloned().map(Bytes).collect()),
        (_, _) => {
            let text = "several words: is that a line for the shell, or a program and its arguments?";
            let hint = "put a line into quotes: agents run 'make test'; a program behind `--`: agents run -- make test";
            return Err(Failure::new(2, text).hint(hint));
        }
    };
    let here =
        std::env::current_dir().map_err(|e| Failure::new(1, format!("the current directory cannot be read: {e}")))?;
    let dir = args.dir.as_ref().map_or(here.clone(), |dir| here.join(dir));
    // As it is now, whatever a link on the way means later. A folder that is not there is refused with its own name.
    let dir = dir.canonicalize().unwrap_or(dir);
    let step = StepSpec {
        desc: String::new(),
        timeout: None,
        only_if: None,
        retries: 0,
        pause: false,
        command: command.clone(),
    };
    Ok(JobSpec {
        name: args.name.clone(),
        description: description(&command),
        group: args.group.clone(),
        priority: args.priority,
        dir,
        shell: shell(std::env::var_os("SHELL")),
        steps: vec![step],
        timeout: args.timeout,
        retries: args.retries,
        after: Vec::new(),
        not_before: None,
        hold: args.hold,
        interactive: false,
        own_dir: false,
        stop_grace: STOP_GRACE,
        log_cap: LOG_CAP,
        nice: args.nice,
        mem: None,
    })
}

/// The command in one line for people.
pub fn description(command: &JobCommand) -> String {
    let text = match command {
        JobCommand::Shell(line) => line.0.to_string_lossy().into_owned(),
        JobCommand::Argv(words) => words.iter().map(|w| w.0.to_string_lossy()).collect::<Vec<_>>().join(" "),
    };
    printable_cut(text.trim(), 200)
}

/// The user's own, if it is one whose lines we know; else `sh`.
pub fn shell(own: Option<OsString>) -> PathBuf {
    let own = own.map(PathBuf::from).filter(|shell| {
        let name = shell.file_name().and_then(OsStr::to_str);
        shell.is_absolute() && matches!(name, Some("bash" | "zsh" | "sh")) && shell.is_file()
    });
    own.unwrap_or_else(|| Path::new("/bin/sh").to_owned())
}

/// All of ours, but for what says where we are, and which job we belong to; and what was given on the line.
pub fn environment(given: &[OsString]) -> Result<Vec<(OsString, OsString)>, Failure> {
    const NOT_HANDED_ON: [&str; 6] = ["PWD", "OLDPWD", "_", "AGENTS_JOB", "AGENTS_JOB_EPOCH", "AGENTS_JOBS"];
    let mut env: Vec<_> =
        std::env::vars_os().filter(|(name, _)| NOT_HANDED_ON.iter().all(|other| name != other)).collect();
    for entry in given {
        let bytes = entry.as_bytes();
        let Some(at) = bytes.iter().position(|b| *b == b'=').filter(|at| *at > 0) else {
            let shown = printable_cut(&entry.to_string_lossy(), 80);
            return Err(Failure::new(2, format!("`--env {shown}` is not NAME=VALUE")));
        };
        let name = OsStr::from_bytes(&bytes[..at]).to_owned();
        env.retain(|(other, _)| *other != name);
        env.push((name, OsString::from_vec(bytes[at + 1..].to_vec())));
    }
    Ok(env)
}

/// An id, or a name that one job alone has.
fn parent(store: &JobStore, word: &str) -> Result<JobId, Failure> {
    if let Some(id) = JobId::parse(word) {
        return Ok(id);
    }
    let shown = printable(word);
    match store.named(word)?[..] {
        [id] => Ok(id),
        [] => Err(Failure::new(1, format!("`--after {shown}`: there is no such job"))),
        ref several => {
            let ids: Vec<String> = several.iter().map(JobId::to_string).collect();
            Err(Failure::new(1, format!("`--after {shown}`: several jobs have this name: {}", ids.join(", ")))
                .hint("name one by its id"))
        }
    }
}

pub fn refused(refused: check::Refused) -> Failure {
    let failure = Failure::new(1, refused.text);
    match refused.hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// Why nothing was queued.
pub fn not_queued(error: SubmitError) -> Failure {
    match &error {
        SubmitError::Store(StoreError::Full { .. }) => Failure::new(1, format!("{error}; nothing was queued")),
        SubmitError::UnknownGroup { group } => {
            Failure::new(1, error.to_string()).hint(format!("agents jobs limit --group {} 4", printable(group)))
        }
        _ => Failure::new(1, error.to_string()),
    }
}
