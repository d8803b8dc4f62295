//! What comes after a death: done, stopped, restarted by G1 and G2, or given up.
use super::{
    Mind,
    restart::{self, Verdict},
    unit::Spec,
};
use crate::model::{
    event::EventKind,
    observation::ExitRecord,
    state::{Life, Sight, Wish},
    time::human,
};
use std::time::Duration;

impl Mind<'_> {
    /// A unit is dead: what comes next.
    pub(super) fn died(&mut self, spec: Spec, exit: Option<ExitRecord>, how: &str) {
        let (name, session) = (spec.name(), spec.session());
        let reason = describe(exit.as_ref(), how);
        if self.is_kept_alive(spec) {
            self.lost_with(session, "the program ended");
        }
        self.close_texts(session, "the program ended");
        self.clear_leftover(session);
        let code = exit.as_ref().and_then(|e| e.code);
        let unit = self.unit(spec);
        unit.pane = None;
        unit.last_exit = exit;
        unit.sight = Sight::default();
        let wish = unit.wish;
        if self.is_one_shot(spec) && code == Some(0) {
            self.set_life(session, Life::Done, "ended with 0");
            self.nobody_for_texts(session, "the program ended");
            self.unit(spec).wish = Wish::None;
            self.tell(EventKind::Done, Some(name), format!("{name} ({session}) done"));
        } else if wish == Wish::Stop || !self.is_kept_alive(spec) {
            self.set_life(session, Life::Absent, &reason);
            self.nobody_for_texts(session, "the program ended");
            self.tell(EventKind::Exited, Some(name), format!("{name} ({session}) {reason}"));
        } else {
            self.restart_dead(spec, &reason);
        }
    }

    /// Restarts by G1 and G2, within the fleet's own limit.
    fn restart_dead(&mut self, spec: Spec, reason: &str) {
        let (name, session) = (spec.name(), spec.session());
        let rules = &self.policy.watchdog;
        let past = self.unit(spec).restarts.clone();
        match restart::verdict(&past, rules, session, self.now) {
            Verdict::After(delay) => {
                self.because(session, reason);
                let delay = delay.max(self.storm_pause());
                if delay.is_zero() {
                    self.tell(EventKind::Gone, Some(name), format!("{name} ({session}) gone — restarting ({reason})"));
                    self.start(spec, true);
                } else {
                    let until = self.now.after(delay);
                    let text =
                        format!("{name} ({session}) gone — restarting in {:.1}s ({reason})", delay.as_secs_f64());
                    self.tell(EventKind::Backoff, Some(name), text);
                    self.set_life(session, Life::Backoff { until, room: None }, reason);
                    self.wake_by(until);
                }
            }
            verdict => {
                let retry = (!rules.gave_up_retry.is_zero()).then(|| self.now.after(rules.gave_up_retry));
                let burst = rules.restart_burst;
                self.set_life(session, Life::GaveUp { retry }, reason);
                if retry.is_none() {
                    self.nobody_for_texts(session, "the program was restarted too often");
                }
                self.unit(spec).restarts.gave_up = true;
                let then = match retry {
                    Some(_) => format!("one try every {}", human(self.policy.watchdog.gave_up_retry)),
                    None => "no more tries".into(),
                };
                let text = format!(
                    "{name} ({session}) gave up after {burst} restarts ({reason}) — {then}; `agents up {name}` starts it now"
                );
                if verdict == Verdict::GiveUp && self.unit(spec).alerted.insert("gave-up".into()) {
                    self.alert(EventKind::GaveUp, Some(name), text);
                } else {
                    self.tell(EventKind::GaveUp, Some(name), text);
                }
            }
        }
    }

    /// How long every restart waits while too many happened in the last minute.
    pub(super) fn storm_pause(&mut self) -> Duration {
        const MINUTE: Duration = Duration::from_secs(60);
        let now = self.now;
        let limit = self.policy.watchdog.storm_limit as usize;
        let fleet = &mut self.state.fleet;
        fleet.recent_restarts.retain(|at| now.boot.since(*at) < MINUTE);
        if limit > 0 && fleet.recent_restarts.len() >= limit && fleet.storm_until.is_none_or(|until| until <= now.boot)
        {
            fleet.storm_until = Some(now.after(MINUTE));
            let text = format!("{limit} restarts within a minute — restarts pause for a minute");
            self.alert(EventKind::Storm, None, text);
        }
        self.state.fleet.storm_until.map_or(Duration::ZERO, |until| until.since(now.boot))
    }

    /// A start that could not happen counts like a death.
    pub(super) fn start_failed(&mut self, session: &str, error: &str) {
        let Some(spec) = self.spec(session) else { return };
        self.close_texts(session, "the program could not be started");
        if self.is_kept_alive(spec) {
            self.restart_dead(spec, error);
        } else {
            self.set_life(session, Life::Absent, format!("could not be started: {error}"));
            self.nobody_for_texts(session, "the program could not be started");
        }
    }
}

/// How it ended, for people: `exit code 1`, `signal 9`, …
fn describe(exit: Option<&ExitRecord>, how: &str) -> String {
    match exit {
        Some(ExitRecord { error: Some(error), .. }) => error.clone(),
        Some(ExitRecord { signal: Some(signal), .. }) => format!("signal {signal}"),
        Some(ExitRecord { code: Some(127), .. }) => "exit code 127: command not found".into(),
        Some(ExitRecord { code: Some(code), .. }) => format!("exit code {code}"),
        _ => how.to_owned(),
    }
}
