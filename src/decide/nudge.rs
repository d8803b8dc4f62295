//! An agent that is idle for too long is told once to go on, and restarted if nothing comes of it.
//!
//! ```text
//! idle --stall_idle, tree does nothing--> nudged --proved--> waited for --work, or words below ours--> idle, anew
//!                                           |                    | stall_idle, tree does nothing
//!                                           +-- not proved ------+--> restarted
//! ```
//! Only one program gets it, and only once: what was ordered is in the state before a key is sent.
use super::{
    Mind,
    looks::SECOND_LOOK,
    tree::{Allowance, Did},
    unit::Spec,
};
use crate::{
    launch::prompt,
    model::{
        delivery::{Delivery, DeliveryKind, Stage},
        event::EventKind,
        policy::{Agent, Quiet},
        reading::Reading,
        state::{Nudged, SuspectKind},
        time::{Boot, human},
    },
};
use std::time::Duration;

impl Mind<'_> {
    /// `idle_since`: it is idle, and nobody waits for anything.
    pub(super) fn nudge_if_still(&mut self, agent: &Agent, reading: &Reading, idle_since: Boot) {
        let stall_idle = agent.backend.stall_idle;
        let now = self.now.boot;
        let nudged = self.unit(Spec::Agent(agent)).sight.nudged.clone();
        let (first, due) = match &nudged {
            None => {
                let due = match reading.waiting_until {
                    None => idle_since.after(stall_idle),
                    Some(until) => {
                        let grace = self.policy.watchdog.stall_grace.as_millis() as i64;
                        let ahead = until.0 + grace - self.now.wall.0 + 1;
                        Boot(now.0.saturating_add_signed(ahead)).max(idle_since.after(Duration::from_millis(1)))
                    }
                };
                let half = (stall_idle / 2).as_millis() as u64;
                (Boot(due.0.saturating_sub(half)).max(idle_since), due)
            }
            Some(Nudged { over: None, delivery, .. }) => return self.on_its_way(agent, *delivery),
            Some(nudged) if is_answered(nudged, reading) => return self.starts_anew(agent),
            // It says that it waits on purpose: that is an answer, until then.
            Some(Nudged { over: Some(_), .. })
                if reading.waiting_until.is_some_and(|until| until.0 > self.now.wall.0) =>
            {
                return self.starts_anew(agent);
            }
            Some(Nudged { over: Some(over), .. }) => (*over, over.after(stall_idle)),
        };
        let quiet = Quiet::of(agent.backend.reader.preset.as_deref());
        let did = self.tree(agent, first, due, Allowance { cpu: quiet.idle_cpu, io: quiet.io });
        let may = match (&did, &nudged) {
            (Did::Something(what), _) => {
                self.works_quietly(agent, what.clone());
                false
            }
            (Did::Nothing, _) => true,
            // To tell it takes one channel, to end it takes two.
            (Did::Unseen, None) if now >= due => {
                self.tree_again(agent, SECOND_LOOK);
                true
            }
            (Did::Unseen | Did::Later, _) => false,
        };
        let soon = self.unit(Spec::Agent(agent)).sight.tree_due.is_some_and(|at| at <= self.now.after(SECOND_LOOK));
        if !may {
            if !soon {
                self.unsuspect(&agent.session, SuspectKind::Stall);
            }
            return;
        }
        if !self.confirmed(agent, SuspectKind::Stall, reading.still) {
            if !self.is_suspected(&agent.session, SuspectKind::Stall) {
                self.tree_again(agent, stall_idle / 2);
            }
            return;
        }
        self.tree_again(agent, stall_idle / 2);
        let (name, session) = (&agent.name, &agent.session);
        match nudged {
            None => self.nudge(agent, reading, now.since(idle_since)),
            Some(nudged) => {
                let how = if nudged.proved { "nudge not answered" } else { "nudge not proved" };
                let still = human(now.since(nudged.over.unwrap_or(now)));
                let text = format!("stall: {name} ({session}) {how} for {still} — kill + reboot");
                self.restart_live(Spec::Agent(agent), EventKind::Stalled, &text, true);
            }
        }
    }

    /// A text that was dropped on its way is over, too.
    fn on_its_way(&mut self, agent: &Agent, delivery: i64) {
        let now = self.now.boot;
        if self.state.deliveries.get(&delivery).is_none_or(|d| d.stage.is_over())
            && let Some(nudged) = &mut self.unit(Spec::Agent(agent)).sight.nudged
        {
            nudged.over = Some(now);
        }
    }

    fn nudge(&mut self, agent: &Agent, reading: &Reading, idle: Duration) {
        let spec = Spec::Agent(agent);
        let (name, session) = (&agent.name, &agent.session);
        let reason = match reading.waiting_until {
            Some(_) => "past its WAITING-UNTIL".to_owned(),
            None => format!("idle for {}", human(idle)),
        };
        let incarnation = self.unit(spec).incarnation;
        let id = self.tell_to_go_on(agent, Some(incarnation));
        let text = self.state.deliveries.get(&id).map(|d| d.text.clone()).unwrap_or_default();
        self.forget_tree(agent);
        self.unit(spec).sight.nudged =
            Some(Nudged { delivery: id, text, before: reading.still, over: None, proved: false });
        let data = serde_json::json!({ "delivery": id });
        let text = format!("stall: {name} ({session}) {reason} — telling it to go on (#{id})");
        self.tell_with(EventKind::Nudged, Some(name), text, data, false);
    }

    /// Queues the text that tells an agent to go on; its number makes it another one than the last.
    pub(super) fn tell_to_go_on(&mut self, agent: &Agent, incarnation: Option<u64>) -> i64 {
        let key = self.submit_key(Spec::Agent(agent));
        let text = prompt::go_on(&agent.kind);
        let id = self.queue_text(&agent.session, DeliveryKind::Nudge, text, key, incarnation, self.now.boot);
        if let Some(delivery) = self.state.deliveries.get_mut(&id) {
            delivery.text = delivery.text.replacen(':', &format!(" #{id}:"), 1);
        }
        id
    }

    /// A delivery has ended. The clock of its answer begins.
    pub(super) fn nudge_over(&mut self, d: &Delivery) {
        let now = self.now.boot;
        let Some(unit) = self.state.units.get_mut(&d.session) else { return };
        if let Some(nudged) = unit.sight.nudged.as_mut().filter(|n| n.delivery == d.id && d.stage.is_over()) {
            nudged.over = Some(now);
            nudged.proved = matches!(d.stage, Stage::Delivered { .. });
            (unit.sight.tree, unit.sight.tree_due) = (None, Some(now));
        }
    }

    /// It went on, or somebody else has a claim on it.
    pub(super) fn forget_nudge(&mut self, agent: &Agent) {
        let sight = &mut self.unit(Spec::Agent(agent)).sight;
        if let Some(nudged) = sight.nudged.take()
            && nudged.over.is_none()
        {
            self.drop_queued(&agent.session, DeliveryKind::Nudge, "it goes on by itself");
        }
    }

    /// Nothing of its standing still is remembered.
    pub(super) fn stands_no_more(&mut self, agent: &Agent) {
        self.forget_nudge(agent);
        let sight = &self.unit(Spec::Agent(agent)).sight;
        // A spinner's looks are its own.
        if sight.spin.is_none() && (sight.tree_due.is_some() || sight.quiet_work.is_some()) {
            self.forget_tree(agent);
        }
    }

    fn starts_anew(&mut self, agent: &Agent) {
        self.forget_nudge(agent);
        self.forget_tree(agent);
        self.unsuspect(&agent.session, SuspectKind::Stall);
        let now = self.now.boot;
        self.unit(Spec::Agent(agent)).sight.idle_since = Some(now);
    }

    /// The text on its way is the one that tells it to go on.
    pub(super) fn is_being_nudged(&self, session: &str) -> bool {
        let nudged = self.state.units.get(session).and_then(|u| u.sight.nudged.as_ref());
        nudged.is_some_and(|n| n.over.is_none())
            && !self
                .state
                .deliveries
                .values()
                .any(|d| d.session == session && d.kind != DeliveryKind::Nudge && is_under_way(d))
    }
}

fn is_under_way(d: &Delivery) -> bool {
    matches!(d.stage, Stage::Typing { .. } | Stage::Submitting { .. })
}

/// Something stands below our text, or, where it is not shown, the screen says something else than before. Our own echo
/// and a repaint are neither.
fn is_answered(nudged: &Nudged, reading: &Reading) -> bool {
    let shown = reading.ours.iter().find(|o| o.delivery == nudged.delivery && o.count > 0);
    nudged.proved && shown.map_or(reading.still != nudged.before, |o| o.answered)
}
