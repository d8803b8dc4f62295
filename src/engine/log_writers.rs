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

/// Looks before one that is still missing is told of again.
const AGAIN: u32 = 10;

/// Before a session's name, as the key of a watch.
const KEY: &str = "log ";

#[derive(Default)]
pub struct LogWriters {
    ended: Arc<Mutex<BTreeSet<String>>>,
    watched: BTreeSet<String>,
    /// Sessions whose last known writer has ended, with the looks that are still to pass before they are told of again:
    /// a successor takes a moment to say who it is, and connecting one may fail.
    missing: BTreeMap<String, u32>,
    any_new: bool,
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

    /// Sessions of which a log writer has ended, and none runs for the present start. To be asked in periodic looks.
    pub fn missing(&mut self, state: &State, paths: &Paths) -> BTreeSet<String> {
        let ended = std::mem::take(&mut *self.ended.lock().unwrap_or_else(PoisonError::into_inner));
        self.any_new = !ended.is_empty();
        for session in ended {
            self.watched.remove(&session);
            self.missing.entry(session).or_insert(0);
        }
        let mut told = BTreeSet::new();
        self.missing.retain(|session, looks| {
            let unit = state.units.get(session).filter(|u| u.pane.is_some());
            let writer = unit.and_then(|u| shims::log_writer(&paths.run_dir(session, u.incarnation)));
            if writer.is_none_or(ProcId::is_alive) {
                return false;
            }
            *looks = match *looks {
                0 => {
                    told.insert(session.clone());
                    AGAIN
                }
                n => n - 1,
            };
            true
        });
        told
    }

    /// The last answer came of another end: who follows is to be watched.
    pub fn is_any_new(&self) -> bool {
        self.any_new
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
