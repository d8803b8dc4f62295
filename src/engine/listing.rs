//! Who runs on the tmux server: one list, or a verdict that can be trusted. "Nobody answers" is not "gone".
use super::{
    eyes::Eyes,
    known_panes::{Depth, Listed},
};
use crate::{
    model::{observation::ServerObs, policy::Policy, state::State},
    world::{
        process::ProcId,
        tmux::{PaneRow, TmuxError, list_once_within, rescue_socket},
    },
};
use std::time::Duration;

/// While the server does not answer, it is asked with less patience.
const PATIENCE: Duration = Duration::from_secs(2);
const LITTLE_PATIENCE: Duration = Duration::from_millis(300);
/// Between two tries to have a removed socket made again.
const RESCUE_PAUSE: Duration = Duration::from_secs(10);

impl Eyes {
    /// `Ok(None)`: certainly no server. `Err`: nobody can tell. `depth`: see [`super::known_panes`].
    pub(super) fn rows(
        &mut self,
        state: &State,
        policy: &Policy,
        supervised: bool,
        depth: Depth,
    ) -> Result<Option<(u32, Listed)>, TmuxError> {
        if self.client.is_none() && !supervised {
            let patience = if state.fleet.server == ServerObs::Unresponsive { LITTLE_PATIENCE } else { PATIENCE };
            return match list_once_within(&self.server, patience)? {
                None => self.second_look(state),
                Some(seen) => Ok(Some(listed(seen))),
            };
        }
        let silent = state.fleet.server == ServerObs::Unresponsive;
        if silent && let Err(e @ TmuxError::Deadline { .. }) = list_once_within(&self.server, LITTLE_PATIENCE) {
            // No attach until it answers: see there.
            return Err(e);
        }
        if self.client.is_none() {
            if self.supervised_client && self.last_connect.is_some_and(|at| at.elapsed() < Duration::from_millis(200)) {
                return Err(TmuxError::Protocol("waiting before the next connection".into()));
            }
            // On first sight the server may simply not run yet; later its death is an incident of its own.
            let known = matches!(state.fleet.server, ServerObs::Up { pid } if pid != 0);
            match list_once_within(&self.server, PATIENCE) {
                Ok(None) if known => {
                    if let Some(seen) = self.second_look(state)? {
                        return Ok(Some(seen));
                    }
                    self.supervised_client = true;
                    let _ = self.connect(policy);
                    return Ok(None);
                }
                Err(e @ TmuxError::Deadline { .. }) => return Err(e),
                _ => {}
            }
            self.last_connect = Some(std::time::Instant::now());
            self.connect(policy)?;
            self.supervised_client = true;
        }
        let Some(client) = self.client.as_mut() else { return Ok(None) };
        client.set_deadline(if silent { LITTLE_PATIENCE } else { PATIENCE });
        match self.known.look(client, depth) {
            Ok(rows) => {
                client.set_deadline(PATIENCE * 2);
                Ok(Some((client.server_pid(), rows)))
            }
            Err(TmuxError::ServerDown(_) | TmuxError::Socket(_)) => {
                if let Some(seen) = self.second_look(state)? {
                    return Ok(Some(seen));
                }
                // A new server for what is started next; this look says that the old one is gone.
                self.client = None;
                let _ = self.connect(policy);
                Ok(None)
            }
            Err(e) => Err(e),
        }
    }

    /// Nobody listened. That is no death while the server's process lives: it may be making its socket anew, or ending
    /// just now. `Ok(None)`: it is certainly gone.
    fn second_look(&self, state: &State) -> Result<Option<(u32, Listed)>, TmuxError> {
        let ServerObs::Up { pid } = state.fleet.server else { return Ok(None) };
        let alive = || pid != 0 && ProcId::of(pid).is_some() && is_tmux(pid);
        for pause in [0, 5, 20, 50, 100] {
            std::thread::sleep(Duration::from_millis(pause));
            if !alive() {
                return Ok(None);
            }
            if let Some(seen) = list_once_within(&self.server, PATIENCE)? {
                return Ok(Some(listed(seen)));
            }
        }
        if self.rescue(state) {
            return Ok(list_once_within(&self.server, PATIENCE)?.map(listed));
        }
        if alive() {
            Err(TmuxError::Protocol("the server lives, but nobody listens on its socket".into()))
        } else {
            Ok(None)
        }
    }

    /// As often as it may cost a tick its patience.
    pub(super) fn mend_socket(&mut self, state: &State) {
        let lately = self.last_rescue.is_some_and(|at| at.elapsed() < RESCUE_PAUSE);
        if !lately && !self.server.socket_path().exists() {
            self.last_rescue = Some(std::time::Instant::now());
            self.rescue(state);
        }
    }

    /// Somebody removed the socket while the server lives: it makes the socket anew when it is told to.
    fn rescue(&self, state: &State) -> bool {
        match state.fleet.server {
            ServerObs::Up { pid } if pid != 0 && self.server.is_own() => {
                ProcId::of(pid).is_some_and(|server| rescue_socket(&self.server, server).unwrap_or(false))
            }
            _ => false,
        }
    }
}

fn listed((pid, rows): (u32, Vec<PaneRow>)) -> (u32, Listed) {
    (pid, Listed::Rows(rows))
}

fn is_tmux(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.starts_with("tmux"))
}
