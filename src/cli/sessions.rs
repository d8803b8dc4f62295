//! What the fleet knows of its agents' sessions, for whoever looks into the programs' own files.
use crate::{
    engine::fleet::Fleet,
    launch::prompt,
    model::{
        event::{Event, EventKind},
        policy::Agent,
        state::State,
        time::Wall,
    },
    shim::record,
    transcripts::{self, Subject, Survey},
    world::{file, process::ProcId},
};
use std::{
    collections::BTreeSet,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// No id and no first message is larger.
const LARGEST: u64 = 16 << 20;
/// The news of a start comes a moment after it.
const NEWS: i64 = 5_000;

/// Every agent of the config.
pub fn subjects(fleet: &Fleet, state: &State, events: &[Event]) -> Vec<Subject> {
    fleet.policy.agents.iter().map(|agent| subject(fleet, agent, state, events)).collect()
}

pub fn survey(fleet: &Fleet, subjects: &[Subject], since: Wall) -> Survey {
    let environment = file::read(&fleet.paths.env, LARGEST).unwrap_or_default();
    transcripts::survey(subjects, &environment, since)
}

fn subject(fleet: &Fleet, agent: &Agent, state: &State, events: &[Event]) -> Subject {
    let unit = state.units.get(&agent.session);
    let backend = fleet.policy.backend_of(agent, unit.and_then(|u| u.started_with.as_deref()));
    let pane = unit.and_then(|u| u.pane.as_ref()).filter(|p| p.pid_start > 0);
    let kickoff = fleet.paths.kickoff(&agent.session);
    let text = |path: &Path| file::read(path, LARGEST).ok().map(|b| String::from_utf8_lossy(&b).into_owned());
    let id = fleet.paths.resume_id(&agent.name);
    // Of conversations that were given up: a time and an id in each line.
    let old_ids = text(&id.with_extension("id.old")).unwrap_or_default();
    let old_ids = old_ids.lines().filter_map(|line| line.split(' ').nth(1)).map(str::to_owned);
    let started = |e: &&Event| e.kind == EventKind::Started && e.agent.as_deref() == Some(agent.name.as_str());
    let told_of = events.iter().filter(started).map(|e| Wall(e.at.0 - NEWS));
    Subject {
        name: agent.name.clone(),
        program: transcripts::program(backend.reader.preset.as_deref(), &backend.bin),
        dir: last_dir(&fleet.paths.run.join(&agent.session)).unwrap_or_else(|| agent.dir.clone()),
        root: pane.map(|p| ProcId { pid: p.pid, start: p.pid_start }),
        ids: text(&id).map(|id| id.trim().to_owned()).into_iter().chain(old_ids).collect(),
        hooks: Some(fleet.paths.hooks(&agent.name)),
        starts: told_of.chain(launches(&fleet.paths.run.join(&agent.session))).collect(),
        told: text(&kickoff).into_iter().chain([prompt::read_kickoff(&kickoff)]).collect(),
    }
}

/// Where it was started last: its folder, or its worktree.
fn last_dir(runs: &Path) -> Option<PathBuf> {
    let folders = std::fs::read_dir(runs).ok()?.flatten();
    let last = folders.filter_map(|e| e.file_name().to_str()?.parse::<u64>().ok()).max()?;
    record::LaunchRecord::read(&runs.join(last.to_string())).ok().map(|record| record.dir)
}

/// When the starts were prepared whose records are still there.
fn launches(runs: &Path) -> BTreeSet<Wall> {
    let folders = std::fs::read_dir(runs).into_iter().flatten().flatten();
    let records = folders.filter_map(|e| std::fs::metadata(e.path().join(record::LAUNCH)).ok());
    records.map(|meta| Wall(meta.mtime() * 1000 + meta.mtime_nsec() / 1_000_000)).collect()
}
