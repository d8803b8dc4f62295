//! `agents down`: the watchdog first, so that it restarts nothing of what is being stopped.
use super::{
    Context, change,
    failure::Report,
    names::{self, WATCHDOG},
};
use crate::{model::request::Verb, world::clock};
use clap::Args;

#[derive(Debug, Args)]
#[command(after_help = "A stopped agent stays stopped until the next `agents up` that covers it.")]
pub struct DownArgs {
    /// Agents, services, or `watchdog`; none: everything
    #[arg(value_name = "NAME")]
    names: Vec<String>,
}

pub fn run(args: &DownArgs, context: &mut Context) -> Report {
    let fleet = context.fleet()?;
    names::check(&fleet.policy, &args.names, true)?;
    let all = args.names.is_empty();
    if (all || args.names.iter().any(|n| n == WATCHDOG)) && fleet.stop_supervisor()? {
        context.out.say(clock::now().wall, &format!("killing {}", fleet.policy.watchdog_session()));
    }
    let units: Vec<String> = if all {
        names::all(&fleet.policy).map(str::to_owned).collect()
    } else {
        args.names.iter().filter(|n| *n != WATCHDOG).cloned().collect()
    };
    if units.is_empty() { Ok(0) } else { change::perform(&fleet, Verb::Down { names: units }, &mut context.out) }
}
