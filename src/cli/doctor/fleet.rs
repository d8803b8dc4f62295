//! The fleet's own ground: config, folders, memory, tmux server, agent programs, watchdog.
use super::{Finding, tools, worktrees};
use crate::{
    engine::fleet::Fleet,
    model::{
        name::printable_cut,
        policy::{Backend, Policy},
    },
    world::machine,
};
use rustix::fs::{FlockOperation, flock, fstatvfs, statfs};
use std::path::{Path, PathBuf};

const MB: u64 = 1 << 20;
/// Below this, nothing may be saved soon.
const SPACE_FAIL: u64 = 64 * MB;
const SPACE_WARN: u64 = 1024 * MB;
/// Longest path of a Unix socket, without its final zero.
const SOCKET_PATH: usize = 107;

pub fn check(fleet: &Fleet) -> Vec<Finding> {
    let policy = &fleet.policy;
    let mut out = vec![config(fleet)];
    out.extend(policy.warnings.iter().map(|w| Finding::warn("config", w.as_str(), "`agents check` shows where")));
    out.push(folder(&policy.log_dir));
    out.extend(kind_of_disk(&policy.log_dir));
    out.push(memory(fleet));
    out.push(server(fleet));
    out.extend(programs(policy));
    out.push(host(policy));
    out.extend(repository(policy));
    out.extend(worktrees::check(policy));
    out.push(watchdog(fleet));
    out
}

fn watchdog(fleet: &Fleet) -> Finding {
    let guardian = fleet.guardian();
    let ended = guardian.as_ref().map(|g| &g.revivals).filter(|r| r.total > 0);
    match (fleet.supervisor(), ended) {
        (Some(s), None) => Finding::ok("watchdog", format!("running, pid {}", s.pid)),
        (Some(s), Some(r)) => {
            let text = format!("running, pid {}; brought back {}, the last one {}", s.pid, r.times(), r.said());
            Finding::warn("watchdog", text, "`agents logs watchdog`")
        }
        (None, Some(r)) => {
            let text = format!("it {} and is started again with growing pauses", r.said());
            Finding::fail("watchdog", text, "`agents logs watchdog`")
        }
        (None, None) => Finding::warn("watchdog", "it is not running", "`agents up` starts it"),
    }
}

fn config(fleet: &Fleet) -> Finding {
    let path = fleet.policy.config_path.display().to_string();
    if fleet.faults.is_empty() {
        Finding::ok("config", path)
    } else {
        let text = format!("{path} is broken; the last good one is in force");
        Finding::fail("config", text, "`agents check` shows why")
    }
}

/// Can be written to, has space, and locks work there.
fn folder(dir: &Path) -> Finding {
    let shown = dir.display();
    let file = match tempfile::tempfile_in(dir) {
        Ok(file) => file,
        Err(e) => {
            let hint = format!("`mkdir -p {shown}`, or make it yours");
            return Finding::fail("log_dir", format!("{shown} cannot be written to: {e}"), hint);
        }
    };
    if let Err(e) = flock(&file, FlockOperation::NonBlockingLockExclusive) {
        let text = format!("locks do not work in {shown}: {e}");
        return Finding::fail("log_dir", text, "choose a `log_dir` on a local disk");
    }
    let free = fstatvfs(&file).map(|s| s.f_bavail.saturating_mul(s.f_frsize)).unwrap_or(u64::MAX);
    let text = format!("{shown} has {} MB free", free / MB);
    let hint = "make room, or move `log_dir`";
    match free {
        f if f < SPACE_FAIL => Finding::fail("log_dir", text, hint),
        f if f < SPACE_WARN => Finding::warn("log_dir", text, hint),
        u64::MAX => Finding::ok("log_dir", format!("{shown} can be written to")),
        _ => Finding::ok("log_dir", text),
    }
}

/// The database keeps its promises on a local disk only.
fn kind_of_disk(dir: &Path) -> Option<Finding> {
    let kind = match statfs(dir).ok()?.f_type as u64 & 0xffff_ffff {
        0x6969 => "NFS",
        0x517b | 0xff53_4d42 | 0xfe53_4d42 => "SMB",
        0x0102_1997 => "9p",
        _ => return None,
    };
    let text = format!("{} is on {kind}", dir.display());
    Some(Finding::warn("log_dir", text, "choose a `log_dir` on a local disk: SQLite and locks are not safe there"))
}

fn memory(fleet: &Fleet) -> Finding {
    let db = fleet.paths.db.display();
    let hint = "the fleet's memory stands in `log_dir`; move the file away to start anew";
    let store = match fleet.store_to_read() {
        Ok(Some(store)) => store,
        Ok(None) => return Finding::ok("database", format!("{db} will be made by the first `agents up`")),
        Err(e) => return Finding::fail("database", e.to_string(), hint),
    };
    match store.load() {
        Ok(state) => Finding::ok("database", format!("{db} knows {} agents and services", state.units.len())),
        Err(e) => Finding::fail("database", e.to_string(), hint),
    }
}

fn server(fleet: &Fleet) -> Finding {
    let socket = &fleet.paths.socket;
    let length = socket.as_os_str().len();
    if length > SOCKET_PATH {
        let text = format!("the socket path has {length} bytes, {SOCKET_PATH} is the limit: {}", socket.display());
        return Finding::fail("tmux server", text, "set a shorter one with `[tmux] server`");
    }
    match fleet.panes() {
        Ok(panes) if panes.is_empty() => Finding::ok("tmux server", format!("no sessions on {}", socket.display())),
        Ok(panes) => Finding::ok("tmux server", format!("{} sessions on {}", panes.len(), socket.display())),
        Err(e) => Finding::fail("tmux server", e.to_string(), "`agents down` and `agents up`, if it stays like this"),
    }
}

/// Backends that an agent uses: their programs must be found; the others only should.
fn programs(policy: &Policy) -> Vec<Finding> {
    let look = |backend: &Backend| {
        let used = policy.agents.iter().any(|a| a.enabled && a.fault.is_none() && a.backend.name == backend.name);
        let (named, found) = program(backend)?;
        Some(match found {
            Some(path) => Finding::ok("backend", format!("{named} is {}", path.display())),
            None if used => Finding::fail("backend", format!("{named} is not found"), "install it, or correct `bin`"),
            None => Finding::warn("backend", format!("{named} is not found (no agent uses it)"), "correct `bin`"),
        })
    };
    policy.backends.iter().filter_map(|b| look(b)).collect()
}

/// The program that a backend begins with, named for a reader, and where it is found. `None`: that cannot be told.
pub fn program(backend: &Backend) -> Option<(String, Option<PathBuf>)> {
    let program = tools::program_of(&backend.bin)?;
    let program = match program.strip_prefix("~/") {
        Some(rest) => std::env::home_dir()?.join(rest).display().to_string(),
        None => program.to_owned(),
    };
    // Relative to each agent's folder: nothing to look up.
    if program.contains('/') && !program.starts_with('/') {
        return None;
    }
    let named = format!("`{}` of backend `{}`", printable_cut(&program, 80), printable_cut(&backend.name, 80));
    Some((named, tools::on_path(&program)))
}

/// Whether something could be started now.
fn host(policy: &Policy) -> Finding {
    let rules = &policy.host;
    let (memory, load) = (machine::memory_available(), machine::load());
    let said = |what: Option<String>| what.unwrap_or_else(|| "unknown".into());
    let text = format!(
        "{} MB of memory available, load {} for each core",
        said(memory.map(|bytes| (bytes / MB).to_string())),
        said(load.map(|load| format!("{load:.1}")))
    );
    let short = memory.is_some_and(|bytes| bytes < rules.min_memory)
        || load.is_some_and(|load| rules.max_load > 0.0 && load > rules.max_load)
        || machine::disk_free(&policy.log_dir).is_some_and(|free| free < rules.min_disk);
    match short {
        true => Finding::warn("room", format!("{text}: starts wait"), "make room, or ask for less in [host]"),
        false => Finding::ok("room", text),
    }
}

fn repository(policy: &Policy) -> Option<Finding> {
    let phases = policy.phases.as_ref()?;
    phases.handoff.as_ref()?;
    let repo = &phases.repo;
    let found = repo.join(".git").exists() || repo.join("HEAD").exists();
    Some(if found {
        Finding::ok("hand-off", format!("{} is a git repository", repo.display()))
    } else {
        let text = format!("{} is no git repository", repo.display());
        Finding::warn("hand-off", text, "`git init` there, or correct `[loop.handoff] repo`")
    })
}
