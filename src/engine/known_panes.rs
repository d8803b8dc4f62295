//! The panes of the last look: as long as nothing happened, a short look brings them up to date.
use crate::{
    model::{
        observation::Observation,
        state::{Life, State, UnitState},
        time::Now,
    },
    world::tmux::{Client, PaneRow, TmuxError},
};
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

#[derive(Default)]
pub struct KnownPanes {
    rows: Option<Vec<PaneRow>>,
    news: Arc<AtomicBool>,
}

impl KnownPanes {
    /// To be called, on any thread, when panes may have come or gone.
    pub fn herald(&self) -> impl Fn() + Send + Sync + 'static {
        let news = self.news.clone();
        move || news.store(true, Ordering::Release)
    }

    pub fn forget(&mut self) {
        self.rows = None;
    }

    /// Whether nothing happened or is under way for which a pane's command, mode or session matters. They are looked at
    /// again with every heavy pass.
    pub fn are_enough(&self, obs: &Observation, state: &State, exited: &BTreeSet<String>, now: Now) -> bool {
        let happened = self.news.swap(false, Ordering::AcqRel) || !exited.is_empty() || !obs.requests.is_empty();
        let moving = |unit: &UnitState| {
            matches!(unit.life, Life::Starting { .. } | Life::Ending { .. }) || unit.sight.suspect.is_some()
        };
        !happened
            && obs.supervised
            && state.fleet.next_heavy.is_some_and(|at| at > now.boot)
            && !state.units.values().any(moving)
            && state.deliveries.values().all(|d| d.stage.is_over())
    }

    /// Every pane of the server; `short`: see [`Client::glance`].
    pub fn look(&mut self, client: &mut Client, short: bool) -> Result<Vec<PaneRow>, TmuxError> {
        if let Some(mut rows) = self.rows.take().filter(|_| short)
            && client.glance(&mut rows)?
        {
            return Ok(rows);
        }
        client.list()
    }

    /// For the next look.
    pub fn keep(&mut self, rows: Vec<PaneRow>) {
        self.rows = Some(rows);
    }
}
