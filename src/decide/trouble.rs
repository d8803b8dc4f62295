//! An error that ended a turn: what helps depends on its class, and the config says what is tried.
//!
//! ```text
//!  error seen in two equal looks ──> told ──pause──> "go on" ──heard, and the same error again──> pause grows
//!        │                                              │                                   └──> fresh session
//!        └─ restart, alert: at once                     └─ no error for a while ──> over
//! ```
use super::{Mind, restart, unit::Spec};
use crate::{
    launch::prompt,
    model::{
        delivery::DeliveryKind,
        event::EventKind,
        policy::Agent,
        reading::{Reading, TRANSCRIPT},
        seen::{ErrorClass, ErrorSeen},
        state::SuspectKind,
        time::human,
        trouble::{Remedy, Trouble, Wave},
    },
};
use std::time::Duration;

/// An error that does not show for so long on a screen at rest is over.
const SETTLED: Duration = Duration::from_secs(15);
/// The same while it works: its own retries may end in the same error.
const SETTLED_AT_WORK: Duration = Duration::from_secs(300);
/// Before a text that still waits for the pane is looked for again.
const RECHECK: Duration = Duration::from_secs(5);
/// A person is told of an error that outlasts so many tries.
const PATIENCE: u32 = 5;
/// Agents that fail alike within this are one incident, from so many on.
const WAVE: Duration = Duration::from_secs(60);
const WAVE_SIZE: usize = 3;

impl Mind<'_> {
    /// Whether the error is on the screen now, and is taken care of here.
    pub(super) fn trouble(&mut self, agent: &Agent, reading: &Reading, active: bool) -> bool {
        let at_rest = !active && reading.waiting.is_none() && reading.limit.is_none() && !reading.blank;
        let Some(error) = reading.error.as_ref().filter(|_| at_rest) else {
            self.unsuspect(&agent.session, SuspectKind::Error);
            self.trouble_gone(agent, reading, active);
            return false;
        };
        let shown = reading.fatal.as_ref().is_none_or(|e| e.source != TRANSCRIPT);
        match self.unit(Spec::Agent(agent)).trouble.clone() {
            Some(trouble) if trouble.class == error.class => {
                self.treat(agent, Trouble { gone: None, ..trouble }, self.remedy(error.class, shown))
            }
            _ if self.confirmed(agent, SuspectKind::Error, reading.screen) => {
                self.troubled(agent, error, self.remedy(error.class, shown))
            }
            _ => {}
        }
        true
    }

    /// What the config orders. An agent's word about itself, alone, ends nothing: it is asked to go on.
    fn remedy(&self, class: ErrorClass, shown: bool) -> Remedy {
        match self.policy.errors.of(class) {
            Remedy::Fresh | Remedy::Restart if !shown => Remedy::Nudge,
            remedy => remedy,
        }
    }

    /// An error stands on its screen, and something is done about it.
    pub(super) fn is_troubled(&self, session: &str) -> bool {
        let trouble = self.state.units.get(session).and_then(|u| u.trouble.as_ref());
        trouble.is_some_and(|t| t.gone.is_none() && self.policy.errors.of(t.class) != Remedy::Alert)
    }

    fn troubled(&mut self, agent: &Agent, error: &ErrorSeen, remedy: Remedy) {
        let (name, session, now) = (&agent.name, &agent.session, self.now);
        let (class, remedies) = (error.class, self.policy.errors.clone());
        let pause = match remedy {
            Remedy::Hold => remedies.probe,
            Remedy::Nudge | Remedy::Fresh => remedies.nudge,
            Remedy::Restart | Remedy::Alert => Duration::ZERO,
        };
        let said = Duration::from_secs(error.retry_after.unwrap_or(0)).min(remedies.nudge_max);
        let wait = restart::jittered(pause.max(said), session, now.boot.0 as u32);
        let text = error.text.clone();
        let data = serde_json::json!({ "class": class.as_str(), "text": text, "retry_after": error.retry_after });
        let then = match remedy {
            Remedy::Hold => format!(
                "held, tried again with growing pauses; `agents attach {name}` shows it, a new login lets it go on"
            ),
            Remedy::Nudge => format!("asked to go on in {}", human(wait)),
            Remedy::Fresh => format!("asked to go on in {}; if it comes again, a fresh session", human(wait)),
            Remedy::Restart => "restarting".into(),
            Remedy::Alert => "left as it is".into(),
        };
        let line = format!("{name} ({session}) stopped at an error ({}): {text} — {then}", class.as_str());
        let calls = matches!(remedy, Remedy::Hold | Remedy::Alert);
        let many = self.joins_wave(name, class);
        self.tell_with(EventKind::Error, Some(name), line, data, calls && !many);
        let until = if remedy == Remedy::Alert { crate::model::time::Boot(u64::MAX) } else { now.after(wait) };
        let unit = self.unit(Spec::Agent(agent));
        unit.sight.idle_since = None;
        unit.trouble = Some(Trouble {
            class,
            text,
            since: now.wall,
            until,
            pause_ms: pause.as_millis() as u64,
            tries: 0,
            gone: None,
        });
        self.wake_by(until);
    }

    /// One incident is one alert. True: it was told, or is told now, for all of them.
    fn joins_wave(&mut self, name: &str, class: ErrorClass) -> bool {
        let now = self.now.boot;
        let last = self.state.fleet.wave.take().filter(|w| w.class == class && now.since(w.last) < WAVE);
        let mut wave = last.unwrap_or(Wave { class, last: now, names: Vec::new(), told: false });
        wave.last = now;
        if !wave.names.iter().any(|n| n == name) {
            wave.names.push(name.to_owned());
        }
        let many = wave.names.len() >= WAVE_SIZE;
        if many && !wave.told {
            wave.told = true;
            let text = format!(
                "{} agents fail alike ({}): {} — one incident, each is tried again by itself",
                wave.names.len(),
                class.as_str(),
                wave.names.join(", ")
            );
            self.alert(EventKind::Error, None, text);
        }
        self.state.fleet.wave = Some(wave);
        many
    }

    /// The next step for an error that is on the screen.
    fn treat(&mut self, agent: &Agent, mut trouble: Trouble, remedy: Remedy) {
        let (spec, session, now) = (Spec::Agent(agent), &agent.session, self.now);
        let remedies = self.policy.errors.clone();
        let given_up = remedy == Remedy::Fresh && trouble.tries > 0;
        if now.boot >= trouble.until && (self.has_text(session, DeliveryKind::GoOn) || self.is_taking_up(session)) {
            trouble.until = now.after(RECHECK);
        } else if now.boot >= trouble.until && (given_up || remedy == Remedy::Restart) {
            // Tried again where the restart is put off (its budget, a storm, a prompt that cannot be read).
            trouble.until = now.after(Duration::from_millis(trouble.pause_ms).max(RECHECK));
            self.unit(spec).trouble = Some(trouble.clone());
            return self.start_afresh(agent, &trouble, given_up);
        } else if now.boot >= trouble.until && remedy != Remedy::Alert {
            let (factor, longest) = match remedy {
                Remedy::Hold => (200, remedies.probe_max),
                // A pause is at most half as long as the error has lasted.
                _ => (150, remedies.nudge_max),
            };
            let key = self.submit_key(spec);
            let text = self.with_forgotten(session, prompt::after_error());
            self.queue_text(session, DeliveryKind::GoOn, text, key, None, now.boot);
            let pause = (Duration::from_millis(trouble.pause_ms) * factor / 100).min(longest);
            trouble.pause_ms = pause.as_millis() as u64;
            trouble.until = now.after(restart::jittered(pause, session, now.boot.0 as u32));
        }
        self.wake_by(trouble.until);
        self.unit(spec).trouble = Some(trouble);
    }

    fn start_afresh(&mut self, agent: &Agent, trouble: &Trouble, given_up: bool) {
        let (name, session, class) = (&agent.name, &agent.session, trouble.class.as_str());
        let spec = Spec::Agent(agent);
        if given_up {
            self.unit(spec).fresh = Some(trouble.class);
            let text = format!("{name} ({session}) cannot go on with its conversation ({class}) — a fresh session");
            self.restart_live(spec, EventKind::FreshSession, &text, true);
        } else {
            let text = format!("FATAL session-state error on {name} ({session}) — kill + restart");
            self.restart_live(spec, EventKind::Fatal, &text, true);
        }
    }

    /// It was asked to go on, and provably heard it.
    pub(super) fn went_on(&mut self, session: &str) {
        let Some(unit) = self.state.units.get_mut(session) else { return };
        let name = unit.name.clone();
        let Some(trouble) = unit.trouble.as_mut() else { return };
        trouble.tries += 1;
        let (tries, class) = (trouble.tries, trouble.class.as_str());
        let told = self.policy.errors.of(trouble.class) == Remedy::Hold;
        if tries == PATIENCE && !told {
            let text =
                format!("{name} ({session}) is still at its error ({class}) after {tries} tries: {}", trouble.text);
            self.alert(EventKind::Error, Some(&name), text);
        }
    }

    fn trouble_gone(&mut self, agent: &Agent, reading: &Reading, active: bool) {
        let (spec, now) = (Spec::Agent(agent), self.now);
        let Some(mut trouble) = self.unit(spec).trouble.clone() else { return };
        if reading.blank {
            return;
        }
        // What was to be typed for it has no reason any more.
        self.drop_queued(&agent.session, DeliveryKind::GoOn, "the error is gone");
        let first = *trouble.gone.get_or_insert(now.boot);
        let settled = if active { SETTLED_AT_WORK } else { SETTLED };
        let asked = self.has_text(&agent.session, DeliveryKind::GoOn);
        if now.boot.since(first) < settled || asked {
            self.wake_by(first.after(settled).max(now.after(RECHECK)));
            self.unit(spec).trouble = Some(trouble);
            return;
        }
        let unit = self.unit(spec);
        (unit.trouble, unit.fresh) = (None, None);
        let (name, class) = (&agent.name, trouble.class.as_str());
        let lasted = Duration::from_millis((now.wall.0 - trouble.since.0).max(0) as u64);
        let data = serde_json::json!({ "class": class, "since": trouble.since.rfc3339(), "tries": trouble.tries });
        let text = format!("{name} is past its error ({class}) after {}, asked {} times", human(lasted), trouble.tries);
        self.tell_with(EventKind::ErrorOver, Some(name), text, data, false);
    }
}
