//! `agents phase`: show it, or move it.
use super::{
    Context,
    failure::{Failure, Report},
};
use crate::model::{
    name::printable,
    policy::Phase,
    request::{Answer, Verb},
};
use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub struct PhaseArgs {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The current phase and the sequence
    Show,
    /// On to the next phase; restarts nothing
    Next,
    /// To a phase, by its index (from 0) or its id; restarts nothing
    Set {
        #[arg(value_name = "N|ID", allow_hyphen_values = true)]
        phase: String,
    },
}

pub fn run(args: &PhaseArgs, context: &mut Context) -> Report {
    let fleet = context.fleet()?;
    let Some(phases) = fleet.policy.phases.as_ref().map(|l| &l.phases) else {
        context.out.line("no [loop].phases configured")?;
        return Ok(0);
    };
    let last = phases.len().saturating_sub(1);
    let current = fleet.phase().map_or(0, |p| p.index).min(last);
    let index = match &args.what {
        None | Some(What::Show) => {
            let ids: Vec<String> = phases.iter().map(|p| printable(&p.id)).collect();
            let id = ids.get(current).map_or("-", String::as_str);
            context.out.line(&format!("phase {id} [{}/{}] seq: {}", current + 1, ids.len(), ids.join(" ")))?;
            return Ok(0);
        }
        Some(What::Next) => (current + 1).min(last),
        Some(What::Set { phase }) => chosen(phase, phases)?,
    };
    // Its event says the same as the line below.
    if let Answer::Denied { text } = fleet.perform(Verb::PhaseSet { index }, &mut |_| {})? {
        return Err(Failure::new(5, text));
    }
    let id = phases.get(index).map_or_else(String::new, |p| printable(&p.id));
    context.out.line(&format!("phase idx now {index} ({id})"))?;
    Ok(0)
}

/// A number is an index first, as it always was; anything else an id.
fn chosen(word: &str, phases: &[Phase]) -> Result<usize, Failure> {
    let by_index = word.parse::<usize>().ok().filter(|i| *i < phases.len());
    by_index.or_else(|| phases.iter().position(|p| p.id == word)).ok_or_else(|| {
        let ids: Vec<String> = phases.iter().map(|p| printable(&p.id)).collect();
        let text = format!(
            "no phase `{}`: there are {}, 0 to {} ({}); nothing was written",
            printable(word),
            phases.len(),
            phases.len().saturating_sub(1),
            ids.join(" ")
        );
        Failure::new(2, text).hint("`agents phase set 0` is the first one")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_or_an_id_within_the_sequence() {
        let phase = |id: &str| Phase { id: id.into(), plan: None, status: "S".into(), models: Default::default() };
        let phases = [phase("p1"), phase("7"), phase("p3")];
        assert_eq!(chosen("2", &phases).ok(), Some(2));
        assert_eq!(chosen("p1", &phases).ok(), Some(0));
        assert_eq!(chosen("7", &phases).ok(), Some(1));
        for bad in ["99", "-1", "3", "abc", "", "1garbage"] {
            assert!(matches!(chosen(bad, &phases), Err(Failure::Said { code: 2, .. })), "{bad}");
        }
    }
}
