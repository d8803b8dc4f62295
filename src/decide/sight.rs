//! What one look at a watched agent's screen leads to: heal, hold, stall.
use super::{Mind, looks::SECOND_LOOK, unit::Spec};
use crate::model::{
    event::EventKind,
    policy::{Agent, Watch},
    reading::Reading,
    state::{Life, Seen, Suspect, SuspectKind, UnitState, Wish},
    time::human,
};
use std::time::Duration;

/// A suspicion whose screens keep differing is dropped until the next pass.
const MAX_TRIES: u32 = 5;
/// A screen that no rule knows is told after this.
const UNKNOWN: Duration = Duration::from_secs(600);

impl Mind<'_> {
    /// A hold or a suspicion is for those who are looked after; nobody else would ever lift it.
    pub(super) fn unwatched(&mut self) {
        let policy = self.policy;
        for unit in self.state.units.values_mut().filter(|u| is_watched_for_something(u)) {
            if !policy.watched().any(|a| a.session == unit.session) {
                unit.hold = None;
                unit.trouble = None;
                unit.answering = None;
                unit.sight.suspect = None;
                (unit.sight.nudged, unit.sight.spin) = (None, None);
                (unit.sight.tree, unit.sight.tree_due, unit.sight.quiet_work) = (None, None, None);
            }
        }
    }

    pub(super) fn watch(&mut self, agent: &Agent, heavy: bool) {
        let spec = Spec::Agent(agent);
        let obs = self.obs;
        let Life::Running { since } = self.life(&agent.session) else { return };
        if self.unit(spec).wish == Wish::Pause {
            return;
        }
        if heavy || self.is_suspected(&agent.session, SuspectKind::Mismatch) {
            self.mismatch(agent);
        }
        let Some(reading) = obs.readings.get(&agent.session) else { return };
        if !matches!(self.life(&agent.session), Life::Running { .. }) {
            return;
        }
        let active = self.is_active(agent, reading);
        self.dialog(agent, reading);
        self.see(agent, reading, active);
        self.limit(agent, reading);
        let held = self.unit(spec).hold.is_some();
        let rests = held || self.unit(spec).account_hold.is_some() || reading.unknown;
        if held {
            self.unsuspect(&agent.session, SuspectKind::Fatal);
        }
        let troubled = !held && self.trouble(agent, reading, active);
        if (heavy || self.is_suspected(&agent.session, SuspectKind::Fatal)) && !held && !troubled {
            self.fatal(agent, reading, active);
        }
        if !matches!(self.life(&agent.session), Life::Running { .. }) {
            return;
        }
        let started = self.now.boot.since(since) >= self.policy.watchdog.start_grace;
        let waits = reading.waiting.as_ref().is_some_and(|e| !e.quoted);
        let spins = reading.active.is_some() && started && !rests && !waits && !self.is_typing(&agent.session);
        if self.nobody_looked() {
            self.looks_again(agent);
        }
        self.hang(agent, reading, spins);
        if !matches!(self.life(&agent.session), Life::Running { .. }) {
            return;
        }
        if agent.watch == Watch::HealStall {
            self.stall(agent, reading, active, rests || self.is_troubled(&agent.session), started);
        } else {
            self.stands_no_more(agent);
            let now = self.now.boot;
            if active {
                self.unit(spec).sight.idle_since = None;
            } else if started {
                self.unit(spec).sight.idle_since.get_or_insert(now);
            }
        }
    }

    /// Activity by the pane, and for a `footer_ui` also by a log that grew lately.
    fn is_active(&self, agent: &Agent, reading: &Reading) -> bool {
        let reader = &agent.backend.reader;
        let written = self.obs.files.log_written.get(&agent.session);
        let log =
            reader.footer_ui && written.is_some_and(|at| self.now.wall.0 - at.0 <= reader.log_grace.as_millis() as i64);
        reading.active.is_some() || log
    }

    /// Keeps the state that people are shown; tells of a dialog at once, and once.
    fn see(&mut self, agent: &Agent, reading: &Reading, active: bool) {
        let spec = Spec::Agent(agent);
        let unquoted = |e: &&crate::model::reading::Evidence| !e.quoted;
        let limit = reading.limit.as_ref().filter(unquoted).filter(|_| reading.active.is_none());
        let fatal = reading.fatal.as_ref().filter(unquoted).filter(|_| !active);
        let waiting = reading.waiting.as_ref().filter(unquoted);
        let (state, evidence) = if let Some(e) = waiting {
            (Seen::Waiting, Some(e))
        } else if let Some(e) = limit {
            (Seen::Limited, Some(e))
        } else if let Some(e) = fatal {
            (Seen::Fatal, Some(e))
        } else if active {
            (Seen::Working, reading.active.as_ref())
        } else if reading.unknown {
            (Seen::Unknown, None)
        } else {
            (Seen::Idle, reading.background.as_ref())
        };
        let wall = self.now.wall;
        let unit = self.unit(spec);
        if unit.sight.state != state {
            unit.sight.state = state;
            unit.since = wall;
        }
        let evidence: Vec<_> = evidence.cloned().into_iter().collect();
        if unit.sight.evidence != evidence {
            unit.sight.evidence = evidence;
        }
        unit.sight.waiting_until = reading.waiting_until;
        self.unknown_screen(agent, state == Seen::Unknown);
        match waiting {
            Some(_) if self.is_answering(&agent.session) => {}
            Some(e) => {
                let asks = e.text.clone();
                if self.unit(spec).alerted.insert("waiting".into()) {
                    let why = self.gave_up_answering(&agent.session).map(|why| format!(" ({why})")).unwrap_or_default();
                    let text = format!("{} ({}) waits for a person: {asks}{why}", agent.name, agent.session);
                    let data = serde_json::json!({ "asked": asks });
                    self.tell_with(EventKind::Waiting, Some(&agent.name), text, data, true);
                }
            }
            None => {
                self.unit(spec).alerted.remove("waiting");
            }
        }
    }

    /// Nothing is typed into a screen that nobody can name, and nobody is ended for it; a person is told in time.
    fn unknown_screen(&mut self, agent: &Agent, unknown: bool) {
        let now = self.now;
        let unit = self.unit(Spec::Agent(agent));
        if !unknown {
            unit.alerted.remove("unknown");
            return;
        }
        let told_at = now.boot_at(unit.since.after(UNKNOWN));
        if now.boot < told_at {
            return self.wake_by(told_at);
        }
        if unit.alerted.insert("unknown".into()) {
            let (name, session) = (&agent.name, &agent.session);
            let text = format!(
                "{name} ({session}) has shown a screen for {} that no rule knows: nothing is typed into it; \
                 `agents attach {name}` shows it",
                human(UNKNOWN)
            );
            self.alert(EventKind::UnknownScreen, Some(name), text);
        }
    }

    /// Another backend's program runs where this one's should.
    fn mismatch(&mut self, agent: &Agent) {
        let started_with = self.unit(Spec::Agent(agent)).started_with.clone();
        let Some(expected) = self.policy.backend_of(agent, started_with.as_deref()).process_name.clone() else {
            return self.unsuspect(&agent.session, SuspectKind::Mismatch);
        };
        let Some(command) = self.obs.panes.get(&agent.session).map(|p| p.command.clone()) else { return };
        let another = command != expected && self.policy.process_names().any(|p| p == command);
        let screen = hash_of(&command);
        if !another {
            return self.unsuspect(&agent.session, SuspectKind::Mismatch);
        }
        if self.confirmed(agent, SuspectKind::Mismatch, screen) {
            let text =
                format!("{} ({}) is '{command}', expected {expected} — kill + restart", agent.name, agent.session);
            self.restart_live(Spec::Agent(agent), EventKind::Mismatch, &text, true);
        }
    }

    fn fatal(&mut self, agent: &Agent, reading: &Reading, active: bool) {
        let real = reading.fatal.as_ref().is_some_and(|e| !e.quoted) && reading.error.is_none() && !active;
        if !real {
            return self.unsuspect(&agent.session, SuspectKind::Fatal);
        }
        if self.confirmed(agent, SuspectKind::Fatal, reading.screen) {
            let text = format!("FATAL session-state error on {} ({}) — kill + restart", agent.name, agent.session);
            self.restart_live(Spec::Agent(agent), EventKind::Fatal, &text, true);
        }
    }

    pub(super) fn is_suspected(&self, session: &str, what: SuspectKind) -> bool {
        self.state.units.get(session).and_then(|u| u.sight.suspect.as_ref()).is_some_and(|s| s.what == what)
    }

    pub(super) fn unsuspect(&mut self, session: &str, what: SuspectKind) {
        if self.is_suspected(session, what)
            && let Some(unit) = self.state.units.get_mut(session)
        {
            unit.sight.suspect = None;
        }
    }

    /// Ending a live program needs two equal looks, [`SECOND_LOOK`] apart. The first call asks for the second look.
    pub(super) fn confirmed(&mut self, agent: &Agent, what: SuspectKind, screen: u64) -> bool {
        let now = self.now.boot;
        let unit = self.unit(Spec::Agent(agent));
        let old = unit.sight.suspect.clone().filter(|s| s.what == what);
        match old {
            Some(s) if s.screen == screen => {
                if now.since(s.at) >= super::looks::REST {
                    unit.sight.suspect = None;
                    return true;
                }
                self.wake_by(s.at.after(SECOND_LOOK));
            }
            Some(s) if s.tries >= MAX_TRIES => unit.sight.suspect = None,
            other => {
                let tries = other.map_or(0, |s| s.tries + 1);
                unit.sight.suspect = Some(Suspect { what, screen, at: now, tries });
                self.wake_by(now.after(SECOND_LOOK));
            }
        }
        false
    }
}

fn is_watched_for_something(unit: &UnitState) -> bool {
    unit.hold.is_some()
        || unit.trouble.is_some()
        || unit.answering.is_some()
        || unit.sight.suspect.is_some()
        || unit.sight.tree_due.is_some()
        || unit.sight.nudged.is_some()
}

fn hash_of(text: &str) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
