//! What agents and services have in common.
use super::Mind;
use crate::model::{
    policy::{Agent, Kind, Service, Watch},
    state::{Life, UnitState, Wish},
};

#[derive(Clone, Copy)]
pub(super) enum Spec<'a> {
    Agent(&'a Agent),
    Service(&'a Service),
}

impl<'a> Spec<'a> {
    pub fn name(self) -> &'a str {
        match self {
            Spec::Agent(a) => &a.name,
            Spec::Service(s) => &s.name,
        }
    }
    pub fn session(self) -> &'a str {
        match self {
            Spec::Agent(a) => &a.session,
            Spec::Service(s) => &s.session,
        }
    }
    pub fn fault(self) -> Option<&'a str> {
        match self {
            Spec::Agent(a) => a.fault.as_deref(),
            Spec::Service(s) => s.fault.as_deref(),
        }
    }
    pub fn agent(self) -> Option<&'a Agent> {
        match self {
            Spec::Agent(a) => Some(a),
            Spec::Service(_) => None,
        }
    }
}

impl<'a> Mind<'a> {
    /// Every agent, then every service, in file order.
    pub(super) fn specs(&self) -> impl Iterator<Item = Spec<'a>> + use<'a> {
        self.policy.agents.iter().map(Spec::Agent).chain(self.policy.services.iter().map(Spec::Service))
    }

    pub(super) fn spec(&self, session: &str) -> Option<Spec<'a>> {
        self.specs().find(|s| s.session() == session)
    }

    pub(super) fn spec_named(&self, name: &str) -> Option<Spec<'a>> {
        let agent = self.policy.agents.iter().find(|a| a.name == name).map(Spec::Agent);
        agent.or_else(|| self.policy.services.iter().find(|s| s.name == name).map(Spec::Service))
    }

    /// The unit's memory; made on first sight.
    pub(super) fn unit(&mut self, spec: Spec) -> &mut UnitState {
        let now = self.now;
        self.state.units.entry(spec.session().to_owned()).or_insert_with(|| UnitState {
            name: spec.name().to_owned(),
            session: spec.session().to_owned(),
            service: spec.agent().is_none(),
            since: now.wall,
            ..UnitState::default()
        })
    }

    pub(super) fn life(&self, session: &str) -> Life {
        self.state.units.get(session).map(|u| u.life.clone()).unwrap_or_default()
    }

    pub(super) fn is_live(&self, spec: Spec) -> bool {
        matches!(self.life(spec.session()), Life::Running { .. } | Life::Starting { .. })
    }

    pub(super) fn set_life(&mut self, session: &str, life: Life, reason: impl Into<String>) {
        let now = self.now;
        if let Some(unit) = self.state.units.get_mut(session) {
            if std::mem::discriminant(&unit.life) != std::mem::discriminant(&life) {
                unit.since = now.wall;
            }
            unit.life = life;
            unit.reason = reason.into();
        }
    }

    /// One that is done when it ends with 0.
    pub(super) fn is_one_shot(&self, spec: Spec) -> bool {
        let completes = || {
            let run = self.policy.phases.as_ref().and_then(|l| l.on_complete.as_ref()).and_then(|c| c.run.as_deref());
            run == Some(spec.name())
        };
        spec.agent().is_some_and(|a| a.kind == Kind::Task || completes())
    }

    /// Whether the supervisor keeps this one alive.
    pub(super) fn is_kept_alive(&self, spec: Spec) -> bool {
        let wish = self.state.units.get(spec.session()).map(|u| u.wish).unwrap_or_default();
        if !self.obs.supervised
            || matches!(wish, Wish::Stop | Wish::Pause)
            || spec.fault().is_some()
            || self.is_left_alone(spec.session())
        {
            return false;
        }
        match spec {
            Spec::Service(_) => true,
            Spec::Agent(a) => {
                let on_complete = self.is_one_shot(spec) && a.kind != Kind::Task;
                let watched = a.watch != Watch::None && a.enabled;
                let over = a.kind == Kind::Loop && self.is_sequence_over();
                let never_asked = on_complete && wish == Wish::None;
                watched && !over && !never_asked
            }
        }
    }
}
