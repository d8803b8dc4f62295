//! The tmux server as one incident, not one for each session.
use super::Mind;
use crate::model::{event::EventKind, observation::ServerObs, state::Life};

impl Mind<'_> {
    /// The tmux server as one incident, not one for each session.
    pub(super) fn server(&mut self) {
        let before = self.state.fleet.server;
        let wall = self.now.wall;
        let any = self.state.units.values().any(|u| matches!(u.life, Life::Running { .. } | Life::Starting { .. }));
        match (before, self.obs.server) {
            (_, ServerObs::Unknown) => return,
            (ServerObs::Up { pid: old }, ServerObs::Up { pid }) if old != pid => {
                self.state.fleet.server_lost = Some(wall);
                // Between `down` and `up` it is nobody's loss.
                if any {
                    self.alert(
                        EventKind::ServerLost,
                        None,
                        "the tmux server was replaced — restarting the fleet on the new one",
                    );
                }
            }
            (ServerObs::Up { .. } | ServerObs::Unresponsive, ServerObs::Down) => {
                self.state.fleet.server_lost = Some(wall);
                if any {
                    self.alert(EventKind::ServerLost, None, "the tmux server is gone — restarting the fleet");
                }
            }
            (ServerObs::Up { .. } | ServerObs::Down | ServerObs::Unknown, ServerObs::Unresponsive) => {
                self.alert(
                    EventKind::ServerLost,
                    None,
                    "the tmux server does not answer — nothing is started or ended until it does",
                );
            }
            (ServerObs::Unresponsive, ServerObs::Up { .. }) => {
                self.tell(EventKind::ServerBack, None, "the tmux server answers again");
            }
            _ => {}
        }
        self.state.fleet.server = self.obs.server;
    }
}
