//! One look at the fleet, as every reading verb shows it.
use super::failure::{Failure, complain};
use crate::{
    engine::fleet::Fleet,
    model::{
        name::printable,
        state::{Life, State, UnitState},
        time::Now,
    },
    view::{self, StatusView, status::Watchdog},
};

/// The status and the moment it holds for. Makes nothing: a fleet that never ran has an empty memory.
pub fn take(fleet: &Fleet) -> Result<(StatusView, Now), Failure> {
    let memory = || -> Result<State, Failure> {
        Ok(match fleet.store_to_read()? {
            Some(store) => store.load()?,
            None => State::default(),
        })
    };
    // tmux takes its time for a large fleet.
    let (rows, state) = std::thread::scope(|scope| {
        let rows = scope.spawn(|| fleet.rows_to_show());
        let state = memory();
        (rows.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), state)
    });
    let state = state?;
    let (mut panes, mut stale) = fleet.panes_to_show(rows, &state)?;
    let runs = |u: &UnitState| matches!(u.life, Life::Running { .. });
    if stale.is_none() && state.units.values().any(|u| runs(u) && !panes.contains_key(&u.session)) {
        // Started after tmux was asked, or gone.
        (panes, stale) = fleet.panes_to_show(fleet.rows_to_show(), &state)?;
    }
    if let Some(why) = stale {
        complain(&format!("warning: {why}; shown is what was known last"));
    }
    let now = crate::world::clock::now();
    let phase = fleet.phase();
    let watchdog = watchdog(fleet);
    let view = view::status(&view::Inputs {
        policy: &fleet.policy,
        state: &state,
        panes: &panes,
        watchdog: Some(watchdog),
        phase: phase.as_ref(),
        faults: &fleet.faults,
        socket: &fleet.paths.socket,
        now,
    });
    Ok((view, now))
}

fn watchdog(fleet: &Fleet) -> Watchdog {
    // In this order: one that is back meanwhile is not taken for one that is waited for.
    let guardian = fleet.guardian();
    let supervisor = fleet.supervisor();
    let ended = guardian.as_ref().map(|g| &g.revivals).filter(|r| r.total > 0);
    Watchdog {
        running: supervisor.is_some(),
        pid: supervisor.as_ref().map(|s| s.pid),
        since: supervisor.as_ref().map(|s| s.since.rfc3339()),
        last_tick: supervisor.as_ref().and_then(|s| s.last_tick).map(|t| t.rfc3339()),
        tick_ms: supervisor.as_ref().and_then(|s| s.tick_ms),
        guardian: guardian.as_ref().map(|g| g.pid),
        restarts: guardian.as_ref().map(|g| g.revivals.total),
        last_end: ended.map(|r| printable(&r.why)),
        last_end_at: ended.map(|r| r.at.rfc3339()),
        next_start: ended.filter(|_| supervisor.is_none()).and_then(|r| r.next).map(|t| t.rfc3339()),
    }
}
