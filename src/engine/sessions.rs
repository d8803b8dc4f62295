//! What the fleet knows of its agents' session files, for whoever looks into them.
use super::paths::Paths;
use crate::{
    launch::prompt,
    model::{
        policy::{Agent, Policy},
        time::Wall,
        transcript::Program,
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

/// One agent. `started_with`: the backend of its last start; `told_of`: starts of which there is news beside their records.
pub fn subject(
    policy: &Policy,
    paths: &Paths,
    agent: &Agent,
    started_with: Option<&str>,
    root: Option<ProcId>,
    told_of: impl Iterator<Item = Wall>,
) -> Subject {
    let backend = policy.backend_of(agent, started_with);
    let kickoff = paths.kickoff(&agent.session);
    let text = |path: &Path| file::read(path, LARGEST).ok().map(|b| String::from_utf8_lossy(&b).into_owned());
    let id = paths.resume_id(&agent.name);
    // Of conversations that were given up: a time and an id in each line.
    let old_ids = text(&id.with_extension("id.old")).unwrap_or_default();
    let old_ids = old_ids.lines().filter_map(|line| line.split(' ').nth(1)).map(str::to_owned);
    let runs = paths.run.join(&agent.session);
    Subject {
        name: agent.name.clone(),
        program: Program::of(backend.reader.preset.as_deref(), &backend.bin),
        dir: last_dir(&runs).unwrap_or_else(|| agent.dir.clone()),
        root,
        hooks: Some(paths.hooks(&agent.name)),
        ids: text(&id).map(|id| id.trim().to_owned()).into_iter().chain(old_ids).collect(),
        starts: told_of.chain(launches(&runs)).collect(),
        told: text(&kickoff).into_iter().chain([prompt::read_kickoff(&kickoff)]).collect(),
    }
}

/// Looks for the sessions of `subjects` where the fleet's environment says; see [`transcripts::survey`].
pub fn survey(paths: &Paths, subjects: &[Subject], since: Wall) -> Survey {
    let environment = file::read(&paths.env, LARGEST).unwrap_or_default();
    transcripts::survey(subjects, &environment, since)
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
