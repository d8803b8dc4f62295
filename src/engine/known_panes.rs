//! The panes of the last look: as long as nothing happened, a short look brings them up to date, or none.
use super::grown_logs::{GrownLogs, Told};
use crate::{
    model::{
        observation::{Observation, PaneObs},
        state::{Life, State, UnitState},
        time::Now,
    },
    world::tmux::{Client, Extent, PaneRow, TmuxError},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

pub struct KnownPanes {
    rows: Option<Vec<PaneRow>>,
    /// What the last look made of the rows.
    seen: Option<Seen>,
    logs: GrownLogs,
    /// Sessions that printed since the last look, if the logs are believed.
    grown: BTreeSet<String>,
    /// Somebody printed since tmux was last asked for more than that.
    printed: bool,
    news: Arc<AtomicBool>,
}

/// Panes by session, and the names of all sessions.
pub type Seen = (BTreeMap<String, PaneObs>, BTreeSet<String>);

/// How much of the panes tmux is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Every field of every pane.
    Whole,
    /// What may have changed of panes that are known: [`Client::glance`].
    Short(Extent),
    /// Nothing: only whether the server answers. The logs tell who printed.
    Known,
}

/// What a look gave.
pub enum Listed {
    Rows(Vec<PaneRow>),
    /// What the last one gave: see [`KnownPanes::seen`].
    Same,
}

impl KnownPanes {
    pub fn new(log_dir: &Path) -> KnownPanes {
        KnownPanes {
            rows: None,
            seen: None,
            logs: GrownLogs::new(log_dir),
            grown: BTreeSet::new(),
            printed: false,
            news: Arc::default(),
        }
    }

    /// To be called, on any thread, when panes may have come or gone.
    pub fn herald(&self) -> impl Fn() + Send + Sync + 'static {
        let news = self.news.clone();
        move || news.store(true, Ordering::Release)
    }

    /// The next look is a whole one.
    pub fn forget(&mut self) {
        self.rows = None;
        self.seen = None;
    }

    /// A short look is enough while nothing happened or is under way for which a pane's session matters. What changes
    /// without any output is looked at with every heavy pass, or when the logs have been believed for long enough.
    pub fn depth(&mut self, obs: &Observation, state: &State, exited: &BTreeSet<String>, now: Now) -> Depth {
        let happened = self.news.swap(false, Ordering::AcqRel)
            || !exited.is_empty()
            || !obs.requests.is_empty()
            || !obs.logless.is_empty()
            || obs.config.is_some();
        let moving = |unit: &UnitState| {
            matches!(unit.life, Life::Starting { .. } | Life::Ending { .. })
                || unit.sight.suspect.is_some()
                || unit.leftover.as_ref().is_some_and(|l| l.rest.is_some())
        };
        let heavy = state.fleet.next_heavy.is_none_or(|at| at <= now.boot);
        let told = self.logs.ask(state);
        let depth = if happened
            || !obs.supervised
            || state.units.values().any(moving)
            || state.deliveries.values().any(|d| !d.stage.is_over())
        {
            Depth::Whole
        } else {
            match told {
                Told::Grown(grown) if !obs.store_failing && (!heavy || (grown.is_empty() && !self.printed)) => {
                    self.printed |= !grown.is_empty();
                    self.grown.extend(grown);
                    return Depth::Known;
                }
                Told::Nothing if !heavy => Depth::Short(Extent::Output),
                _ => Depth::Short(Extent::Changeable),
            }
        };
        self.logs.asked();
        self.printed &= depth == Depth::Short(Extent::Output);
        depth
    }

    /// Every pane of the server.
    pub fn look(&mut self, client: &mut Client, depth: Depth) -> Result<Listed, TmuxError> {
        if depth == Depth::Known && self.rows.is_some() && self.seen.is_some() {
            let server = client.server_pid();
            client.is_alive()?;
            if !self.news.load(Ordering::Acquire) && client.server_pid() == server {
                return Ok(Listed::Same);
            }
        }
        self.seen = None;
        self.grown.clear();
        if let (Depth::Short(extent), Some(mut rows)) = (depth, self.rows.take())
            && client.glance(&mut rows, extent)?
        {
            return Ok(Listed::Rows(rows));
        }
        client.list().map(Listed::Rows)
    }

    /// For the next look.
    pub fn keep(&mut self, rows: Vec<PaneRow>) {
        self.rows = Some(rows);
    }

    pub fn keep_seen(&mut self, seen: Seen) {
        self.seen = Some(seen);
    }

    /// Those that printed have been active just `now`.
    pub fn seen(&mut self, now: Now) -> Seen {
        let mut seen = self.seen.take().unwrap_or_default();
        for session in std::mem::take(&mut self.grown) {
            if let Some(pane) = seen.0.get_mut(&session) {
                pane.activity = now.wall.0.div_euclid(1000);
            }
        }
        seen
    }
}
