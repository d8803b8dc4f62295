//! `agents jobs limit`: how many jobs of a group run at the same time.
use super::{
    super::{
        Context,
        failure::{Failure, Report},
    },
    Ground,
};
use crate::{
    jobs::file::name::unusable_word,
    model::{job::DEFAULT_GROUP, name::printable},
    store::jobs::Group,
};
use clap::Args;

#[derive(Debug, Args)]
pub struct LimitArgs {
    /// The group; made if there is none of that name
    #[arg(long, value_name = "G", default_value = DEFAULT_GROUP)]
    group: String,
    /// How many at the same time; 0: none start; `none`: no limit. Without it, the groups are listed
    #[arg(value_name = "N", value_parser = limit)]
    limit: Option<Limit>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Limit {
    Slots(u32),
    None,
}

fn limit(word: &str) -> Result<Limit, String> {
    match word {
        "none" => Ok(Limit::None),
        _ => word.parse().map(Limit::Slots).map_err(|_| "a number, or `none`, is wanted".into()),
    }
}

pub fn run(args: &LimitArgs, context: &mut Context) -> Report {
    let ground = Ground::find(context)?;
    let Some(limit) = args.limit else {
        let groups = match ground.existing()? {
            Some(store) => store.groups()?,
            None => vec![Group::untouched(ground.rules.slots)],
        };
        for group in groups {
            context.out.line(&line(&group))?;
        }
        return Ok(0);
    };
    if let Some(why) = unusable_word(&args.group) {
        let text = format!("`{}` cannot be a group's name: {why}", printable(&args.group));
        return Err(Failure::new(2, text).hint("letters, digits, `-`, `_`, `.`"));
    }
    let mut store = ground.open()?;
    let slots = match limit {
        Limit::Slots(n) => Some(n),
        Limit::None => None,
    };
    store.set_limit(&args.group, slots)?;
    ground.start(&mut store)?;
    let shown = slots.map_or_else(|| "no limit".into(), |n| format!("a limit of {n}"));
    context.out.line(&format!("group {} has {shown}", args.group))?;
    Ok(0)
}

/// `default: 2 of 4 running, 7 queued`.
fn line(group: &Group) -> String {
    let slots = group.limit.map_or_else(|| "any number".into(), |n| n.to_string());
    format!("{}: {} of {slots} running, {} queued", printable(&group.name), group.running, group.queued)
}
