//! The processes that write the panes' logs. tmux does not notice that one was killed before its pane prints again, and
//! then nobody would ask: who is watched is missed at once.
use super::{paths::Paths, shims};
use crate::{
    model::state::{State, UnitState},
    world::process::{ExitWatcher, ProcId},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

/// Before a session's name, as the key of a watch.
const KEY: &str = "log ";

#[derive(Default)]
pub struct LogWriters {
    ended: Arc<Mutex<BTreeSet<String>>>,
    watched: BTreeSet<String>,
    /// The last one of each session that was told of.
    told: BTreeMap<String, ProcId>,
}

impl LogWriters {
    /// For the watcher's thread: takes a key that is one of ours. Nobody is woken for it: with their pane they all end.
    pub fn listener(&self) -> impl Fn(&str) -> bool + Send + 'static {
        let ended = self.ended.clone();
        move |key| {
            let Some(session) = key.strip_prefix(KEY) else { return false };
            ended.lock().unwrap_or_else(PoisonError::into_inner).insert(session.to_owned());
            true
        }
    }

    /// Sessions of which a log writer has ended since the last call, and none runs for the present start.
    pub fn take_ended(&mut self, state: &State, paths: &Paths) -> BTreeSet<String> {
        let mut ended = std::mem::take(&mut *self.ended.lock().unwrap_or_else(PoisonError::into_inner));
        for session in &ended {
            self.watched.remove(session);
        }
        ended.retain(|session| {
            let unit = state.units.get(session).filter(|u| u.pane.is_some());
            let writer = unit.and_then(|u| shims::log_writer(&paths.run_dir(session, u.incarnation)));
            // Its successor takes a moment to say who it is.
            writer.is_some_and(|w| !w.is_alive() && self.told.insert(session.clone(), w) != Some(w))
        });
        ended
    }

    /// Watches the writers of all panes that have one.
    pub fn watch(&mut self, watcher: &ExitWatcher, state: &State, paths: &Paths) {
        let ours = |u: &&UnitState| u.pane.as_ref().is_some_and(|p| p.piped && p.incarnation == Some(u.incarnation));
        for unit in state.units.values().filter(ours) {
            if self.watched.contains(&unit.session) {
                continue;
            }
            let Some(writer) = shims::log_writer(&paths.run_dir(&unit.session, unit.incarnation)) else { continue };
            if watcher.watch(&format!("{KEY}{}", unit.session), writer) {
                self.watched.insert(unit.session.clone());
            } else {
                // It ended before we came.
                self.ended.lock().unwrap_or_else(PoisonError::into_inner).insert(unit.session.clone());
            }
        }
    }
}
