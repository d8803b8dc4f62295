//! `agents explain`: why, and what next.
use super::{
    Context,
    failure::{Failure, Report},
    names, snapshot,
};
use crate::view::explain;
use clap::Args;
use serde_json::json;

#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// One agent; none: all of them
    name: Option<String>,
    /// One JSON object: the agent's, or `{v, agents: […]}` for all
    #[arg(long)]
    json: bool,
}

pub fn run(args: &ExplainArgs, context: &mut Context) -> Report {
    let fleet = context.fleet()?;
    names::check(&fleet.policy, args.name.as_slice(), false)?;
    if let Some(name) = args.name.as_deref().filter(|n| fleet.policy.agent(n).is_none()) {
        return Err(Failure::new(1, format!("`{name}` is a service")).hint("`agents status` shows services"));
    }
    let (view, now) = snapshot::take(&fleet)?;
    let chosen = view.agents.iter().filter(|a| args.name.as_ref().is_none_or(|n| *n == a.name));
    if args.json {
        let list: Vec<_> = chosen.map(explain::explanation).collect();
        let text = match (&args.name, list.first()) {
            (Some(_), Some(one)) => serde_json::to_string_pretty(one),
            _ => serde_json::to_string_pretty(&json!({"v": 1, "agents": list})),
        };
        context.out.line(&text.map_err(|e| Failure::new(1, e.to_string()))?)?;
        return Ok(0);
    }
    for agent in chosen {
        let text = explain::text(agent, &view, now, context.out.paint);
        context.out.raw(text.as_bytes())?;
    }
    Ok(0)
}
