//! Session files on the disk, by their beginnings.
use super::{
    owner::Session,
    places::{Base, rollout_id, slug},
    said::folded,
    tail,
    transcript::Transcript,
};
use crate::model::{
    time::Wall,
    transcript::{Program, What},
    zones::Zones,
};
use serde::Deserialize;
use std::{
    collections::BTreeSet,
    fs::{self, Metadata},
    io::{BufRead, BufReader, Read},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// So much of a file is looked at for what it begins with.
const BEGINNING: u64 = 4 << 20;

/// Which sessions are looked for.
#[derive(Debug, Default)]
pub struct Wanted {
    /// Those that ran there,
    pub dirs: BTreeSet<PathBuf>,
    /// and those with one of these ids,
    pub ids: BTreeSet<String>,
    /// of which some are known to lie here.
    pub folders: BTreeSet<PathBuf>,
}

/// The wanted sessions of `base`; those that ran in one of the folders only if they were written at `since` or later.
pub fn sessions(base: &Base, wanted: &Wanted, since: Wall) -> Vec<Session> {
    let Wanted { dirs, ids, folders } = wanted;
    let files: BTreeSet<(PathBuf, bool)> = match base.program {
        Program::Claude => {
            let by_dir = dirs.iter().flat_map(|dir| claude_folders(base, dir));
            by_dir.chain(folders.iter().cloned()).flat_map(|f| claude_files(&f)).collect()
        }
        Program::Codex => rollouts(&base.sessions(), ids, since),
    };
    let mut found = Vec::new();
    for (path, helper) in files {
        let Ok(meta) = fs::metadata(&path) else { continue };
        let written = modified(&meta);
        let named = name_of(&path).is_some_and(|name| ids.iter().any(|id| name.contains(id.as_str())));
        if !meta.is_file() || (written < since && !named) {
            continue;
        }
        let Some(session) = head(base, &path, helper, written) else { continue };
        if ids.contains(&session.id) || session.cwd.as_ref().is_some_and(|cwd| dirs.contains(cwd)) {
            found.push(session);
        }
    }
    found
}

fn modified(meta: &Metadata) -> Wall {
    Wall(meta.mtime().saturating_mul(1000).saturating_add(meta.mtime_nsec() / 1_000_000))
}

fn name_of(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}

/// Entries of a folder; none if it cannot be read.
fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path())
}

fn claude_folders(base: &Base, dir: &Path) -> Vec<PathBuf> {
    let (name, whole) = slug(dir);
    let projects = base.sessions();
    if whole {
        return vec![projects.join(name)];
    }
    let begins = |path: &PathBuf| name_of(path).is_some_and(|n| n.starts_with(&name));
    entries(&projects).filter(begins).collect()
}

/// `<id>.jsonl`, and what helpers wrote: `agent-….jsonl` beside it (2.0), or in `<id>/subagents` (2.1).
fn claude_files(folder: &Path) -> Vec<(PathBuf, bool)> {
    let mut files = Vec::new();
    for path in entries(folder) {
        let Some(name) = name_of(&path) else { continue };
        if name.ends_with(".jsonl") {
            let helper = name.starts_with("agent-");
            files.push((path, helper));
        } else if name.len() == 36 {
            files.extend(
                entries(&path.join("subagents"))
                    .filter(|p| p.extension().is_some_and(|e| e == "jsonl"))
                    .map(|p| (p, true)),
            );
        }
    }
    files
}

/// Rollouts that may have been written since then, by the day in their path; and those with one of `ids`.
fn rollouts(folder: &Path, ids: &BTreeSet<String>, since: Wall) -> BTreeSet<(PathBuf, bool)> {
    let numbers = |folder: &Path| -> Vec<(PathBuf, u32)> {
        entries(folder).filter_map(|p| name_of(&p)?.parse().ok().map(|n| (p.clone(), n))).collect()
    };
    let mut files = BTreeSet::new();
    // A conversation that goes on for long lies under the day on which it began: a month is enough for any run.
    let first = Wall(since.0.saturating_sub(31 * 86_400_000)).format_local("%Y%m%d").parse::<u32>().unwrap_or(0);
    for (year, y) in numbers(folder) {
        for (month, m) in numbers(&year) {
            for (day, d) in numbers(&month) {
                let recent = y.saturating_mul(10_000).saturating_add(m * 100 + d) >= first;
                for path in entries(&day) {
                    let Some(id) = name_of(&path).and_then(rollout_id) else { continue };
                    if recent || ids.contains(id) {
                        files.insert((path, false));
                    }
                }
            }
        }
    }
    files
}

/// What the first lines of both programs say about the session.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    timestamp: Option<String>,
    cwd: Option<PathBuf>,
    session_id: Option<String>,
    payload: Option<Payload>,
}

#[derive(Deserialize)]
struct Payload {
    cwd: Option<PathBuf>,
    thread_source: Option<String>,
}

/// `None`: nothing in it can be read.
fn head(base: &Base, path: &Path, helper: bool, written: Wall) -> Option<Session> {
    let stem = path.file_stem()?.to_str()?;
    let mut session = Session {
        program: base.program,
        base: base.folder.clone(),
        path: path.to_owned(),
        id: match base.program {
            Program::Claude => stem.to_owned(),
            Program::Codex => rollout_id(name_of(path)?)?.to_owned(),
        },
        cwd: None,
        began: None,
        first: None,
        written,
        helper,
    };
    let mut lines = BufReader::new(tail::open(path).ok()?.take(BEGINNING));
    let mut reader = Transcript::new(base.program, path, Zones::default());
    let mut bytes = Vec::new();
    while session.first.is_none() {
        bytes.clear();
        if lines.read_until(b'\n', &mut bytes).ok()? == 0 || bytes.last() != Some(&b'\n') {
            break;
        }
        let Ok(text) = std::str::from_utf8(&bytes) else { continue };
        if let Ok(line) = serde_json::from_str::<Line>(text) {
            session.began = session.began.or_else(|| Wall::parse_rfc3339(line.timestamp.as_deref()?));
            let payload = line.payload.filter(|_| base.program == Program::Codex);
            session.helper |= payload.as_ref().is_some_and(|p| p.thread_source.as_deref().is_some_and(|s| s != "user"));
            session.cwd = session.cwd.or(line.cwd).or_else(|| payload.as_ref()?.cwd.clone());
            if let Some(id) = line.session_id.filter(|_| helper) {
                session.id = id;
                break;
            }
        }
        reader.one(text, &mut |row| {
            if let What::Asked { text } = row.what {
                session.first.get_or_insert(folded(&text));
            }
        });
    }
    session.began.is_some().then_some(session)
}
