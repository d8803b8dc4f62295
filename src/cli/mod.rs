//! The command line: one thin file per verb.
mod args;
mod at;
mod attach;
mod attach_job;
mod change;
mod check;
mod completions;
mod config_word;
mod detect;
mod doctor;
mod down;
mod events;
mod explain;
mod failure;
mod footer;
mod help;
pub mod hook_event;
mod init;
mod init_backends;
mod job_backends;
mod jobs;
mod locate;
mod log_agent;
mod log_follow;
mod log_lines;
mod log_parts;
mod log_times;
mod log_transcript;
mod logs;
mod monitor;
mod names;
mod out;
mod phase;
mod pour;
mod replay;
mod report;
mod run;
mod schema;
mod selftest;
mod send;
mod sessions;
mod short_way;
mod since;
mod snapshot;
mod status;
mod terminal;
mod up;
mod usage;
mod watchdog;
pub mod window;

use args::{Args, Verb};
use clap::{CommandFactory, FromArgMatches};
use failure::{Failure, Report};
use out::{ColorChoice, Out};
use std::{ffi::OsString, path::PathBuf, process::ExitCode};

/// What every verb gets.
struct Context {
    /// `--config`, if it was given.
    config: Option<PathBuf>,
    out: Out,
}

impl Context {
    /// The fleet of the config that this line means. A fault in a config that is not in force is said on stderr.
    fn fleet(&self) -> Result<crate::engine::fleet::Fleet, Failure> {
        Ok(crate::engine::fleet::Fleet::load(&locate::config(self.config.clone())?)?)
    }
}

/// The whole program: `argv` in, exit code out.
pub fn main() -> ExitCode {
    let code = run(std::env::args_os().collect());
    ExitCode::from(code)
}

/// What the line may say, with every verb and flag: for help, completions, and tests of the manual.
pub fn command() -> clap::Command {
    help::with_groups(Args::command())
}

fn run(argv: Vec<OsString>) -> u8 {
    let (config, rest) = config_word::take(argv);
    if let Some(verb) = short_way::verb(&rest) {
        return end(verb, Context { out: Out::new(ColorChoice::Auto), config });
    }
    let mut command = command();
    let parsed = command.try_get_matches_from_mut(rest).and_then(|m| Args::from_arg_matches(&m));
    let args = match parsed {
        Ok(args) => args,
        Err(error) => return usage::report(&error, &command),
    };
    let config = config.or(args.config);
    let mut context = Context { out: Out::new(args.color), config };
    let verb = match (args.verb, &context.config) {
        (Some(verb), _) => verb,
        (None, Some(_)) => Verb::Status(status::StatusArgs::default()),
        (None, None) => {
            context.out.page(&command.render_help().to_string());
            return 0;
        }
    };
    end(verb, context)
}

fn end(verb: Verb, mut context: Context) -> u8 {
    let outcome = dispatch(verb, &mut context);
    let outcome = outcome.and_then(|code| context.out.flush().map(|()| code));
    match outcome {
        Ok(code) => code,
        Err(failure) => failure.report(),
    }
}

fn dispatch(verb: Verb, context: &mut Context) -> Report {
    match verb {
        Verb::Init(a) => init::run(&a, context),
        Verb::Up(a) => up::run(&a, context),
        Verb::Down(a) => down::run(&a, context),
        Verb::Restart(a) => change::restart(&a, context),
        Verb::Pause(a) => change::pause(&a, context),
        Verb::Resume(a) => change::resume(&a, context),
        Verb::Run(a) => run::run(&a, context),
        Verb::Status(a) => status::run(&a, context),
        Verb::Explain(a) => explain::run(&a, context),
        Verb::Events(a) => events::run(&a, context),
        Verb::Report(a) => report::run(&a, context),
        Verb::Logs(a) => logs::run(&a, context),
        Verb::Attach(a) => attach::run(&a, context),
        Verb::Send(a) => send::run(&a, context),
        Verb::Jobs(a) => jobs::run(&a, context),
        Verb::Stop(a) => jobs::stop(&a, context),
        Verb::Monitor(a) => monitor::run(&a, context),
        Verb::Phase(a) => phase::run(&a, context),
        Verb::Watchdog(a) => watchdog::run(&a, context),
        Verb::Check(a) => check::run(&a, context),
        Verb::Schema => schema::run(context),
        Verb::Doctor(a) => doctor::run(&a, context),
        Verb::Selftest => selftest::run(context),
        Verb::Detect(a) => detect::run(&a, context),
        Verb::Replay(a) => replay::run(&a, context),
        Verb::Completions(a) => completions::run(&a, command(), context),
    }
}
