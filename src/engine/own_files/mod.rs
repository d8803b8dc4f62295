//! The agents' own session files, followed by a thread of its own: which file is whose is found out now and then, what
//! was appended is read when an agent printed something, or often while one of our texts is on its way to it.
//!
//! The engine never waits for it: it gives the thread its questions, and takes what was found so far at its next look.
mod reader;
mod told;

use super::{paths::Paths, wakeup::Wakeup};
use crate::{
    decide::arrivals,
    model::{
        delivery::{Delivery, Stage},
        observation::Observation,
        own::OwnObs,
        policy::{Agent, Policy},
        state::{Life, State, UnitState},
        time::{Boot, Now, Wall},
        transcript::Program,
    },
    transcripts::corroborate,
    world::{mishap, process::ProcId},
};
use reader::Reader;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Sender, SyncSender, TrySendError, sync_channel},
    },
};

type Found = Arc<Mutex<BTreeMap<String, OwnObs>>>;

/// The engine's end.
pub struct OwnFiles {
    paths: Paths,
    sender: Sender<Wakeup>,
    thread: Option<SyncSender<Ask>>,
    /// It was busy.
    pending: Option<Ask>,
    is_given_up: bool,
    found: Found,
    /// Agents whose files can be read, for the policy of which they were picked.
    readable: Vec<(String, Program, bool)>,
    picked_for: Option<Arc<Policy>>,
    asked: Vec<Seat>,
    /// Texts that were typed, with the moment when.
    wanted: Vec<Wanted>,
}

/// One program that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seat {
    session: String,
    incarnation: u64,
    started_with: Option<String>,
    root: ProcId,
    started: Option<Wall>,
}

/// A text that may stand in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Wanted {
    session: String,
    id: i64,
    text: String,
    typed: Boot,
    /// The same by the wall clock, when it was asked for first.
    since: Wall,
}

struct Ask {
    policy: Arc<Policy>,
    seats: Vec<Seat>,
    wanted: Vec<Wanted>,
    /// Sessions that may have something new.
    grown: BTreeSet<String>,
}

impl OwnFiles {
    pub fn new(paths: &Paths, sender: Sender<Wakeup>) -> OwnFiles {
        OwnFiles {
            paths: paths.clone(),
            sender,
            thread: None,
            pending: None,
            is_given_up: false,
            found: Found::default(),
            readable: Vec::new(),
            picked_for: None,
            asked: Vec::new(),
            wanted: Vec::new(),
        }
    }

    /// What was found so far goes into the observation and, where it says more, into its readings.
    pub fn tell(&mut self, obs: &mut Observation, policy: &Arc<Policy>) {
        if !self.is_any(policy) {
            return;
        }
        obs.own = self.found.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (session, program, has_preset) in &self.readable {
            let (Some(own), Some(reading)) = (obs.own.get(session), obs.readings.get_mut(session)) else { continue };
            // Without a preset a config means what it says, and no more.
            let started = obs.panes.get(session).and_then(|p| p.started).filter(|_| *has_preset);
            if let Some(started) = started
                && corroborate::has_more(reading, own, started)
            {
                corroborate::add(Arc::make_mut(reading), own, *program);
            }
        }
    }

    /// Whose screens were read: their files may have something new, too.
    pub fn grown(&self, obs: &Observation) -> BTreeSet<String> {
        let all = self.readable.iter().map(|(session, ..)| session);
        all.filter(|session| obs.readings.contains_key(*session)).cloned().collect()
    }

    /// After the decision: what the next one should know. Gives words if the thread has a fault.
    pub fn ask(
        &mut self,
        state: &State,
        policy: &Arc<Policy>,
        mut grown: BTreeSet<String>,
        now: Now,
    ) -> Option<String> {
        if !self.is_any(policy) {
            return None;
        }
        let seats: Vec<Seat> =
            self.readable.iter().filter_map(|(session, ..)| seat(state.units.get(session)?)).collect();
        let wanted = self.wanted_now(state, now);
        grown.retain(|session| seats.iter().any(|seat| seat.session == *session));
        let same = wanted.is_empty() && self.wanted.is_empty() && grown.is_empty() && seats == self.asked;
        if same && self.pending.is_none() {
            return None;
        }
        (self.asked, self.wanted) = (seats.clone(), wanted.clone());
        grown.extend(self.pending.take().into_iter().flat_map(|ask| ask.grown));
        self.send(Ask { policy: policy.clone(), seats, wanted, grown })
    }

    /// Texts that were typed, or given up of late, with the moment since when they may stand in a file.
    fn wanted_now(&self, state: &State, now: Now) -> Vec<Wanted> {
        let mine = |d: &&Delivery| self.readable.iter().any(|(session, ..)| *session == d.session);
        let before = |d: &Delivery| self.wanted.iter().find(|w| w.id == d.id);
        let wanted = |d: &Delivery| {
            let (typed, since) = match typed(d) {
                // As it was told first: the wall clock may be set in between.
                Some(typed) => match before(d).filter(|w| w.typed == typed) {
                    Some(known) => (typed, known.since),
                    None => (typed, now.wall_at(typed)),
                },
                None => before(d).filter(|_| is_doubtful(d, now)).map(|w| (w.typed, w.since))?,
            };
            Some(Wanted { session: d.session.clone(), id: d.id, text: d.text.clone(), typed, since })
        };
        let all: Vec<Wanted> = state.deliveries.values().filter(mine).filter_map(wanted).collect();
        // The same words, typed once more: nobody can tell any longer which of the two a row is.
        let again = |w: &Wanted| {
            all.iter().any(|o| o.session == w.session && o.id != w.id && o.typed > w.typed && same_words(o, w))
        };
        all.iter().filter(|w| !again(w)).cloned().collect()
    }

    /// The thread takes the newest question when it has time; no tick waits for that.
    fn send(&mut self, ask: Ask) -> Option<String> {
        if self.thread.is_none() {
            self.spawn();
        }
        let Some(thread) = &self.thread else { return None };
        match thread.try_send(ask) {
            Ok(()) => None,
            Err(TrySendError::Full(ask)) => {
                self.pending = Some(ask);
                None
            }
            Err(TrySendError::Disconnected(_)) if self.is_given_up => None,
            Err(TrySendError::Disconnected(_)) => {
                // What it found last is of no time that anybody knows.
                self.found.lock().unwrap_or_else(PoisonError::into_inner).clear();
                self.is_given_up = true;
                Some("this program has a fault: session files and hooks of the agents are not followed any more".into())
            }
        }
    }

    fn spawn(&mut self) {
        let (thread, questions) = sync_channel(1);
        let mut reader = Reader::new(&self.paths, &self.found, &self.sender);
        let work = move || drop(mishap::caught(|| reader.follow(&questions)));
        let spawned = std::thread::Builder::new().name("own-files".into()).stack_size(512 * 1024).spawn(work);
        self.thread = spawned.ok().map(|_| thread);
    }

    fn is_any(&mut self, policy: &Arc<Policy>) -> bool {
        if !self.picked_for.as_ref().is_some_and(|p| Arc::ptr_eq(p, policy)) {
            let readable = |agent: &Agent| {
                let reader = &agent.backend.reader;
                let program = Program::of(reader.preset.as_deref(), &agent.backend.bin)?;
                Some((agent.session.clone(), program, reader.preset.is_some()))
            };
            self.readable = policy.agents.iter().filter_map(readable).collect();
            self.picked_for = Some(policy.clone());
        }
        !self.readable.is_empty()
    }
}

fn seat(unit: &UnitState) -> Option<Seat> {
    let pane = unit.pane.as_ref().filter(|p| !p.dead && p.pid_start > 0)?;
    matches!(unit.life, Life::Running { .. }).then(|| Seat {
        session: unit.session.clone(),
        incarnation: unit.incarnation,
        started_with: unit.started_with.clone(),
        root: ProcId { pid: pane.pid, start: pane.pid_start },
        started: pane.started,
    })
}

/// When it was typed, or pressed first. The same words may have been said before that.
fn typed(d: &Delivery) -> Option<Boot> {
    match d.stage {
        Stage::Typing { since, .. } | Stage::Submitting { since, .. } => Some(since),
        _ => None,
    }
}

fn same_words(one: &Wanted, other: &Wanted) -> bool {
    one.text.trim() == other.text.trim()
}

fn is_doubtful(d: &Delivery, now: Now) -> bool {
    match &d.stage {
        Stage::Undelivered { at, .. } | Stage::Unknown { at, .. } => arrivals::is_fresh(*at, now.wall),
        _ => false,
    }
}
