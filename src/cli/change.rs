//! Verbs that ask the engine for a change and say what came of it: `restart`, `pause`, `resume`, and what `up`, `down`,
//! `phase` share with them.
use super::{
    Context,
    failure::{Failure, Report},
    names::{self, WATCHDOG},
    out::Out,
};
use crate::{
    engine::fleet::Fleet,
    model::{
        event::EventKind,
        request::{Answer, Verb},
    },
    world::clock,
};
use clap::Args;

#[derive(Debug, Args)]
pub struct ChangeArgs {
    /// Agents or services
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
}

/// The watchdog is stopped first and started last, so that it restarts nothing in between by itself.
pub fn restart(args: &ChangeArgs, context: &mut Context) -> Report {
    let (watchdog, units): (Vec<String>, _) = args.names.iter().cloned().partition(|n| n == WATCHDOG);
    if watchdog.is_empty() {
        return named(args, context, |names| Verb::Restart { names });
    }
    let fleet = context.fleet()?;
    names::check(&fleet.policy, &units, false)?;
    // Before anything is stopped: a watchdog that cannot start again is worse than an old one.
    fleet.must_be_whole()?;
    if fleet.stop_supervisor()? {
        context.out.say(clock::now().wall, &format!("killing {}", fleet.policy.watchdog_session()));
    }
    let code = if units.is_empty() { 0 } else { perform(&fleet, Verb::Restart { names: units }, &mut context.out)? };
    fleet.start_supervisor()?;
    context.out.say(clock::now().wall, "starting watchdog");
    Ok(code)
}

pub fn pause(args: &ChangeArgs, context: &mut Context) -> Report {
    named(args, context, |names| Verb::Pause { names })
}

pub fn resume(args: &ChangeArgs, context: &mut Context) -> Report {
    named(args, context, |names| Verb::Resume { names })
}

fn named(args: &ChangeArgs, context: &mut Context, verb: impl FnOnce(Vec<String>) -> Verb) -> Report {
    let fleet = context.fleet()?;
    names::check(&fleet.policy, &args.names, false)?;
    perform(&fleet, verb(args.names.clone()), &mut context.out)
}

/// Asks, prints every event as a log line, and maps the answer: 1 if something could not be started, 5 if denied.
pub fn perform(fleet: &Fleet, verb: Verb, out: &mut Out) -> Report {
    // What starts something refuses a broken config and names its faults; said once is enough.
    if !matches!(verb, Verb::Up { .. } | Verb::Restart { .. }) {
        warn_of_faults(fleet);
    }
    let mut events = 0;
    let mut failed = false;
    let answer = fleet.perform(verb, &mut |event| {
        events += 1;
        failed |= event.kind == EventKind::LaunchFailed;
        out.event(event);
    })?;
    match answer {
        Answer::Accepted { text, .. } | Answer::Ignored { text } if events == 0 && !text.is_empty() => {
            out.say(clock::now().wall, &text);
        }
        Answer::Denied { text } => return Err(Failure::new(5, text)),
        _ => {}
    }
    Ok(u8::from(failed))
}

/// An older config than the one on disk is in force: whoever changes the fleet should know.
pub fn warn_of_faults(fleet: &Fleet) {
    if fleet.faults.is_empty() {
        return;
    }
    for fault in &fleet.faults {
        super::failure::complain(fault.trim_end());
    }
    super::failure::complain("warning: the config is broken; the last good one is in force");
}
