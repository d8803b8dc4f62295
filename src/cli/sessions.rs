//! The agents of a fleet, as the look for their session files wants to know them.
use crate::{
    engine::{fleet::Fleet, sessions},
    model::{
        event::{Event, EventKind},
        state::State,
        time::Wall,
    },
    transcripts::{Subject, Survey},
    world::process::ProcId,
};

/// The news of a start comes a moment after it.
const NEWS: i64 = 5_000;

/// Every agent of the config.
pub fn subjects(fleet: &Fleet, state: &State, events: &[Event]) -> Vec<Subject> {
    let subject = |agent: &crate::model::policy::Agent| {
        let unit = state.units.get(&agent.session);
        let pane = unit.and_then(|u| u.pane.as_ref()).filter(|p| p.pid_start > 0);
        let root = pane.map(|p| ProcId { pid: p.pid, start: p.pid_start });
        let started = |e: &&Event| e.kind == EventKind::Started && e.agent.as_deref() == Some(agent.name.as_str());
        let told_of = events.iter().filter(started).map(|e| Wall(e.at.0 - NEWS));
        let started_with = unit.and_then(|u| u.started_with.as_deref());
        sessions::subject(&fleet.policy, &fleet.paths, agent, started_with, root, told_of)
    };
    fleet.policy.agents.iter().map(subject).collect()
}

pub fn survey(fleet: &Fleet, subjects: &[Subject], since: Wall) -> Survey {
    sessions::survey(&fleet.paths, subjects, since)
}
