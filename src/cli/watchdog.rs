//! `agents watchdog`: the supervisor in the foreground.
use super::{Context, failure::Report};
use clap::Args;

#[derive(Debug, Args)]
#[command(after_help = "`agents up` starts it in the background; a second one for the same fleet exits with 1.")]
pub struct WatchdogArgs {
    /// One pass, then return
    #[arg(long)]
    once: bool,
    /// Decide and print, do and save nothing
    #[arg(long)]
    dry_run: bool,
}

pub fn run(args: &WatchdogArgs, context: &mut Context) -> Report {
    let fleet = context.fleet()?;
    fleet.run_supervisor(args.once, args.dry_run)?;
    Ok(0)
}
