//! `agents up`: everything, or what is named.
use super::{
    Context, change, doctor,
    failure::{Failure, Report, complain},
    names::{self, WATCHDOG},
    out::Out,
    since, snapshot,
};
use crate::{
    engine::{exposure, fleet::Fleet},
    model::{
        event::Event,
        name::printable,
        policy::{Agent, Backend, Kind, Policy},
        request::Verb,
        time::Boot,
    },
    view::outlook::Standing,
    world::clock,
};
use clap::Args;
use std::{collections::BTreeMap, time::Duration};

#[derive(Debug, Args)]
#[command(after_help = "\
AGENT_MODEL_<name> and AGENT_BACKEND_<name> in the environment choose model and backend of this start only.

Examples:
  agents up                     all enabled agents, services, the watchdog
  agents up builder watchdog    only these, even if `builder` is disabled
  agents up --wait=idle         and return when all of them wait for work")]
pub struct UpArgs {
    /// Agents, services, or `watchdog`; none: everything that is enabled
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Say what would be started, start nothing
    #[arg(long)]
    dry_run: bool,
    /// Return when all of it runs and goes on, or is in that state
    #[arg(long, value_name = "STATE", num_args = 0..=1, require_equals = true, default_missing_value = "RUNNING", value_parser = goal)]
    wait: Option<Goal>,
    /// Give up waiting after this long
    #[arg(long, value_name = "T", default_value = "10m", value_parser = since::duration)]
    timeout: Duration,
    /// Take over sessions of this fleet on your default tmux server
    #[arg(long)]
    adopt: bool,
}

/// What `--wait` waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    Running,
    In(Standing),
}

fn goal(word: &str) -> Result<Goal, String> {
    if word.eq_ignore_ascii_case("running") {
        return Ok(Goal::Running);
    }
    Standing::from_word(word).map(Goal::In).ok_or_else(|| {
        let states: Vec<&str> = Standing::ALL.iter().map(|s| s.as_str()).collect();
        format!("states are RUNNING, {}", states.join(", "))
    })
}

pub fn run(args: &UpArgs, context: &mut Context) -> Report {
    let fleet = context.fleet()?;
    names::check(&fleet.policy, &args.names, true)?;
    fleet.policy.warnings.iter().for_each(|w| complain(&format!("warning: {w}")));
    let named = !args.names.is_empty();
    let units: Vec<String> =
        if named { args.names.iter().filter(|n| *n != WATCHDOG).cloned().collect() } else { enabled(&fleet.policy) };
    let with_watchdog = !named || args.names.iter().any(|n| n == WATCHDOG);
    let foreign = fleet.foreign_sessions()?;
    if args.dry_run {
        return dry_run(&fleet, &units, with_watchdog, &foreign, &mut context.out);
    }
    if !foreign.is_empty() {
        adopt(&fleet, args.adopt, &foreign, &mut context.out)?;
    }
    missing_programs(&fleet.policy, &units);
    exposure::news(&fleet.policy, &fleet.paths).iter().for_each(|w| complain(&format!("warning: {w}")));
    let mut code = 0;
    if !units.is_empty() {
        let verb = Verb::Up {
            models: from_env("AGENT_MODEL_", &units),
            backends: from_env("AGENT_BACKEND_", &units),
            names: units.clone(),
            named,
        };
        code = change::perform(&fleet, verb, &mut context.out)?;
    }
    if with_watchdog {
        let said = if fleet.start_supervisor()? { "starting watchdog" } else { "watchdog already running" };
        context.out.say(clock::now().wall, said);
    }
    match args.wait {
        Some(goal) if code == 0 => wait(&fleet, &units, goal, args.timeout, &mut context.out),
        _ => Ok(code),
    }
}

/// Agents that can run, then services, in file order.
fn enabled(policy: &Policy) -> Vec<String> {
    let agents = policy.agents.iter().filter(|a| a.enabled).map(|a| a.name.clone());
    agents.chain(policy.services.iter().map(|s| s.name.clone())).collect()
}

/// An agent whose program is not there would only be seen to end again and again.
fn missing_programs(policy: &Policy, units: &[String]) {
    let agents = policy.agents.iter().filter(|a| a.fault.is_none() && units.contains(&a.name));
    let backends: BTreeMap<&str, &Backend> = agents.map(|a| (a.backend.name.as_str(), &*a.backend)).collect();
    for backend in backends.into_values() {
        if let Some((named, None)) = doctor::program(backend) {
            complain(&format!("warning: {named} is not found\nhint: install it, or correct `bin`"));
        }
    }
}

fn from_env(prefix: &str, names: &[String]) -> BTreeMap<String, String> {
    let value = |name: &String| std::env::var(format!("{prefix}{name}")).ok().filter(|v| !v.is_empty());
    names.iter().filter_map(|n| value(n).map(|v| (n.clone(), v))).collect()
}

fn adopt(fleet: &Fleet, allowed: bool, foreign: &[String], out: &mut Out) -> Result<(), Failure> {
    if allowed {
        return Ok(fleet.adopt(&mut |event: &Event| out.event(event))?);
    }
    let list: Vec<String> = foreign.iter().take(8).map(|s| format!("`{s}`")).collect();
    let more = if foreign.len() > 8 { format!(" and {} more", foreign.len() - 8) } else { String::new() };
    let text = format!("sessions of this fleet run on your default tmux server: {}{more}", list.join(", "));
    Err(Failure::new(1, text).hint("`agents up --adopt` takes them over"))
}

fn dry_run(fleet: &Fleet, units: &[String], watchdog: bool, foreign: &[String], out: &mut Out) -> Report {
    let policy = &fleet.policy;
    let panes = fleet.panes()?;
    let running = |session: &str| panes.get(session).is_some_and(|p| !p.dead);
    for session in foreign {
        out.line(&format!("would take over {session} from your default tmux server (with --adopt)"))?;
    }
    let phase = fleet.phase().map_or(0, |p| p.index);
    for name in units {
        let session = names::session(policy, name);
        let line = if running(&session) {
            format!("{session} already running — leaving it")
        } else if let Some(agent) = policy.agent(name) {
            would_start(policy, agent, phase)
        } else {
            format!("would start service {session}")
        };
        out.line(&line)?;
    }
    if watchdog {
        let runs = fleet.supervisor().is_some();
        out.line(if runs { "watchdog already running" } else { "would start watchdog" })?;
    }
    Ok(0)
}

fn would_start(policy: &Policy, agent: &Agent, phase: usize) -> String {
    if let Some(fault) = &agent.fault {
        return format!("would not start {}: {fault}", agent.session);
    }
    let asked = |prefix: &str| from_env(prefix, std::slice::from_ref(&agent.name)).remove(&agent.name);
    let model = asked("AGENT_MODEL_");
    let id = policy.phases.as_ref().and_then(|l| l.phases.get(phase)).map(|p| printable(&p.id));
    format!(
        "would start {} ({}, kind={}, phase={}, model={})",
        agent.session,
        printable(&asked("AGENT_BACKEND_").unwrap_or_else(|| agent.backend.name.clone())),
        printable(agent.kind.as_str()),
        id.filter(|_| agent.kind == Kind::Loop).as_deref().unwrap_or("-"),
        printable(policy.model_for(agent, phase, model.as_deref()).unwrap_or("default")),
    )
}

/// A program that ends as soon as it is started must not count as running.
const STEADY: Duration = Duration::from_secs(1);

/// Looks again and again until all of `units` are there, and the same ones a moment later: 0; one gave up or cannot run,
/// or time is up: 1.
fn wait(fleet: &Fleet, units: &[String], goal: Goal, timeout: Duration, out: &mut Out) -> Report {
    if let Some(agent) = fleet.policy.agents.iter().find(|a| a.fault.is_some() && units.contains(&a.name)) {
        let text = format!("`{}` cannot run: {}", agent.name, agent.fault.as_deref().unwrap_or_default());
        return Err(Failure::new(1, text).hint("`agents check` shows where"));
    }
    let deadline = clock::boot().after(timeout);
    let mut there: Option<(Boot, Vec<Option<u32>>)> = None;
    loop {
        let (view, now) = snapshot::take(fleet)?;
        let mut missing = Vec::new();
        for (name, alive, standing) in view.units().filter(|(n, ..)| units.iter().any(|u| u == n)) {
            if standing == Standing::GaveUp && goal != Goal::In(Standing::GaveUp) {
                return Err(Failure::new(1, format!("`{name}` gave up")).hint(format!("`agents explain {name}`")));
            }
            let is_service = view.services.iter().any(|s| s.name == name);
            let reached = match goal {
                Goal::Running => (alive && standing != Standing::Starting) || standing == Standing::Done,
                Goal::In(_) if is_service => alive,
                Goal::In(wanted) => standing == wanted,
            };
            if !reached {
                missing.push(format!("`{name}` ({})", standing.as_str()));
            }
        }
        if missing.is_empty() {
            let agents = view.agents.iter().filter(|a| units.contains(&a.name)).map(|a| a.pid);
            let services = view.services.iter().filter(|s| units.contains(&s.name)).map(|s| s.pid);
            let pids: Vec<Option<u32>> = agents.chain(services).collect();
            match &there {
                _ if goal != Goal::Running => return Ok(0),
                Some((since, same)) if *same == pids && now.boot.since(*since) >= STEADY => return Ok(0),
                Some((_, same)) if *same == pids => {}
                _ => there = Some((now.boot, pids)),
            }
        } else {
            there = None;
        }
        if !missing.is_empty() && !view.watchdog.running && view.watchdog.guardian.is_none() {
            let text = format!("not there yet: {}; no watchdog is running to bring them there", missing.join(", "));
            return Err(Failure::new(4, text).hint("`agents up watchdog`"));
        }
        if now.boot >= deadline {
            let what = if missing.is_empty() { "none stays up for a second".into() } else { missing.join(", ") };
            return Err(Failure::new(1, format!("time is up; not there yet: {what}")));
        }
        out.pause(Duration::from_millis(if missing.is_empty() { 50 } else { 200 }))?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goals_are_running_or_a_state() {
        assert_eq!(goal("RUNNING"), Ok(Goal::Running));
        assert_eq!(goal("idle"), Ok(Goal::In(Standing::Idle)));
        assert_eq!(goal("gave-up"), Ok(Goal::In(Standing::GaveUp)));
        assert!(goal("idel").is_err());
    }
}
