//! Dialogs that a rule of the config answers: seen twice alike, one key at a time, looked at again after each.
//!
//! No rule, no key. What was pressed, or may have been, is saved before, and is never pressed a second time: what does not
//! go as foreseen is a person's matter.
use super::{
    Mind,
    looks::{REST, SECOND_LOOK},
    unit::Spec,
};
use crate::model::{
    action::{Action, Outcome},
    dialog::{Answered, Answering, Dialog, How, Step},
    event::EventKind,
    policy::Agent,
    reading::Reading,
    time::Boot,
};
use std::time::Duration;

/// A cursor must have moved within this after its key.
const MOVED: Duration = Duration::from_secs(5);
/// A dialog must be gone within this after the key that confirms.
const GONE: Duration = Duration::from_secs(15);
/// What keeps us from answering (copy mode, a text on its way, a screen that never rests) is told after this.
const PATIENCE: Duration = Duration::from_secs(60);
/// A screen that changes under so many keys is a person's matter.
const MAX_REFUSED: u32 = 5;

impl Mind<'_> {
    /// One look at a dialog.
    pub(super) fn dialog(&mut self, agent: &Agent, reading: &Reading) {
        let spec = Spec::Agent(agent);
        let unit = self.unit(spec);
        let unquoted = reading.waiting.as_ref().is_some_and(|e| !e.quoted);
        let seen = reading.dialog.as_ref().filter(|_| unquoted);
        if unit.sight.dialog.as_ref() != seen {
            unit.sight.dialog = seen.cloned();
        }
        let incarnation = unit.incarnation;
        let old = unit.answering.take().filter(|a| a.incarnation == incarnation);
        let new = match (old, seen) {
            (Some(a), Some(dialog)) if a.dialog.id == dialog.id => self.go_on(agent, a, dialog),
            (Some(a), _) => self.vanished(agent, a, reading.blank),
            (None, Some(dialog)) if dialog.answer.is_some() => Some(self.begin(agent, dialog, incarnation)),
            (None, _) => None,
        };
        self.unit(spec).answering = new;
    }

    /// A rule is at it, and a person need not be told yet.
    pub(super) fn is_answering(&self, session: &str) -> bool {
        let answering = self.state.units.get(session).and_then(|u| u.answering.as_ref());
        answering.is_some_and(|a| {
            !matches!(a.step, Step::Stopped { .. }) && (a.gone.is_some() || self.now.boot.since(a.since) < PATIENCE)
        })
    }

    /// Why no rule goes on with it, for the person who is told.
    pub(super) fn gave_up_answering(&self, session: &str) -> Option<String> {
        let a = self.state.units.get(session)?.answering.as_ref()?;
        let rule = &a.dialog.answer.as_ref()?.rule;
        match &a.step {
            Step::Stopped { reason, .. } => Some(format!("{rule}: {reason}")),
            _ => Some(format!("{rule}: it cannot be answered yet")),
        }
    }

    fn begin(&mut self, agent: &Agent, dialog: &Dialog, incarnation: u64) -> Answering {
        let now = self.now.boot;
        let (burst, window) = (self.policy.watchdog.dialog_burst, self.policy.watchdog.dialog_window);
        let unit = self.unit(Spec::Agent(agent));
        unit.answered.retain(|a| now.since(a.at) < window);
        let rule = dialog.answer.as_ref().map(|a| a.rule.as_str()).unwrap_or_default();
        let times = unit.answered.iter().filter(|a| a.rule == rule).count();
        let step = if times >= burst as usize {
            let minutes = window.as_secs().div_ceil(60);
            Step::Stopped { reason: format!("it answered {times} times within {minutes} min"), confirmed: false }
        } else {
            Step::Seen { at: now, shape: dialog.shape, cursor: dialog.cursor }
        };
        let look = self.now.after(SECOND_LOOK);
        self.wake_by(look);
        let dialog = dialog.clone();
        Answering { incarnation, dialog, since: now, keys: 0, refused: 0, gone: None, look, step }
    }

    /// It stands there still.
    fn go_on(&mut self, agent: &Agent, mut a: Answering, dialog: &Dialog) -> Option<Answering> {
        let now = self.now.boot;
        a.gone = None;
        // The config may have changed.
        let answer = dialog.answer.clone()?;
        a.dialog.answer = Some(answer.clone());
        let stop = |reason: &str| Step::Stopped { reason: reason.to_owned(), confirmed: false };
        a.step = match a.step {
            Step::Stopped { .. } => a.step,
            Step::Seen { cursor, .. } if cursor != dialog.cursor => stop("somebody else moved the cursor"),
            Step::Seen { at, shape, cursor } => {
                if shape != dialog.shape || !self.may_press(&agent.session) {
                    Step::Seen { at: now, shape: dialog.shape, cursor }
                } else if now.since(at) < REST {
                    Step::Seen { at, shape, cursor }
                } else {
                    self.press_in(agent, &mut a, dialog, &answer.how)
                }
            }
            Step::Moving { to, .. } if dialog.cursor == Some(to) => {
                Step::Seen { at: now, shape: dialog.shape, cursor: dialog.cursor }
            }
            Step::Moving { from, to, until } if dialog.cursor == Some(from) => match now < until {
                true => Step::Moving { from, to, until },
                false => stop("the cursor did not move"),
            },
            Step::Moving { .. } => stop("the cursor moved elsewhere"),
            Step::Confirming { until } if now < until => Step::Confirming { until },
            Step::Confirming { .. } if self.obs.unread.contains(&agent.session) => a.step,
            Step::Confirming { .. } => {
                Step::Stopped { reason: "it stands there still after its answer".into(), confirmed: true }
            }
        };
        if !matches!(a.step, Step::Stopped { .. }) {
            a.look = self.now.after(SECOND_LOOK);
            self.wake_by(a.look);
        } else {
            a.look = Boot(u64::MAX);
        }
        Some(a)
    }

    /// The next key, towards the choice or upon it.
    fn press_in(&mut self, agent: &Agent, a: &mut Answering, dialog: &Dialog, how: &How) -> Step {
        let now = self.now;
        let (key, step) = match (how, dialog.cursor) {
            (How::Choose { choice, .. }, Some(at)) if at != *choice => {
                let (forth, back) = if dialog.across { ("Right", "Left") } else { ("Down", "Up") };
                let (key, to) = if at < *choice { (forth, at + 1) } else { (back, at - 1) };
                (key, Step::Moving { from: at, to, until: now.after(MOVED) })
            }
            (How::Choose { key, .. } | How::Press { key }, _) => {
                let rule = a.dialog.answer.as_ref().map(|x| x.rule.clone()).unwrap_or_default();
                self.unit(Spec::Agent(agent)).answered.push(Answered { rule, at: now.boot });
                (key.as_str(), Step::Confirming { until: now.after(GONE) })
            }
        };
        a.keys += 1;
        let (key, text) = (key.to_owned(), dialog.row_text.clone());
        self.actions.push(Action::Choose { session: agent.session.clone(), key, row: dialog.row, text });
        step
    }

    fn may_press(&self, session: &str) -> bool {
        let pane = self.obs.panes.get(session);
        pane.is_some_and(|p| !p.dead && !p.in_mode && !p.input_off)
            && !self.obs.store_failing
            && !self.is_typing(session)
            && !self.obs.unread.contains(session)
    }

    /// It is not there, or another one is.
    fn vanished(&mut self, agent: &Agent, mut a: Answering, blank: bool) -> Option<Answering> {
        let now = self.now.boot;
        let first = *a.gone.get_or_insert(now);
        if blank || now.since(first) < REST {
            a.look = self.now.after(SECOND_LOOK);
            self.wake_by(a.look);
            return Some(a);
        }
        let name = &agent.name;
        let answer = a.dialog.answer.as_ref()?;
        let (rule, chosen) = (&answer.rule, a.dialog.chosen().unwrap_or_default());
        let dialog = a.dialog.name.clone().unwrap_or_default();
        match a.step {
            // A busy program may take its time.
            Step::Confirming { .. } | Step::Stopped { confirmed: true, .. } => {
                let text = format!("{name} asked: {} — answered `{chosen}` by {rule}", a.dialog.asked);
                let data = serde_json::json!({
                    "asked": a.dialog.asked, "dialog": dialog, "choice": chosen, "rule": rule, "keys": a.keys,
                });
                self.tell_with(EventKind::Answered, Some(name), text, data, false);
            }
            Step::Moving { .. } => {
                let text = format!("{dialog} of {name} went away while {rule} moved its cursor: nothing was confirmed");
                self.tell(EventKind::Warning, Some(name), text);
            }
            Step::Seen { .. } | Step::Stopped { .. } => {}
        }
        None
    }

    /// What became of a key: one that was refused was not pressed.
    pub(super) fn chosen(&mut self, session: &str, outcome: &Outcome) {
        let Outcome::Failed { error } = outcome else { return };
        let now = self.now;
        let Some(unit) = self.state.units.get_mut(session) else { return };
        let Some(a) = unit.answering.as_mut() else { return };
        let cursor = match a.step {
            Step::Moving { from, .. } => Some(from),
            Step::Confirming { .. } => match a.dialog.answer.as_ref().map(|x| &x.how) {
                Some(How::Choose { choice, .. }) => Some(*choice),
                _ => None,
            },
            _ => return,
        };
        if matches!(a.step, Step::Confirming { .. }) {
            unit.answered.pop();
        }
        a.keys = a.keys.saturating_sub(1);
        a.refused += 1;
        // No screen has the shape 0: two looks come first.
        a.step = Step::Seen { at: now.boot, shape: 0, cursor };
        if a.refused >= MAX_REFUSED {
            let reason = format!("its key was refused {MAX_REFUSED} times: {error}");
            a.step = Step::Stopped { reason, confirmed: false };
        }
        a.look = now.after(SECOND_LOOK);
        let look = a.look;
        self.wake_by(look);
    }
}
