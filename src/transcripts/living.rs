//! What living processes say about their sessions, and about where their files are.
use super::places::{Base, rollout_id};
use crate::{
    model::transcript::Program,
    world::{
        file,
        process::{ProcId, descendants},
    },
};
use serde::Deserialize;
use serde_json::Value;
use std::{
    collections::BTreeSet,
    ffi::{OsStr, OsString},
    fs,
    os::unix::ffi::OsStrExt,
    path::Path,
};

/// More of them, and their files, are not looked at.
const MOST: usize = 256;

/// Sessions that processes say are theirs.
#[derive(Debug, Default)]
pub struct Claims {
    /// Whose process is among the given ones.
    pub ours: BTreeSet<String>,
    pub others: BTreeSet<String>,
}

/// The processes of an agent, below its shim.
pub fn processes(root: ProcId) -> Vec<ProcId> {
    let mut all = if root.is_alive() { descendants(root.pid) } else { Vec::new() };
    all.truncate(MOST);
    all
}

/// A variable of a process as it was started.
pub fn variable(process: ProcId, name: &str) -> Option<OsString> {
    let all = fs::read(format!("/proc/{}/environ", process.pid)).ok()?;
    let found = all.split(|b| *b == 0).find_map(|pair| pair.strip_prefix(name.as_bytes())?.strip_prefix(b"="));
    found.map(|value| OsStr::from_bytes(value).to_owned()).filter(|_| process.is_alive())
}

/// Which sessions processes say are theirs; `own` are one agent's.
pub fn claims(base: &Base, own: &[ProcId]) -> Claims {
    match base.program {
        Program::Claude => claude(base, own),
        // A tool that the agent runs may be another Codex: the nearest to the shim is the agent itself.
        Program::Codex => {
            let nearest = own.iter().map(|p| open_rollouts(base, *p)).find(|open| !open.is_empty());
            Claims { ours: nearest.into_iter().flatten().collect(), others: BTreeSet::new() }
        }
    }
}

/// `sessions/<pid>.json`
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    pid: u32,
    session_id: String,
    /// A number or a text: as in `/proc/PID/stat`.
    proc_start: Value,
}

fn claude(base: &Base, own: &[ProcId]) -> Claims {
    let mut claims = Claims::default();
    // The same for a tool that is another Claude Code: in the order of `own`, ancestors first.
    let mut nearest: Option<usize> = None;
    for entry in fs::read_dir(base.folder.join("sessions")).into_iter().flatten().flatten().take(MOST) {
        let path = entry.path();
        if path.extension() != Some(OsStr::new("json")) {
            continue;
        }
        let Ok(bytes) = file::read(&path, 1 << 20) else { continue };
        let Ok(entry) = serde_json::from_slice::<Entry>(&bytes) else { continue };
        let start = entry.proc_start.as_u64().or_else(|| entry.proc_start.as_str()?.parse().ok());
        let Some(process) = start.map(|start| ProcId { pid: entry.pid, start }) else { continue };
        if let Some(at) = own.iter().position(|p| *p == process) {
            if nearest.is_none_or(|before| at < before) {
                nearest = Some(at);
                claims.ours = [entry.session_id].into();
            }
        } else if process.is_alive() {
            claims.others.insert(entry.session_id);
        }
    }
    claims
}

/// Rollouts that a process has open. A daemon has those of everybody who talks to it.
fn open_rollouts(base: &Base, process: ProcId) -> Vec<String> {
    let words = fs::read(format!("/proc/{}/cmdline", process.pid)).unwrap_or_default();
    if words.split(|b| *b == 0).any(|word| word == b"app-server") {
        return Vec::new();
    }
    let folder = base.sessions();
    let folder = folder.canonicalize().unwrap_or(folder);
    let fds = fs::read_dir(format!("/proc/{}/fd", process.pid)).into_iter().flatten().flatten();
    let is_written = |fd: &fs::DirEntry| {
        let info = fs::read_to_string(format!("/proc/{}/fdinfo/{}", process.pid, fd.file_name().to_string_lossy()));
        let flags = info.ok().and_then(|text| text.lines().find_map(|l| l.strip_prefix("flags:").map(str::to_owned)));
        // The kernel's octal digits; the last one is how it was opened, 0 to read only.
        flags.is_some_and(|digits| !digits.trim_end().ends_with(['0', '4']))
    };
    // Whoever only reads it looks at somebody else's.
    fds.filter(is_written)
        .filter_map(|fd| fs::read_link(fd.path()).ok())
        .filter(|path| path.starts_with(&folder))
        .filter_map(|path| id_of(&path))
        .collect()
}

fn id_of(path: &Path) -> Option<String> {
    rollout_id(path.file_name()?.to_str()?).map(str::to_owned)
}
