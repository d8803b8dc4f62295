//! Scheduled supervision passes: a prompt typed into an idle agent at an interval. Any running agent that has one is
//! woken, watched or not; busy, limited and asking ones later.
use super::{Mind, unit::Spec};
use crate::model::{
    delivery::DeliveryKind,
    event::EventKind,
    policy::Agent,
    state::{Life, Wish},
};

impl Mind<'_> {
    pub(super) fn wakes(&mut self, signal: bool) {
        let policy = self.policy;
        let over = self.obs.files.sequence_complete;
        for unit in self.state.units.values_mut().filter(|u| u.wake_due.is_some()) {
            if !policy.agents.iter().any(|a| a.session == unit.session && a.wake.is_some()) {
                unit.wake_due = None;
            }
        }
        for agent in &policy.agents {
            let Some(wake) = &agent.wake else { continue };
            let now = self.now.boot;
            let due = *self.unit(Spec::Agent(agent)).wake_due.get_or_insert(now.after(wake.interval));
            if due > now.after(wake.interval) {
                self.unit(Spec::Agent(agent)).wake_due = Some(now.after(wake.interval));
            }
            if over || agent.fault.is_some() || self.is_left_alone(&agent.session) {
                continue;
            }
            if due > now {
                self.wake_by(due);
            } else if signal || self.obs.files.wake_prompts.contains_key(&agent.session) {
                self.wake(agent);
            }
        }
    }

    fn wake(&mut self, agent: &Agent) {
        let spec = Spec::Agent(agent);
        let (name, session) = (&agent.name, &agent.session);
        let unit = self.unit(spec);
        if !matches!(unit.life, Life::Running { .. }) || unit.wish == Wish::Pause {
            return;
        }
        let obs = self.obs;
        let Some(wake) = &agent.wake else { return };
        match obs.files.wake_prompts.get(session) {
            None => return,
            Some(Err(error)) => {
                let file = wake.prompt_file.display();
                self.tell(
                    EventKind::Warning,
                    Some(name),
                    format!("wake skipped for {name} — prompt file missing: {file} ({error})"),
                );
            }
            Some(Ok(text)) => {
                let text = crate::launch::prompt::one_line(text);
                if self.has_text(session, DeliveryKind::Wake) {
                    // The last one still waits for the agent to be free.
                    return;
                }
                if !text.is_empty() {
                    let text = match text.len() {
                        n if n > crate::launch::MAX_INLINE => crate::launch::prompt::read_kickoff(&wake.prompt_file),
                        _ => text,
                    };
                    self.tell(
                        EventKind::Woken,
                        Some(name),
                        format!("waking {name} ({session}) for scheduled supervision pass"),
                    );
                    let key = self.submit_key(spec);
                    let now = self.now.boot;
                    self.queue_text(session, DeliveryKind::Wake, text, key, None, now);
                }
            }
        }
        let next = self.now.after(wake.interval);
        self.unit(spec).wake_due = Some(next);
        self.wake_by(next);
    }
}
