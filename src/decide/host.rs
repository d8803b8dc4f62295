//! Room on the machine: a start waits until there is some, and then goes on by itself. What runs is left alone.
use super::{Mind, unit::Spec};
use crate::model::{
    event::EventKind,
    host::{HostObs, NoRoom},
    observation::{Observation, ServerObs},
    policy::{Agent, Policy, Watch},
    request::Verb,
    state::{Life, State, UnitState, Wish},
    time::Now,
};
use std::{collections::BTreeSet, path::Path};

/// One alert, however many wait.
const TOLD: &str = "host";

/// Working folders of everything that this decision may start; each at least once, in no order.
pub fn starts_near<'a>(obs: &Observation, state: &State, policy: &'a Policy, now: Now) -> BTreeSet<&'a Path> {
    let near = |session: &str, name: &str, kept: bool| {
        let Some(unit) = state.units.get(session) else { return true };
        is_asked_for(obs, name) || is_near(unit, obs, now, kept)
    };
    let kept = |a: &Agent| a.enabled && a.watch != Watch::None;
    let agents = policy.agents.iter().filter(|a| near(&a.session, &a.name, kept(a))).map(workplace);
    let services = policy.services.iter().filter(|s| near(&s.session, &s.name, true)).map(|s| s.dir.as_path());
    agents.chain(services).collect()
}

/// Somebody wants it to be started, now.
fn is_asked_for(obs: &Observation, name: &str) -> bool {
    obs.requests.iter().any(|r| match &r.verb {
        Verb::Up { names, .. } | Verb::Restart { names } => names.iter().any(|n| n == name),
        _ => false,
    })
}

/// Where it writes.
fn workplace(agent: &Agent) -> &Path {
    agent.worktree.as_deref().unwrap_or(&agent.dir)
}

fn is_near(unit: &UnitState, obs: &Observation, now: Now, kept: bool) -> bool {
    match &unit.life {
        Life::Absent => (kept && !matches!(unit.wish, Wish::Stop | Wish::Pause)) || obs.phase.is_some(),
        Life::Done => obs.phase.is_some(),
        Life::Backoff { until, .. } => *until <= now.boot || obs.phase.is_some(),
        Life::GaveUp { retry } => retry.is_some_and(|at| at <= now.boot) || obs.phase.is_some(),
        Life::Starting { .. } | Life::Ending { .. } => true,
        Life::Running { .. } => {
            let gone = || obs.panes.get(&unit.session).is_none_or(|pane| pane.dead);
            obs.exits.contains_key(&unit.session) || (obs.server != ServerObs::Unknown && gone())
        }
    }
}

impl Mind<'_> {
    /// There is no room for it: it waits. False: it may start.
    pub(super) fn waits_for_room(&mut self, spec: Spec, counted: bool) -> bool {
        let Some(host) = &self.obs.host else { return false };
        let (name, session) = (spec.name(), spec.session());
        let waited = matches!(self.life(session), Life::Backoff { room: Some(_), .. });
        let Some(why) = self.lacks(spec, host) else {
            if waited {
                self.tell(
                    EventKind::HostOk,
                    Some(name),
                    format!("{name} ({session}) goes on: the machine has room again"),
                );
            }
            let others = |u: &UnitState| u.session != session && matches!(u.life, Life::Backoff { room: Some(_), .. });
            if !self.state.units.values().any(others) {
                self.state.fleet.alerted.remove(TOLD);
            }
            return false;
        };
        let retry = self.policy.host.retry;
        let until = self.now.after(retry);
        let asked = !self.is_kept_alive(spec);
        if !waited || is_asked_for(self.obs, name) {
            let text = format!("{name} ({session}) waits: {why} — it starts as soon as there is room");
            let alert = self.state.fleet.alerted.insert(TOLD.into());
            self.tell_with(EventKind::HostLow, Some(name), text, serde_json::Value::Null, alert);
        }
        self.unit(spec);
        let room = Some(NoRoom { why: why.clone(), counted, asked });
        self.set_life(session, Life::Backoff { until, room }, format!("no room: {why}"));
        self.wake_by(until);
        true
    }

    /// A start that waits for room comes to its next look.
    pub(super) fn look_for_room(&mut self, spec: Spec, room: &NoRoom) {
        let session = spec.session();
        let wish = self.unit(spec).wish;
        let wanted = self.is_kept_alive(spec) || (room.asked && wish == Wish::Run && spec.fault().is_none());
        if !self.obs.supervised || wish == Wish::Pause {
            return;
        }
        if !wanted {
            self.set_life(session, Life::Absent, "not watched any more");
            return self.nobody_for_texts(session, "it is not watched any more");
        }
        self.start(spec, room.counted);
    }

    /// What is missing for it, in words.
    fn lacks(&mut self, spec: Spec, host: &HostObs) -> Option<String> {
        let rules = &self.policy.host;
        if let Some(why) = rules.lacks_power(host) {
            return Some(why);
        }
        // What ran before comes back on a full disk, too: it may be what makes room there.
        if self.unit(spec).restart_reason.is_some() {
            return None;
        }
        let folder = match spec {
            Spec::Agent(agent) => workplace(agent),
            Spec::Service(service) => &service.dir,
        };
        rules.lacks_disk(host, &[folder, &self.policy.log_dir])
    }
}
