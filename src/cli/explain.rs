//! `agents explain`: why, and what next.
use super::{
    Context,
    failure::{Failure, Report},
    names, snapshot,
};
use crate::view::explain::{self, Subject};
use clap::Args;
use serde_json::json;

#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// One agent or service; none: all agents
    name: Option<String>,
    /// One JSON object: the agent's, or `{v, agents: […]}` for all
    #[arg(long)]
    json: bool,
}

pub fn run(args: &ExplainArgs, context: &mut Context) -> Report {
    let fleet = context.fleet()?;
    names::check(&fleet.policy, args.name.as_slice(), false)?;
    let (view, now) = snapshot::take(&fleet)?;
    let named = |name: &str| args.name.as_deref().is_some_and(|n| n == name);
    let agents = view.agents.iter().filter(|a| args.name.is_none() || named(&a.name)).map(Subject::from);
    let chosen = agents.chain(view.services.iter().filter(|s| named(&s.name)).map(Subject::from));
    if args.json {
        let list: Vec<_> = chosen.map(explain::explanation).collect();
        let text = match (&args.name, list.first()) {
            (Some(_), Some(one)) => serde_json::to_string_pretty(one),
            _ => serde_json::to_string_pretty(&json!({"v": 1, "agents": list})),
        };
        context.out.line(&text.map_err(|e| Failure::new(1, e.to_string()))?)?;
        return Ok(0);
    }
    for subject in chosen {
        let text = explain::text(subject, &view, now, context.out.paint);
        context.out.raw(text.as_bytes())?;
    }
    Ok(0)
}
