//! One look at the fleet, as every reading verb shows it.
use super::failure::Failure;
use crate::{
    engine::fleet::Fleet,
    model::{state::State, time::Now},
    store::Store,
    view::{self, StatusView, status::Watchdog},
};

/// The status and the moment it holds for.
pub fn take(fleet: &Fleet, store: &dyn Store) -> Result<(StatusView, Now), Failure> {
    take_with_state(fleet, store).map(|(view, _, now)| (view, now))
}

pub fn take_with_state(fleet: &Fleet, store: &dyn Store) -> Result<(StatusView, State, Now), Failure> {
    let panes = fleet.panes()?;
    let state = store.load()?;
    let now = crate::world::clock::now();
    let phase = fleet.phase();
    let watchdog = fleet.supervisor().map(|s| Watchdog {
        running: true,
        pid: Some(s.pid),
        since: Some(s.since.rfc3339()),
        last_tick: s.last_tick.map(|t| t.rfc3339()),
        tick_ms: s.tick_ms,
    });
    let view = view::status(&view::Inputs {
        policy: &fleet.policy,
        state: &state,
        panes: &panes,
        watchdog,
        phase: phase.as_ref(),
        faults: &fleet.faults,
        socket: &fleet.paths.socket,
        now,
    });
    Ok((view, state, now))
}
