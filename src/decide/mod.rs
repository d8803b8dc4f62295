//! The mind: `decide(observation, state, policy, now)` reads no clock and touches nothing.
//!
//! Everything about waiting is a deadline in the state; the answer names the moment at which it wants to be asked again.
//! What it orders is saved before it is done, and what became of it comes back in a later observation.
//!
//! ```text
//!            start                 seen                 exit seen
//!  absent ----------> starting ----------> running ------------------+
//!    ^  ^                | failed             | ordered restart      |
//!    |  |                v                    v                      v
//!    |  +-- backoff <----+------------ ending (relaunch) <--+   by G1 and G2: at once,
//!    |        |  budget spent                 | down        |   backoff, or gave-up
//!    |        v                               v             |
//!    |     gave-up (slow retries)       ending (stay) ------+--> absent
//!    +--------------------------------------------------------- done (one-shot that ended with 0)
//! ```
mod accounts;
pub mod arrivals;
mod config;
mod conversation;
mod death;
mod dialogs;
pub mod done_marker;
mod drafts;
mod forgotten;
mod handoff;
mod hang;
mod host;
mod incident;
mod lifecycle;
mod limit;
mod logs;
mod looks;
mod nudge;
pub mod ours;
mod owed;
mod phase;
mod progress;
mod quarantine;
mod requests;
pub mod restart;
mod results;
mod scrolled;
mod sight;
mod stall;
mod starts;
mod steady;
mod tally;
mod tree;
mod trouble;
mod typing;
mod unit;
mod uptake;
mod wake;

#[cfg(test)]
pub(crate) mod tests;

use crate::model::{
    action::Action,
    event::{Event, EventKind},
    name::printable,
    observation::{Observation, ServerObs},
    policy::Policy,
    state::State,
    time::{Boot, Now},
};
pub use host::starts_near;
pub use looks::{looks, tree_looks};

/// Before something that is due, but could not be settled, is looked at again.
const RETRY: std::time::Duration = std::time::Duration::from_millis(50);

/// What is to be remembered, done, told, and when to ask again.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    pub state: State,
    /// In this order.
    pub actions: Vec<Action>,
    pub events: Vec<Event>,
    pub wake_at: Boot,
}

/// One decision about the whole fleet.
pub fn decide(obs: &Observation, state: &State, policy: &Policy, now: Now) -> Decision {
    let mut mind = Mind {
        obs,
        policy,
        now,
        state: state.clone(),
        actions: Vec::new(),
        events: Vec::new(),
        wake_at: now.after(std::time::Duration::from_secs(3600)),
    };
    let signal = due(&mut mind.state.fleet.next_signal, policy.watchdog.signal_interval, now, obs.supervised);
    let heavy = due(&mut mind.state.fleet.next_heavy, policy.watchdog.heavy_interval, now, obs.supervised);
    mind.config();
    mind.quarantines();
    mind.results();
    mind.phase_index();
    mind.server();
    mind.lifecycles();
    mind.conversations();
    mind.requests();
    if obs.supervised {
        mind.handoff();
        mind.unwatched();
        mind.account_holds();
        for agent in policy.watched() {
            let nothing = !heavy && mind.stays_idle(agent);
            mind.unless(nothing, &agent.session, |mind| {
                if !mind.is_left_alone(&agent.session) {
                    mind.watch(agent, heavy);
                }
            });
        }
        mind.wakes(signal);
        if signal {
            mind.logs();
        }
        mind.phase_advance();
        mind.owed();
    }
    mind.deliveries();
    if obs.supervised {
        mind.tallies();
    }
    mind.schedule();
    Decision { state: mind.state, actions: mind.actions, events: mind.events, wake_at: mind.wake_at }
}

/// Whether a periodic pass is due; sets the next one. A first pass is due at once; missed ones are not made up for.
fn due(next: &mut Option<Boot>, interval: std::time::Duration, now: Now, supervised: bool) -> bool {
    if !supervised {
        return false;
    }
    let this = next.unwrap_or(now.boot);
    if this > now.boot.after(interval) {
        // The interval was shortened.
        *next = Some(now.after(interval));
        return false;
    }
    if this > now.boot {
        return false;
    }
    let following = this.after(interval);
    *next = Some(if following > now.boot { following } else { now.after(interval) });
    true
}

/// One decision in the making.
struct Mind<'a> {
    obs: &'a Observation,
    policy: &'a Policy,
    now: Now,
    state: State,
    actions: Vec<Action>,
    events: Vec<Event>,
    wake_at: Boot,
}

impl Mind<'_> {
    fn wake_by(&mut self, at: Boot) {
        self.wake_at = self.wake_at.min(at);
    }

    /// Notes an event. `text` may hold outside words; they are made printable here.
    fn tell(&mut self, kind: EventKind, name: Option<&str>, text: impl AsRef<str>) {
        self.tell_with(kind, name, text, serde_json::Value::Null, false);
    }

    /// Notes an event and raises the alert.
    fn alert(&mut self, kind: EventKind, name: Option<&str>, text: impl AsRef<str>) {
        self.tell_with(kind, name, text, serde_json::Value::Null, true);
    }

    fn tell_with(
        &mut self,
        kind: EventKind,
        name: Option<&str>,
        text: impl AsRef<str>,
        data: serde_json::Value,
        alert: bool,
    ) {
        let event = Event {
            seq: 0,
            at: self.now.wall,
            kind,
            agent: name.map(str::to_owned),
            text: printable(text.as_ref()),
            data,
            alert,
        };
        if alert && self.policy.alert.is_some() {
            self.actions.push(Action::Alert { event: event.clone() });
        }
        self.events.push(event);
    }

    /// The tmux server answered (or certainly is not there): an absent session is a gone one.
    fn sees_all(&self) -> bool {
        matches!(self.obs.server, ServerObs::Up { .. } | ServerObs::Down)
    }

    fn schedule(&mut self) {
        let fleet = &self.state.fleet;
        let mut at = self.wake_at;
        if self.obs.supervised {
            for next in [fleet.next_signal, fleet.next_heavy].into_iter().flatten() {
                at = at.min(next);
            }
        }
        at = at.min(looks::next_look(&self.state, self.now));
        // Something that is due but could not be settled this time (its pane was not seen) must not make us spin.
        self.wake_at = if at <= self.now.boot { self.now.after(RETRY) } else { at };
    }
}
