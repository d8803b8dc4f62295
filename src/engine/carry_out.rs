//! What was decided: saved, then done, then told.
use super::{crash_point, heart::Heart, memory, saver::Saved};
use crate::{
    decide::Decision,
    model::{
        action::Action,
        event::{Event, EventKind},
        observation::Observation,
        policy::Policy,
        state::State,
        time::{Boot, Now},
    },
    replay::record::Made,
    store::{Changes, Durability, StoreError},
    world::clock,
};
use std::sync::Arc;

impl Heart {
    /// Writes an event that no decision made.
    pub fn note(&mut self, kind: EventKind, text: String, alert: bool) {
        self.note_with(kind, text, serde_json::Value::Null, alert);
    }

    pub fn note_with(&mut self, kind: EventKind, text: String, data: serde_json::Value, alert: bool) {
        let event = Event {
            seq: 0,
            at: clock::now().wall,
            kind,
            agent: None,
            text: crate::model::name::printable(&text),
            data,
            alert,
        };
        self.publish(std::slice::from_ref(&event));
        if alert && let Some(command) = &self.policy().alert {
            let _ = self.alerts.raise(command, &event);
        }
        let changes = Changes { events: vec![event], ..Changes::default() };
        let _ = self.saver.store.save(&self.saver.claim, &changes, Durability::Normal);
    }

    /// Records a decision that came to something: what it changes of the memory. A quiet one costs a comparison.
    pub(super) fn write_down(
        &mut self,
        obs: &Observation,
        policy: &Arc<Policy>,
        now: Now,
        decision: &Decision,
    ) -> Changes {
        let changes = memory::changes(&self.state, &decision.state);
        if !decision.actions.is_empty() || !decision.events.is_empty() || memory::shows(&self.state, &changes) {
            let made = Made { obs, state: &self.state, policy, now, decision };
            if let Err(why) = self.decisions.add(&made, policy.log.decisions) {
                self.note(EventKind::Warning, why, false);
            }
        }
        changes
    }

    /// `changes`: what the decision makes of the memory.
    pub(super) fn carry_out(
        &mut self,
        decision: Decision,
        mut changes: Changes,
        policy: &Arc<Policy>,
        now: Now,
    ) -> Result<Boot, StoreError> {
        let Decision { state, mut actions, events, wake_at } = decision;
        let coming = crash_point::coming(&actions, &events);
        crash_point::reach("decided", coming);
        changes.events = events;
        actions.retain(|action| match action {
            Action::Answer { request, answer } => {
                match request {
                    0 => self.own_answers.push(answer.clone()),
                    id => changes.answers.push((*id, answer.clone())),
                }
                false
            }
            Action::Alert { event } => {
                if let Some(command) = &policy.alert
                    && let Err(why) = self.alerts.raise(command, event)
                {
                    self.journal.line(now.wall, &format!("WARNING: an alert was dropped: {why}"));
                }
                false
            }
            _ => true,
        });
        let urgent = actions.iter().any(|a| a.needs_intent() || matches!(a, Action::Launch { .. }));
        self.save(&changes, urgent, &state)?;
        crash_point::reach("saved", coming);
        self.state = state;
        if self.saver.is_failing() {
            // Nothing is typed or ended while no intent can be recorded. Starts go on: the tmux name is the lock.
            let (held, free) = actions.into_iter().partition(Action::needs_intent);
            actions = free;
            self.hands.refuse(held, "nothing can be saved", &mut self.results, now);
        }
        self.publish(&changes.events);
        self.hands.act(actions, policy, &self.state, &mut self.eyes, &mut self.results);
        crash_point::reach("done", coming);
        for words in self.hands.mishaps() {
            self.tell_mishap(&words);
        }
        Ok(wake_at)
    }

    /// Saves, and tells when the store cannot be written or can be again.
    fn save(&mut self, changes: &Changes, urgent: bool, state: &State) -> Result<(), StoreError> {
        let saved = self.saver.save(changes, urgent, state)?;
        match saved {
            Saved::Yes => {}
            Saved::Again => self.note(EventKind::Store, "the store can be written again".into(), false),
            Saved::NotYet(error) => {
                self.note(EventKind::Store, format!("{error} — nothing is typed or ended until it can be saved"), true);
            }
            Saved::StillNot => {}
        }
        for notice in self.saver.notices() {
            self.journal.line(clock::now().wall, &format!("WARNING: {notice}"));
        }
        Ok(())
    }

    fn publish(&mut self, events: &[Event]) {
        for event in events {
            self.journal.event(event);
        }
    }
}
