//! Names on the line: all are known, or nothing is done.
use super::{Context, failure::Failure, locate};
use crate::model::{name::printable, nearest::nearest, policy::Policy};

pub const WATCHDOG: &str = "watchdog";

/// Agents, then services, in file order.
pub fn all(policy: &Policy) -> impl Iterator<Item = &str> {
    let agents = policy.agents.iter().map(|a| a.name.as_str());
    agents.chain(policy.services.iter().map(|s| s.name.as_str()))
}

/// Fails, naming every word that is neither an agent nor a service (nor `watchdog`, where that is one), with what was
/// probably meant.
pub fn check(policy: &Policy, names: &[String], watchdog_too: bool) -> Result<(), Failure> {
    let extra = watchdog_too.then_some(WATCHDOG);
    let known: Vec<&str> = all(policy).chain(extra).collect();
    let unknown: Vec<&String> = names.iter().filter(|n| !known.contains(&n.as_str())).collect();
    let Some(first) = unknown.first() else { return Ok(()) };
    let list: Vec<String> = unknown.iter().map(|n| format!("`{}`", printable(n))).collect();
    let what = if unknown.len() == 1 { "no agent or service is named" } else { "no agents or services are named" };
    let bare = first.strip_prefix(policy.session_prefix.as_str()).unwrap_or(first);
    let hint = match nearest(bare, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are: {}", known.join(" ")),
    };
    Err(Failure::new(1, format!("{what} {}; nothing was done", list.join(", "))).hint(hint))
}

/// The session that a name means: an agent's, a service's, the watchdog's, else prefix + name.
pub fn session(policy: &Policy, name: &str) -> String {
    policy
        .agent(name)
        .map(|a| a.session.clone())
        .or_else(|| policy.service(name).map(|s| s.session.clone()))
        .unwrap_or_else(|| format!("{}{name}", policy.session_prefix))
}
/// What else may have been meant, as a hint.
pub fn meant(policy: &Policy, name: &str) -> String {
    match nearest(name, all(policy).chain([WATCHDOG])) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are: {} {WATCHDOG}", all(policy).collect::<Vec<_>>().join(" ")),
    }
}

/// Without a project, a name that is no job's is nobody's: that there is no project is only half of it.
pub fn nobody(failure: Failure, name: Option<&str>, context: &Context) -> Failure {
    let (Some(name), Ok(None)) = (name, locate::optional(context.config.clone())) else { return failure };
    let text = format!(
        "no job has the id or name `{}`, and there is no `agents.toml` here or above that could name an agent so",
        printable(name)
    );
    Failure::new(3, text).hint("`agents jobs --all` lists the jobs, `--config PATH` names a config")
}

pub fn no_job(id: &str) -> Failure {
    Failure::new(1, format!("no job has the id `{}`", printable(id))).hint("`agents jobs --all` lists them")
}
