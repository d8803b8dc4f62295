//! Whose tmux server the fleet lives on: taken over from the user's default one, and left clean.
use super::{
    fleet::{Fleet, FleetError, LOOK},
    heart::Heart,
    lock::{Lock, Role},
    server,
};
use crate::{
    model::{
        event::{Event, EventKind},
        policy::TmuxServer,
        state::Life,
    },
    world::{
        clock,
        process::{ProcId, descendants},
        tmux::{Address, Server, TmuxError, list_once, list_once_within},
    },
};
use rustix::process::Signal;
use std::time::Duration;

/// How long an empty server is waited for.
const TIDY: Duration = Duration::from_secs(2);

/// A server that was told to end waits for its clients, and some of those for ever; it is ours, and empty.
fn await_end(tree: &[ProcId]) {
    let until = clock::boot().after(TIDY);
    while tree.iter().any(|p| p.is_alive()) {
        if clock::boot() >= until {
            for process in tree {
                process.signal(Signal::KILL);
            }
            return;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

impl Fleet {
    /// After the last session of the fleet: its server goes too, and `<prefix>watchdog` on a server of the user's.
    pub(super) fn tidy_server(&self, heart: &Heart) {
        let running = heart
            .state
            .units
            .values()
            .any(|u| !matches!(u.life, Life::Absent | Life::Done | Life::Backoff { .. } | Life::GaveUp { .. }));
        let watched = Lock::holder(&self.paths.lock).is_some_and(|h| h.role == Role::Watchdog);
        if running || watched {
            return;
        }
        let server = self.server();
        let anchor = self.policy.watchdog_session();
        // tmux takes a moment to let go of sessions whose programs ended, and may be too busy for one look.
        let until = clock::boot().after(TIDY);
        loop {
            let last = clock::boot() >= until;
            match list_once_within(&server, LOOK) {
                Ok(None) => break,
                Ok(Some((pid, rows))) => {
                    let others = rows.iter().any(|r| r.session_name != anchor);
                    if server.is_own() && !others {
                        // It answers before it is gone: nothing is left behind when `down` has returned.
                        let mut tree = descendants(pid);
                        tree.extend(ProcId::of(pid));
                        if server.kill().is_ok() {
                            await_end(&tree);
                            break;
                        }
                        if last {
                            break;
                        }
                    } else if !server.is_own() || last {
                        let _ = server.kill_session(&anchor);
                        break;
                    }
                }
                Err(_) if last => break,
                Err(_) => {}
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        server::release(&self.paths);
    }

    /// Sessions of this fleet on the user's default tmux server, where the fleet uses one of its own.
    pub fn foreign_sessions(&self) -> Result<Vec<String>, FleetError> {
        let own = self.policy.tmux.server == TmuxServer::Own && !server::is_adopted(&self.paths);
        let asked = if own { Server::at(Address::Default) } else { self.server() };
        let rows = match list_once(&asked) {
            // Nothing can be started at all.
            Err(e @ TmuxError::NoTmux(_)) => return Err(FleetError::Failed(e.to_string())),
            Ok(Some((_, rows))) if own => rows,
            _ => return Ok(Vec::new()),
        };
        let ours = |name: &str| {
            self.policy.agents.iter().any(|a| a.session == name)
                || self.policy.services.iter().any(|s| s.session == name)
                || self.policy.watchdog_session() == name
        };
        let mut names: Vec<String> = rows.into_iter().map(|r| r.session_name).filter(|n| ours(n)).collect();
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// Takes those over where they are: the fleet lives on the user's default server until the next `agents down`.
    /// The old driver's own session is ended first, so that two supervisors never fight.
    pub fn adopt(&self, say: &mut dyn FnMut(&Event)) -> Result<(), FleetError> {
        let found = self.foreign_sessions()?;
        if found.is_empty() {
            return Ok(());
        }
        let default = Server::at(Address::Default);
        let anchor = self.policy.watchdog_session();
        if found.contains(&anchor) {
            default.kill_session(&anchor).map_err(|e| FleetError::Failed(e.to_string()))?;
        }
        server::adopt(&self.paths).map_err(|e| FleetError::Failed(super::words::plain(&e)))?;
        for session in found.iter().filter(|s| **s != anchor) {
            say(&Event {
                seq: 0,
                at: clock::now().wall,
                kind: EventKind::Adopted,
                agent: None,
                text: format!("{session} taken over on the default tmux server"),
                data: serde_json::Value::Null,
                alert: false,
            });
        }
        Ok(())
    }
}
