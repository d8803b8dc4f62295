//! Starting, dying, ending: one pass over every unit.
use super::{
    Mind,
    restart::{self, Verdict},
    unit::Spec,
};
use crate::{
    launch::prompt,
    model::{
        action::Action,
        delivery::{Delivery, DeliveryKind, Stage},
        event::EventKind,
        observation::{ExitRecord, PaneObs, ServerObs},
        state::{AfterEnd, Life, Seen, Sight, Wish},
        time::human,
    },
};
use std::time::Duration;

/// A launch that nobody saw by then has failed.
const START_DEADLINE: Duration = Duration::from_secs(15);
/// Beyond the stop grace, before the rest is killed from outside.
const END_MARGIN: Duration = Duration::from_secs(3);

impl Mind<'_> {
    pub(super) fn lifecycles(&mut self) {
        let specs: Vec<_> = self.specs().collect();
        for spec in &specs {
            self.unit(*spec);
            self.lifecycle(*spec);
        }
        self.removed_units();
    }

    fn lifecycle(&mut self, spec: Spec) {
        let session = spec.session();
        let obs = self.obs;
        let pane = obs.panes.get(session).filter(|p| !p.dead);
        match self.life(session) {
            Life::Absent | Life::Backoff { .. } | Life::GaveUp { .. } | Life::Done if pane.is_some() => {
                self.adopt(spec, pane.cloned().unwrap_or_default());
            }
            Life::Absent => {
                if self.sees_all() && self.is_kept_alive(spec) && !self.is_finished(spec) {
                    if self.unit(spec).incarnation > 0 {
                        self.tell(
                            EventKind::Gone,
                            Some(spec.name()),
                            format!("{} ({session}) gone — restarting", spec.name()),
                        );
                    }
                    self.start(spec, false);
                }
            }
            Life::Backoff { until } => {
                if !self.is_kept_alive(spec) {
                    if self.obs.supervised {
                        self.set_life(session, Life::Absent, "not watched any more");
                    }
                } else if until <= self.now.boot {
                    self.start(spec, true);
                } else {
                    self.wake_by(until);
                }
            }
            Life::GaveUp { retry } => {
                if let Some(at) = retry
                    && self.is_kept_alive(spec)
                {
                    if at <= self.now.boot {
                        self.tell(
                            EventKind::Restarting,
                            Some(spec.name()),
                            format!("{} ({session}) gave up earlier — trying once more", spec.name()),
                        );
                        self.start(spec, true);
                    } else {
                        self.wake_by(at);
                    }
                }
            }
            Life::Done => {}
            Life::Starting { deadline, .. } => self.starting(spec, pane, deadline),
            Life::Running { .. } => self.running(spec, pane),
            Life::Ending { deadline, then } => self.ending(spec, pane, deadline, then),
        }
    }

    /// A one-shot that nobody asked for again, or a loop after the last phase.
    fn is_finished(&self, spec: Spec) -> bool {
        let unit = self.state.units.get(spec.session());
        self.is_one_shot(spec)
            && unit.is_some_and(|u| u.last_exit.as_ref().is_some_and(|e| e.code == Some(0)) && u.wish != Wish::Run)
    }

    fn adopt(&mut self, spec: Spec, pane: PaneObs) {
        let session = spec.session();
        let now = self.now;
        let unit = self.unit(spec);
        let first_sight = unit.pane.as_ref().is_none_or(|p| p.pid != pane.pid);
        unit.incarnation = unit.incarnation.max(pane.incarnation.unwrap_or(0));
        unit.pane = Some(pane);
        unit.sight = Sight::default();
        self.set_life(session, Life::Running { since: now.boot }, "found running");
        if first_sight {
            self.tell(EventKind::Adopted, Some(spec.name()), format!("{session} already running — adopted"));
        }
    }

    fn starting(&mut self, spec: Spec, pane: Option<&PaneObs>, deadline: crate::model::time::Boot) {
        let session = spec.session();
        let incarnation = self.unit(spec).incarnation;
        if let Some(exit) = self.exit_of(session, incarnation) {
            if exit.tree_ended || (self.sees_all() && pane.is_none() && !self.obs.lingering.contains(session)) {
                self.died(spec, Some(exit), "ended right after its start");
            }
        } else if let Some(pane) = pane.filter(|p| p.incarnation.is_none_or(|i| i == incarnation)) {
            self.unit(spec).pane = Some(pane.clone());
            let since = self.now.boot;
            self.set_life(session, Life::Running { since }, "started");
        } else if deadline <= self.now.boot && self.sees_all() && !self.obs.lingering.contains(session) {
            self.tell(
                EventKind::LaunchFailed,
                Some(spec.name()),
                format!("cannot start {session}: no session appeared"),
            );
            self.start_failed(session, "no session appeared");
        } else {
            self.wake_by(deadline.max(self.now.after(Duration::from_millis(500))));
        }
    }

    fn running(&mut self, spec: Spec, pane: Option<&PaneObs>) {
        let session = spec.session();
        let obs = self.obs;
        let incarnation = self.unit(spec).incarnation;
        let lingering = obs.lingering.contains(session);
        let exit = self.exit_of(session, incarnation);
        if self.server_was_lost(spec) {
            let deadline = self.now.after(self.policy.watchdog.stop_grace + END_MARGIN);
            self.set_life(session, Life::Ending { deadline, then: AfterEnd::Lost }, "its tmux server died");
            return self.lifecycle(spec);
        }
        if let Some(exit) = exit {
            if exit.tree_ended || (self.sees_all() && pane.is_none() && !lingering) {
                self.died(spec, Some(exit), "ended");
            } else {
                let deadline = self.now.after(self.policy.watchdog.stop_grace + END_MARGIN);
                self.set_life(
                    session,
                    Life::Ending { deadline, then: AfterEnd::Died },
                    "ended; what it left behind is being ended",
                );
                self.wake_by(deadline);
            }
            return;
        }
        match pane {
            Some(pane) => {
                let now = self.now;
                let window = self.policy.watchdog.restart_window;
                let unit = self.unit(spec);
                if unit.pane.as_ref() != Some(pane) {
                    unit.pane = Some(pane.clone());
                }
                if let Life::Running { since } = unit.life
                    && unit.restarts.gave_up
                    && now.boot.since(since) >= window
                    && unit.no_force_until.is_none_or(|until| now.boot >= until.after(window))
                {
                    unit.restarts.gave_up = false;
                    unit.alerted.remove("gave-up");
                }
            }
            None if !self.sees_all() => {}
            None => match obs.panes.get(session) {
                Some(dead) => {
                    let exit = ExitRecord {
                        incarnation,
                        code: dead.dead_status,
                        signal: None,
                        at: self.now.wall,
                        error: None,
                        tree_ended: true,
                    };
                    self.tell(
                        EventKind::Dead,
                        Some(spec.name()),
                        format!("{} ({session}) left a dead pane", spec.name()),
                    );
                    self.died(spec, Some(exit), "its pane is dead");
                }
                None if lingering => {
                    let deadline = self.now.after(self.policy.watchdog.stop_grace + END_MARGIN);
                    self.set_life(
                        session,
                        Life::Ending { deadline, then: AfterEnd::Died },
                        "its session is gone; its processes are being ended",
                    );
                    self.wake_by(deadline);
                }
                None => self.died(spec, None, "its session is gone"),
            },
        }
    }

    fn ending(&mut self, spec: Spec, pane: Option<&PaneObs>, deadline: crate::model::time::Boot, then: AfterEnd) {
        let session = spec.session();
        let incarnation = self.unit(spec).incarnation;
        let lingering = self.obs.lingering.contains(session);
        let exit = self.exit_of(session, incarnation);
        let gone = exit.as_ref().is_some_and(|e| e.tree_ended) || (self.sees_all() && pane.is_none() && !lingering);
        if !gone {
            if deadline <= self.now.boot {
                let again = self.now.after(END_MARGIN);
                self.actions.push(Action::End { session: session.to_owned(), incarnation, grace_ms: 0 });
                self.set_life(session, Life::Ending { deadline: again, then }, "does not end; killed");
                self.wake_by(again);
            } else {
                self.wake_by(deadline);
            }
            return;
        }
        match then {
            AfterEnd::Stay => {
                self.close_texts(session, "the program was stopped");
                self.clear_leftover(session);
                let unit = self.unit(spec);
                unit.pane = None;
                unit.last_exit = exit;
                self.set_life(session, Life::Absent, "stopped");
            }
            AfterEnd::Relaunch { counted } => {
                self.close_texts(session, "the program was restarted");
                self.clear_leftover(session);
                let unit = self.unit(spec);
                unit.pane = None;
                unit.last_exit = exit;
                self.launch(spec, counted);
            }
            AfterEnd::Died => self.died(spec, exit, "ended"),
            AfterEnd::Lost => {
                self.close_texts(session, "the tmux server died");
                let unit = self.unit(spec);
                unit.pane = None;
                unit.last_exit = exit;
                if self.is_kept_alive(spec) {
                    self.start(spec, false);
                } else {
                    self.set_life(session, Life::Absent, "its tmux server died");
                }
            }
        }
    }

    /// The recorded end of this incarnation, if there is one.
    fn exit_of(&self, session: &str, incarnation: u64) -> Option<ExitRecord> {
        self.obs.exits.get(session).filter(|e| e.incarnation == incarnation).cloned()
    }

    /// The server that held this unit's pane is not the one that answers now.
    fn server_was_lost(&self, spec: Spec) -> bool {
        let lost_now = self.obs.server == ServerObs::Down || self.state.fleet.server_lost == Some(self.now.wall);
        lost_now && !self.obs.panes.contains_key(spec.session())
    }

    /// A unit is dead: what comes next.
    fn died(&mut self, spec: Spec, exit: Option<ExitRecord>, how: &str) {
        let (name, session) = (spec.name(), spec.session());
        let reason = describe(exit.as_ref(), how);
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
            self.unit(spec).wish = Wish::None;
            self.tell(EventKind::Done, Some(name), format!("{name} ({session}) done"));
        } else if wish == Wish::Stop || !self.is_kept_alive(spec) {
            self.set_life(session, Life::Absent, &reason);
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
                let delay = delay.max(self.storm_pause());
                if delay.is_zero() {
                    self.tell(EventKind::Gone, Some(name), format!("{name} ({session}) gone — restarting ({reason})"));
                    self.start(spec, true);
                } else {
                    let until = self.now.after(delay);
                    let text =
                        format!("{name} ({session}) gone — restarting in {:.1}s ({reason})", delay.as_secs_f64());
                    self.tell(EventKind::Backoff, Some(name), text);
                    self.set_life(session, Life::Backoff { until }, reason);
                    self.wake_by(until);
                }
            }
            verdict => {
                let retry = (!rules.gave_up_retry.is_zero()).then(|| self.now.after(rules.gave_up_retry));
                let burst = rules.restart_burst;
                self.set_life(session, Life::GaveUp { retry }, reason);
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
    fn storm_pause(&mut self) -> Duration {
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
        }
    }

    /// Orders a start from nothing.
    pub(super) fn start(&mut self, spec: Spec, counted: bool) {
        let session = spec.session().to_owned();
        let incarnation = self.unit(spec).incarnation + 1;
        self.prepare(spec, incarnation);
        self.launch(spec, counted);
        debug_assert_eq!(self.unit(spec).incarnation, incarnation, "{session}");
    }

    /// Prepares an incarnation: everything that can fail, before anything is ended.
    pub(super) fn prepare(&mut self, spec: Spec, incarnation: u64) {
        let phase = self.state.fleet.phase;
        let unit = self.unit(spec);
        // Whoever may still carry an older incarnation's marker is ended before the program starts.
        let clean_end = unit.last_exit.as_ref().is_some_and(|e| e.tree_ended && e.incarnation + 1 == incarnation);
        let order = Action::Prepare {
            session: spec.session().to_owned(),
            incarnation,
            model: unit.start_model.clone(),
            backend: unit.start_backend.clone(),
            phase,
            sweep: !clean_end,
        };
        self.actions.push(order);
    }

    /// Launches the prepared incarnation, and queues its first message if it is to be typed.
    fn launch(&mut self, spec: Spec, counted: bool) {
        let session = spec.session().to_owned();
        let now = self.now;
        let rules = self.policy.watchdog.clone();
        let had_pane = self.obs.panes.contains_key(&session);
        let unit = self.unit(spec);
        unit.incarnation += 1;
        let incarnation = unit.incarnation;
        unit.sight = Sight { state: Seen::Unknown, ..Sight::default() };
        unit.pane = None;
        unit.start_model = None;
        unit.start_backend = None;
        unit.restarts.last_start = Some(now.boot);
        if counted {
            restart::note(&mut unit.restarts, &rules, now.boot);
            self.state.fleet.recent_restarts.push(now.boot);
        }
        if had_pane {
            self.actions.push(Action::Clear { session: session.clone() });
        }
        let deadline = now.after(START_DEADLINE);
        self.set_life(&session, Life::Starting { since: now.boot, deadline }, "starting");
        self.actions.push(Action::Launch { session: session.clone(), incarnation });
        self.wake_by(deadline);
        if let Some(delay) = spec.connect_delay() {
            let file = self.policy.state_dir().join(format!("kickoff-{session}.txt"));
            let key = spec.agent().and_then(|a| a.backend.submit_key.clone()).unwrap_or_else(|| "C-m".into());
            let at = now.after(delay);
            self.queue_text(&session, DeliveryKind::Kickoff, prompt::read_kickoff(&file), key, Some(incarnation), at);
        }
    }

    pub(super) fn queue_text(
        &mut self,
        session: &str,
        kind: DeliveryKind,
        text: String,
        submit_key: String,
        incarnation: Option<u64>,
        not_before: crate::model::time::Boot,
    ) -> i64 {
        let fleet = &mut self.state.fleet;
        fleet.next_delivery += 1;
        let id = fleet.next_delivery;
        let delivery = Delivery {
            id,
            session: session.to_owned(),
            kind,
            text,
            submit_key,
            created: self.now.wall,
            incarnation,
            not_before,
            stage: Stage::Queued { rest: None, free_since: None, look: not_before },
        };
        self.state.deliveries.insert(id, delivery);
        id
    }

    /// Ends a live unit and starts it again; everything that can fail is prepared first. Counted: it draws on the
    /// budget, and a live unit whose budget is spent is left alone.
    pub(super) fn restart_live(&mut self, spec: Spec, kind: EventKind, text: &str, counted: bool) {
        let (name, session) = (spec.name(), spec.session().to_owned());
        let now = self.now;
        if self.unit(spec).no_force_until.is_some_and(|until| until > now.boot) {
            return;
        }
        if counted && !self.may_restart_live(spec, kind, text) {
            return;
        }
        self.tell(kind, Some(name), text);
        let incarnation = self.unit(spec).incarnation;
        self.prepare(spec, incarnation + 1);
        self.end(&session, incarnation, AfterEnd::Relaunch { counted });
    }

    /// The budget and the growing delay hold for live units too; one whose budget is spent is left alone but for the
    /// slow retries.
    fn may_restart_live(&mut self, spec: Spec, kind: EventKind, text: &str) -> bool {
        let rules = self.policy.watchdog.clone();
        let now = self.now;
        let past = self.unit(spec).restarts.clone();
        let pause = match rules.gave_up_retry {
            never if never.is_zero() => Duration::from_secs(100 * 365 * 86_400),
            pause => pause,
        };
        match restart::verdict(&past, &rules, spec.session(), now) {
            Verdict::After(delay) => past.recent.last().is_none_or(|last| now.boot.since(*last) >= delay),
            Verdict::StillGivenUp => {
                self.unit(spec).no_force_until = Some(now.after(pause));
                true
            }
            Verdict::GiveUp => {
                let unit = self.unit(spec);
                unit.no_force_until = Some(now.after(pause));
                unit.restarts.gave_up = true;
                if unit.alerted.insert("gave-up".into()) {
                    let n = rules.restart_burst;
                    self.alert(
                        kind,
                        Some(spec.name()),
                        format!("{text} — but it was restarted {n} times already: left as it is"),
                    );
                }
                false
            }
        }
    }

    /// Ends a live unit for good.
    pub(super) fn stop_live(&mut self, spec: Spec) {
        let session = spec.session().to_owned();
        let incarnation = self.unit(spec).incarnation;
        self.tell(EventKind::Stopped, Some(spec.name()), format!("killing {session}"));
        self.end(&session, incarnation, AfterEnd::Stay);
    }

    pub(super) fn end(&mut self, session: &str, incarnation: u64, then: AfterEnd) {
        let grace = self.policy.watchdog.stop_grace;
        let deadline = self.now.after(grace + END_MARGIN);
        self.actions.push(Action::End { session: session.to_owned(), incarnation, grace_ms: grace.as_millis() as u64 });
        let reason = match then {
            AfterEnd::Stay => "being stopped",
            _ => "being restarted",
        };
        self.set_life(session, Life::Ending { deadline, then }, reason);
        self.wake_by(deadline);
    }

    /// Removes a session whose processes are gone, so that its name is free.
    fn clear_leftover(&mut self, session: &str) {
        if self.obs.panes.contains_key(session) {
            self.actions.push(Action::Clear { session: session.to_owned() });
        }
    }

    /// The tmux server as one incident, not one for each session.
    pub(super) fn server(&mut self) {
        let before = self.state.fleet.server;
        let wall = self.now.wall;
        match (before, self.obs.server) {
            (_, ServerObs::Unknown) => return,
            (ServerObs::Up { pid: old }, ServerObs::Up { pid }) if old != pid => {
                self.state.fleet.server_lost = Some(wall);
                self.alert(
                    EventKind::ServerLost,
                    None,
                    "the tmux server was replaced — restarting the fleet on the new one",
                );
            }
            (ServerObs::Up { .. } | ServerObs::Unresponsive, ServerObs::Down) => {
                self.state.fleet.server_lost = Some(wall);
                let any =
                    self.state.units.values().any(|u| matches!(u.life, Life::Running { .. } | Life::Starting { .. }));
                if any {
                    self.alert(EventKind::ServerLost, None, "the tmux server is gone — restarting the fleet");
                }
            }
            (ServerObs::Up { .. }, ServerObs::Unresponsive) => {
                self.alert(
                    EventKind::ServerLost,
                    None,
                    "the tmux server does not answer — nothing is started or ended until it does",
                );
            }
            (ServerObs::Unresponsive, ServerObs::Up { .. }) => {
                self.tell(EventKind::ServerBack, None, "the tmux server answers again");
            }
            _ => {}
        }
        self.state.fleet.server = self.obs.server;
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
