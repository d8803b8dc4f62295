//! What the line may say. Each verb's own arguments stand in its file.
use super::{
    attach::AttachArgs,
    change::ChangeArgs,
    check::CheckArgs,
    completions::CompletionsArgs,
    detect::DetectArgs,
    doctor::DoctorArgs,
    down::DownArgs,
    events::EventsArgs,
    explain::ExplainArgs,
    init::InitArgs,
    jobs::{CancelArgs, JobsArgs},
    logs::LogsArgs,
    monitor::MonitorArgs,
    out::ColorChoice,
    phase::PhaseArgs,
    replay::ReplayArgs,
    report::ReportArgs,
    run::RunArgs,
    send::SendArgs,
    status::StatusArgs,
    up::UpArgs,
    watchdog::WatchdogArgs,
};
use clap::{Parser, Subcommand, ValueHint};
use std::path::PathBuf;

/// Keeps a fleet of AI coding agents working, unattended, day and night
#[derive(Debug, Parser)]
#[command(name = "agents", version, max_term_width = 100, infer_subcommands = false, subcommand_help_heading = "Verbs")]
pub struct Args {
    /// The fleet's config; may stand anywhere. Else $AGENTS_CONFIG, ./agents.toml, or the nearest one above
    #[arg(long, global = true, value_name = "PATH", value_hint = ValueHint::FilePath, display_order = 900)]
    pub config: Option<PathBuf>,
    /// `always` or `never` in colour; else on a terminal, unless NO_COLOR is set
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        value_enum,
        default_value_t,
        hide_default_value = true,
        hide_possible_values = true,
        display_order = 901
    )]
    pub color: ColorChoice,
    #[command(subcommand)]
    pub verb: Option<Verb>,
}

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Make agents.toml and prompts/ in a directory
    Init(InitArgs),
    /// Start agents, services and the watchdog
    Up(UpArgs),
    /// Stop the watchdog, then everything else
    Down(DownArgs),
    /// Stop agents or services and start them again
    #[command(
        after_help = "`watchdog` is a name too. The start is prepared first: what cannot start again is not stopped."
    )]
    Restart(ChangeArgs),
    /// Leave agents alone: no healing, no typing
    #[command(after_help = "The programs go on. `agents resume` ends it.")]
    Pause(ChangeArgs),
    /// Look after paused agents again
    Resume(ChangeArgs),
    /// Run a command as a job: here, or in the background
    Run(Box<RunArgs>),
    /// Show what runs, in which state, and what comes next
    Status(StatusArgs),
    /// Say why an agent is in its state, and what happens next
    Explain(ExplainArgs),
    /// Show what happened
    Events(EventsArgs),
    /// Tell what happened while nobody looked: the morning page
    Report(ReportArgs),
    /// Show what an agent, a service, the watchdog or a job printed
    Logs(LogsArgs),
    /// Open the terminal of an agent or a job (leave it with ctrl-b d)
    Attach(AttachArgs),
    /// Type a text into an agent's terminal, with proof
    Send(SendArgs),
    /// Show jobs, and hold, release, retry, cancel or wait for them
    Jobs(JobsArgs),
    /// End a job, with all that it started
    Stop(CancelArgs),
    /// Look on at jobs until they are over
    Monitor(MonitorArgs),
    /// Show or move the phase
    Phase(PhaseArgs),
    /// Run the supervisor here, in the foreground
    Watchdog(WatchdogArgs),
    /// Check the config: every fault at once
    Check(CheckArgs),
    /// Print the JSON schema of agents.toml
    #[command(after_help = "For editors: completion and checks while you write.")]
    Schema,
    /// Check this machine: tmux, git, disk, limits, agent programs
    Doctor(DoctorArgs),
    /// Check that screens are read as they should be
    Selftest,
    /// Read one captured screen: which state it shows, and by which rule
    Detect(DetectArgs),
    /// Make recorded decisions again, and show the first that differs
    Replay(ReplayArgs),
    /// Print the completion script of a shell
    Completions(CompletionsArgs),
}
