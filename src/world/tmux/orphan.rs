//! Processes of control clients ([`super::child`]) whose owner was killed. tmux 3.3a waits for ever to write the rest of
//! an answer to such a one, and a server that is told to end then waits for it, too, deaf to everybody.
use crate::world::process::ProcId;
use rustix::process::Signal;
use std::{collections::BTreeSet, process::Command};

/// In a control client's environment: pid and start time of the process that reads it.
const OWNER: &str = "AGENTS_TMUX_OWNER";

/// The format of what [`end`] reads: a line for each client.
pub(super) const FORMAT: &str = "#{client_pid} #{client_control_mode}";

/// Notes in a client's environment that it is ours.
pub(super) fn mark(command: &mut Command) {
    if let Some(own) = ProcId::own() {
        command.env(OWNER, format!("{} {}", own.pid, own.start));
    }
}

/// Ends those of the listed clients whose owner is gone, and notes them in `ended`. `true`: the server has not noticed
/// yet that one of these has ended. A connection without a process has its owner's pid, which bears no mark.
pub(super) fn end(listed: &str, ended: &mut BTreeSet<u32>) -> bool {
    let control = || listed.lines().filter_map(|line| line.strip_suffix(" 1")?.parse::<u32>().ok());
    for client in control().filter(|pid| *pid != std::process::id()).filter_map(ProcId::of) {
        let environment = std::fs::read(format!("/proc/{}/environ", client.pid)).unwrap_or_default();
        if owner(&environment).is_some_and(|owner| !owner.is_alive()) {
            client.signal(Signal::KILL);
            ended.insert(client.pid);
        }
    }
    control().any(|pid| ended.contains(&pid))
}

fn owner(environment: &[u8]) -> Option<ProcId> {
    let text = environment.split(|b| *b == 0).find_map(|var| var.strip_prefix(OWNER.as_bytes())?.strip_prefix(b"="))?;
    let (pid, start) = str::from_utf8(text).ok()?.split_once(' ')?;
    Some(ProcId { pid: pid.parse().ok()?, start: start.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_mark_names_an_owner() {
        assert_eq!(owner(b"A=1\0AGENTS_TMUX_OWNER=12 345\0B="), Some(ProcId { pid: 12, start: 345 }));
        for other in [&b""[..], b"AGENTS_TMUX_OWNER=12", b"AGENTS_TMUX_OWNER=a b", b"XAGENTS_TMUX_OWNER=1 2"] {
            assert_eq!(owner(other), None);
        }
    }
}
