//! Starting, dying, ending: one pass over every unit.
use super::{
    Mind,
    starts::{END_MARGIN, START_DEADLINE},
    unit::Spec,
};
use crate::model::{
    action::Action,
    event::EventKind,
    observation::{ExitRecord, PaneObs, ServerObs},
    state::{AfterEnd, Life, Sight, Wish},
    time::Boot,
};
use std::time::Duration;

/// How often a server that does not answer is looked at for units that wait for it.
const UNANSWERED: Duration = Duration::from_secs(1);

impl Mind<'_> {
    pub(super) fn lifecycles(&mut self) {
        for spec in self.specs() {
            let nothing = self.lives_on(spec.session());
            self.unless(nothing, spec.session(), |mind| {
                mind.unit(spec);
                if !mind.is_left_alone(spec.session()) {
                    mind.lifecycle(spec);
                }
            });
        }
        self.removed_units();
    }

    pub(super) fn lifecycle(&mut self, spec: Spec) {
        let session = spec.session();
        let obs = self.obs;
        let ended = |p: &&PaneObs| {
            let exit = obs.exits.get(session).filter(|e| e.tree_ended);
            exit.is_some_and(|e| p.incarnation == Some(e.incarnation))
        };
        // A session that tmux has not let go of yet, although its whole tree is gone, is no life.
        let pane = obs.panes.get(session).filter(|p| !p.dead && !ended(p));
        if self.state.fleet.server == ServerObs::Unresponsive && !matches!(self.life(session), Life::Ending { .. }) {
            // Whatever happened: nothing can be started now, and an attach that is given up may crash tmux.
            return self.wake_by(self.now.after(UNANSWERED));
        }
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
                        self.because(session, "its session was gone");
                    }
                    self.start(spec, false);
                }
            }
            Life::Backoff { until, room: Some(room) } if until <= self.now.boot && self.sees_all() => {
                self.look_for_room(spec, &room);
            }
            Life::Backoff { until, room: Some(_) } => {
                // Nobody can tell who runs: the next look decides.
                self.wake_by(if until > self.now.boot { until } else { self.now.after(UNANSWERED) });
            }
            Life::Backoff { until, room: None } => {
                if !self.is_kept_alive(spec) {
                    if self.obs.supervised {
                        self.set_life(session, Life::Absent, "not watched any more");
                        self.nobody_for_texts(session, "it is not watched any more");
                    }
                } else if until > self.now.boot {
                    self.wake_by(until);
                } else if !self.sees_all() {
                    // Nobody can tell who runs: the next look decides.
                    self.wake_by(self.now.after(UNANSWERED));
                } else if let pause = self.storm_pause()
                    && !pause.is_zero()
                {
                    let until = self.now.after(pause);
                    self.set_life(session, Life::Backoff { until, room: None }, "restarts pause");
                    self.wake_by(until);
                } else {
                    self.start(spec, true);
                }
            }
            Life::GaveUp { retry: Some(at) } if at <= self.now.boot && !self.sees_all() => {
                self.wake_by(self.now.after(UNANSWERED));
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
                        self.because(session, "one more try after it gave up");
                        self.start(spec, true);
                    } else {
                        self.wake_by(at);
                    }
                }
            }
            Life::Done => {}
            Life::Starting { since, deadline } => self.starting(spec, pane, since, deadline),
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

    fn starting(&mut self, spec: Spec, pane: Option<&PaneObs>, since: Boot, deadline: Boot) {
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
        } else if let Some(pane) = pane.filter(|_| deadline <= self.now.boot) {
            // Another incarnation of it lives: better that one than none, and never two.
            self.adopt(spec, pane.clone());
        } else if deadline <= self.now.boot && self.sees_all() && !self.obs.lingering.contains(session) {
            let wish = self.unit(spec).wish;
            if deadline.since(since) < START_DEADLINE && !matches!(wish, Wish::Stop | Wish::Pause) {
                // Ordered by a process that was killed before it came to it.
                self.close_texts(session, "its start was never sent");
                return self.start(spec, false);
            }
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

    fn ending(&mut self, spec: Spec, pane: Option<&PaneObs>, deadline: Boot, then: AfterEnd) {
        let session = spec.session();
        let incarnation = self.unit(spec).incarnation;
        let lingering = self.obs.lingering.contains(session);
        let exit = self.exit_of(session, incarnation);
        let gone = exit.as_ref().is_some_and(|e| e.tree_ended) || (self.sees_all() && pane.is_none() && !lingering);
        if !gone {
            if deadline <= self.now.boot {
                // Ordered by a supervisor that was killed before it came to it: asked first, killed later.
                let (grace, words) = match std::mem::replace(&mut self.unit(spec).end_asked, true) {
                    true => (Duration::ZERO, "does not end; killed"),
                    false => (self.policy.watchdog.stop_grace, "being ended"),
                };
                let again = self.now.after(grace + END_MARGIN);
                let grace_ms = grace.as_millis() as u64;
                self.actions.push(Action::End { session: session.to_owned(), incarnation, grace_ms });
                self.set_life(session, Life::Ending { deadline: again, then }, words);
                self.wake_by(again);
            } else {
                self.wake_by(deadline);
            }
            return;
        }
        if self.state.fleet.server == ServerObs::Unresponsive && then != AfterEnd::Stay {
            return self.wake_by(self.now.after(UNANSWERED));
        }
        match then {
            AfterEnd::Stay => {
                self.close_texts(session, "the program was stopped");
                self.clear_leftover(session);
                let unit = self.unit(spec);
                unit.pane = None;
                unit.last_exit = exit;
                unit.restart_reason = None;
                self.set_life(session, Life::Absent, "stopped");
                self.nobody_for_texts(session, "the program was stopped");
            }
            AfterEnd::Relaunch { counted } => {
                if counted {
                    self.lost_with(session, "the program was restarted");
                }
                self.close_texts(session, "the program was restarted");
                self.clear_leftover(session);
                let unit = self.unit(spec);
                unit.pane = None;
                unit.last_exit = exit;
                // Prepared anew: in the phase of now, and also if a crash came between the order and its preparation.
                self.start(spec, counted);
            }
            AfterEnd::Died => self.died(spec, exit, "ended"),
            AfterEnd::Lost => {
                self.lost_with(session, "the tmux server died");
                self.close_texts(session, "the tmux server died");
                let unit = self.unit(spec);
                unit.pane = None;
                unit.last_exit = exit;
                if self.is_kept_alive(spec) {
                    self.because(session, "its tmux server died");
                    self.start(spec, false);
                } else {
                    self.set_life(session, Life::Absent, "its tmux server died");
                    self.nobody_for_texts(session, "the tmux server died");
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
}
