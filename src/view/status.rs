//! `agents status` as data: exactly the object of `status --json`.
use super::{
    dialog::{self, DialogView},
    outlook::{self, Around, Outlook, Standing},
};
use crate::model::{
    name::printable,
    observation::{ExitRecord, PaneObs, PhaseObs},
    policy::{Agent, Policy, Service},
    state::{State, UnitState},
    time::{Now, Wall},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// All that a status is made of, looked up by the caller.
pub struct Inputs<'a> {
    pub policy: &'a Policy,
    pub state: &'a State,
    pub panes: &'a BTreeMap<String, PaneObs>,
    pub watchdog: Option<Watchdog>,
    /// `None` without phases.
    pub phase: Option<&'a PhaseObs>,
    /// Rendered faults of the config on disk, if an older one is in force.
    pub faults: &'a [String],
    pub socket: &'a std::path::Path,
    pub now: Now,
}

/// The supervisor, as far as it is known. All `None` when none runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Watchdog {
    pub running: bool,
    pub pid: Option<u32>,
    /// RFC 3339.
    pub since: Option<String>,
    pub last_tick: Option<String>,
    pub tick_ms: Option<f64>,
    /// The process that brings it back when it was killed; none beside one in the foreground.
    pub guardian: Option<u32>,
    /// How often it was brought back. `None` without a guardian.
    pub restarts: Option<u32>,
    /// How it ended last: `killed by signal 9`.
    pub last_end: Option<String>,
    /// RFC 3339.
    pub last_end_at: Option<String>,
    /// While its guardian waits before the next start. RFC 3339.
    pub next_start: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StatusView {
    pub v: u32,
    pub config: String,
    pub project_dir: String,
    pub session_prefix: String,
    pub tmux_socket: String,
    pub faults: Vec<String>,
    pub watchdog: Watchdog,
    pub phase: Option<PhaseView>,
    pub agents: Vec<AgentView>,
    pub services: Vec<ServiceView>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PhaseView {
    /// 0-based.
    pub index: usize,
    pub count: usize,
    pub id: String,
    pub plan: Option<String>,
    pub status: String,
    pub done: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AgentView {
    pub name: String,
    pub kind: String,
    pub role: Option<String>,
    pub backend: String,
    /// `None` = the backend's default.
    pub model: Option<String>,
    pub account: Option<String>,
    pub session: String,
    /// Where its worktree stands, if it works in one.
    pub worktree: Option<String>,
    /// The conversation that it is in, or was in last, where its program says so.
    pub conversation: Option<String>,
    pub enabled: bool,
    pub watch: String,
    pub alive: bool,
    /// The pane's process.
    pub pid: Option<u32>,
    pub command: Option<String>,
    pub state: Standing,
    /// RFC 3339: when `state` began.
    pub since: Option<String>,
    pub reason: Option<String>,
    pub evidence: Vec<EvidenceView>,
    /// What stands in place of its input line.
    pub dialog: Option<DialogView>,
    pub error: Option<ErrorView>,
    pub restarts: u32,
    pub last_exit: Option<ExitView>,
    /// RFC 3339.
    pub hold_until: Option<String>,
    pub next_action: Option<String>,
    pub next_at: Option<String>,
    /// For the table and `explain`; their facts stand in the fields above.
    #[serde(skip)]
    pub outlook: Outlook,
    #[serde(skip)]
    pub since_at: Option<Wall>,
    /// Texts on their way to it.
    #[serde(skip)]
    pub queued: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ServiceView {
    pub name: String,
    pub session: String,
    pub alive: bool,
    pub pid: Option<u32>,
    pub state: Standing,
    pub restarts: u32,
    pub last_exit: Option<ExitView>,
    #[serde(skip)]
    pub command: Option<String>,
    #[serde(skip)]
    pub reason: Option<String>,
    #[serde(skip)]
    pub outlook: Outlook,
    #[serde(skip)]
    pub since_at: Option<Wall>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EvidenceView {
    pub state: String,
    pub source: String,
    pub rule: String,
    pub line: usize,
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ErrorView {
    /// `auth overload network transcript context model other`
    pub class: String,
    pub text: String,
    pub retry_after: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExitView {
    pub code: Option<i32>,
    pub signal: Option<i32>,
    /// RFC 3339.
    pub at: String,
    pub error: Option<String>,
}

/// The whole status. Names stand in the order of the config.
pub fn status(inputs: &Inputs<'_>) -> StatusView {
    let policy = inputs.policy;
    let watchdog = inputs.watchdog.clone().unwrap_or_default();
    let around = Around {
        fleet: &inputs.state.fleet,
        supervised: watchdog.running,
        stall_grace: policy.watchdog.stall_grace,
        now: inputs.now,
    };
    let phase = phase(inputs);
    let agents = policy.agents.iter().map(|a| agent(inputs, a, phase.as_ref(), around)).collect();
    let services = policy.services.iter().map(|s| service(inputs, s, around)).collect();
    StatusView {
        v: 1,
        config: policy.config_path.display().to_string(),
        project_dir: policy.project_dir.display().to_string(),
        session_prefix: policy.session_prefix.clone(),
        tmux_socket: inputs.socket.display().to_string(),
        faults: inputs.faults.iter().map(|f| f.trim_end().to_owned()).collect(),
        watchdog,
        phase,
        agents,
        services,
    }
}

fn phase(inputs: &Inputs<'_>) -> Option<PhaseView> {
    let phases = &inputs.policy.phases.as_ref()?.phases;
    let index = inputs.phase.map_or(inputs.state.fleet.phase, |p| p.index).min(phases.len().checked_sub(1)?);
    let phase = phases.get(index)?;
    Some(PhaseView {
        index,
        count: phases.len(),
        id: printable(&phase.id),
        plan: phase.plan.as_deref().map(printable),
        status: printable(&phase.status),
        done: inputs.phase.is_some_and(|p| p.index == index && p.done),
    })
}

fn agent(inputs: &Inputs<'_>, agent: &Agent, phase: Option<&PhaseView>, around: Around<'_>) -> AgentView {
    let unit = inputs.state.units.get(&agent.session);
    let pane = inputs.panes.get(&agent.session);
    let outlook = outlook::agent(agent, unit, pane, around);
    let live = pane.filter(|p| !p.dead);
    AgentView {
        name: agent.name.clone(),
        kind: printable(agent.kind.as_str()),
        role: agent.role.as_deref().map(printable),
        backend: printable(&agent.backend.name),
        model: inputs.policy.model_for(agent, phase.map_or(0, |p| p.index), None).map(printable),
        account: agent.account.as_deref().map(printable),
        session: agent.session.clone(),
        conversation: unit.and_then(|u| u.conversation.as_ref()).map(|c| printable(&c.whose.id)),
        worktree: agent.worktree.as_ref().map(|place| printable(&place.to_string_lossy())),
        enabled: agent.enabled,
        watch: agent.watch.as_str().to_owned(),
        alive: outlook.alive,
        pid: live.map(|p| p.pid),
        command: live.map(|p| printable(&p.command)),
        state: outlook.standing,
        since: since(unit, live).map(Wall::rfc3339),
        reason: unit.and_then(reason),
        evidence: unit.map(evidence).unwrap_or_default(),
        dialog: unit.filter(|_| outlook.alive).and_then(dialog::of),
        error: error(agent, unit, &outlook),
        restarts: unit.map_or(0, |u| u.restarts.total),
        last_exit: unit.and_then(|u| u.last_exit.as_ref()).map(exit),
        hold_until: unit.and_then(|u| u.hold.as_ref()).map(|h| h.until_wall.rfc3339()),
        next_action: outlook.next.as_ref().map(|n| n.action.to_owned()),
        next_at: outlook.next.as_ref().and_then(|n| n.at).map(Wall::rfc3339),
        queued: inputs.state.deliveries.values().filter(|d| d.session == agent.session && !d.stage.is_over()).count(),
        since_at: since(unit, live),
        outlook,
    }
}

fn service(inputs: &Inputs<'_>, service: &Service, around: Around<'_>) -> ServiceView {
    let unit = inputs.state.units.get(&service.session);
    let pane = inputs.panes.get(&service.session);
    let outlook = outlook::service(&service.name, unit, pane, around);
    let live = pane.filter(|p| !p.dead);
    ServiceView {
        name: service.name.clone(),
        session: service.session.clone(),
        alive: outlook.alive,
        pid: live.map(|p| p.pid),
        state: outlook.standing,
        restarts: unit.map_or(0, |u| u.restarts.total),
        last_exit: unit.and_then(|u| u.last_exit.as_ref()).map(exit),
        command: live.map(|p| printable(&p.command)),
        reason: unit.and_then(reason),
        since_at: since(unit, live),
        outlook,
    }
}

fn reason(unit: &UnitState) -> Option<String> {
    Some(printable(&unit.reason)).filter(|r| !r.is_empty())
}

fn since(unit: Option<&UnitState>, live: Option<&PaneObs>) -> Option<Wall> {
    unit.map(|u| u.since).filter(|w| w.0 != 0).or_else(|| live.and_then(|p| p.started))
}

fn evidence(unit: &UnitState) -> Vec<EvidenceView> {
    let seen = |e: &crate::model::reading::Evidence| EvidenceView {
        state: outlook::evidence_state(e).to_owned(),
        source: printable(&e.source),
        rule: printable(&e.rule),
        line: e.line,
        text: printable(&e.text),
    };
    unit.sight.evidence.iter().map(seen).collect()
}

fn error(agent: &Agent, unit: Option<&UnitState>, outlook: &Outlook) -> Option<ErrorView> {
    let say = |text: &str| Some(ErrorView { class: "other".into(), text: printable(text), retry_after: None });
    if let Some(fault) = &agent.fault {
        return say(fault);
    }
    let unit = unit?;
    if let Some(trouble) = unit.trouble.as_ref().filter(|t| t.gone.is_none() && outlook.alive) {
        let (class, text) = (trouble.class.as_str().to_owned(), printable(&trouble.text));
        return Some(ErrorView { class, text, retry_after: None });
    }
    if outlook.standing == Standing::Fatal {
        let line = unit.sight.evidence.iter().find(|e| e.rule == "fatal_re")?;
        return say(&line.text);
    }
    let error = unit.last_exit.as_ref()?.error.as_deref()?;
    if outlook.alive { None } else { say(error) }
}

fn exit(record: &ExitRecord) -> ExitView {
    ExitView {
        code: record.code,
        signal: record.signal,
        at: record.at.rfc3339(),
        error: record.error.as_deref().map(printable),
    }
}

impl StatusView {
    /// Every agent and service: name, alive, state.
    pub fn units(&self) -> impl Iterator<Item = (&str, bool, Standing)> {
        let agents = self.agents.iter().map(|a| (a.name.as_str(), a.alive, a.state));
        agents.chain(self.services.iter().map(|s| (s.name.as_str(), s.alive, s.state)))
    }
}
