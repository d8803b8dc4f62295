//! Which server process is known to speak [`wire`]: noted in a file beside the configuration of a server of our own, for
//! those that only want to ask it something, once.
use super::{server::Server, wire};
use crate::world::{file::write_whole, process::ProcId};
use std::path::PathBuf;

/// `PID START VERSION`.
const FILE: &str = "tmux.version";

fn file(server: &Server) -> Option<PathBuf> {
    Some(server.conf.as_ref()?.with_file_name(FILE))
}

/// The server, if its `version` is one that speaks our protocol. Noted for others to know.
pub(super) fn met(server: &Server, pid: u32, version: &str) -> Option<ProcId> {
    let process = ProcId::of(pid).filter(|_| wire::is_spoken_by(version))?;
    if let Some(file) = file(server).filter(|_| noted(server) != Some(process)) {
        // Unwritten, it costs the others a process.
        let _ = write_whole(&file, format!("{} {} {version}\n", process.pid, process.start).as_bytes());
    }
    Some(process)
}

/// As noted last, by whomever; it may be gone.
pub(super) fn noted(server: &Server) -> Option<ProcId> {
    let text = std::fs::read_to_string(file(server)?).ok()?;
    let [pid, start, version] = text.split_whitespace().collect::<Vec<_>>().try_into().ok()?;
    let process = ProcId { pid: pid.parse().ok()?, start: start.parse().ok()? };
    wire::is_spoken_by(version).then_some(process)
}
