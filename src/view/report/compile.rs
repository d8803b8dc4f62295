//! From events and memory to the report. Reads no clock and no file: the same inputs give the same page.
use super::{
    agent::{Of, restarts, rounded},
    data::{AgentReport, FleetLine, Need, PhaseLine, Report, ServiceReport, Totals, Usage},
    fleet,
    spans::Window,
};
use crate::{
    model::{
        event::{Event, EventKind},
        name::{printable, printable_cut},
        policy::Policy,
        state::State,
        time::{Now, Wall},
    },
    view::{
        outlook::{NO_ROOM, Standing},
        status::{AgentView, StatusView},
    },
};
use std::collections::BTreeMap;

/// All that a report is made of, looked up by the caller.
pub struct Inputs<'a> {
    pub policy: &'a Policy,
    pub state: &'a State,
    /// How everybody stands now.
    pub view: &'a StatusView,
    /// In the order of their numbers; also some from before `since`, for what was in force then.
    pub events: &'a [Event],
    /// When the fleet's memory begins: nothing is known of the time before.
    pub born: Option<Wall>,
    /// Texts of deliveries, by number.
    pub texts: &'a BTreeMap<i64, String>,
    /// By agent. Empty = nothing is known of turns, tokens and cost.
    pub usage: &'a BTreeMap<String, Usage>,
    pub since: Wall,
    /// The watchdog's last tick: of one that runs, or of the last one.
    pub beat: Option<Wall>,
    pub now: Now,
}

pub fn compile(inputs: &Inputs<'_>) -> Report {
    let now = inputs.now;
    let since = inputs.born.map_or(inputs.since, |born| born.max(inputs.since)).min(now.wall);
    let window = Window { since, until: now.wall };
    let running = inputs.view.watchdog.running;
    let agents: Vec<AgentReport> = inputs.view.agents.iter().map(|a| agent(inputs, a, window)).collect();
    let service = |s: &crate::view::status::ServiceView| ServiceReport {
        name: s.name.clone(),
        state: s.state.as_str().to_owned(),
        restarts: restarts(inputs.events, &s.name, window),
    };
    let mut services: Vec<ServiceReport> = inputs.view.services.iter().map(service).collect();
    services.retain(|s| !s.restarts.is_empty());
    let gaps = fleet::gaps(inputs.events, window, (!running).then_some(inputs.beat));
    let complete = inputs.events.iter().rev().find(|e| e.kind == EventKind::SequenceComplete && window.holds(e.at));
    Report {
        v: 1,
        since,
        until: now.wall,
        fleet: FleetLine {
            config: printable(&inputs.view.config),
            project_dir: printable(&inputs.view.project_dir),
            session_prefix: printable(&inputs.view.session_prefix),
            watchdog: running,
            faults: inputs.view.faults.clone(),
        },
        phase: inputs.view.phase.as_ref().map(|p| PhaseLine {
            index: p.index,
            count: p.count,
            id: p.id.clone(),
            done: p.done,
        }),
        phases_done: fleet::phases_done(inputs.events, window),
        sequence_complete: complete.map(|e| e.at),
        totals: totals(inputs, &agents, &services, window),
        needs: needs(inputs, &agents, &gaps),
        agents,
        services,
        incidents: fleet::told(inputs.events, window, |e| fleet::is_incident(e.kind)),
        gaps,
        alerts: fleet::told(inputs.events, window, fleet::is_other_alert),
    }
}

fn agent(inputs: &Inputs<'_>, view: &AgentView, window: Window) -> AgentReport {
    let now = inputs.now;
    let ago = |at: Wall| crate::model::time::Boot(now.boot.0.saturating_sub((now.wall.0 - at.0).max(0) as u64));
    Of {
        view,
        unit: inputs.state.units.get(&view.session),
        events: inputs.events,
        texts: inputs.texts,
        usage: inputs.usage.get(&view.name).copied().unwrap_or_default(),
        window,
        slot: inputs.state.fleet.slot,
        seen: if inputs.view.watchdog.running { Some(now.boot) } else { inputs.beat.map(ago) },
        now,
        commits: hands_over(inputs.policy, view),
    }
    .report()
}

/// Whose commits are told apart: those of the two who hand the work over.
fn hands_over(policy: &Policy, view: &AgentView) -> bool {
    let Some(handoff) = policy.phases.as_ref().and_then(|l| l.handoff.as_ref()) else { return false };
    let is = |named: &str| named == view.name || format!("{}{named}", policy.session_prefix) == view.session;
    handoff.claim_pings != handoff.review_pings && (is(&handoff.claim_pings) || is(&handoff.review_pings))
}

fn totals(inputs: &Inputs<'_>, agents: &[AgentReport], services: &[ServiceReport], window: Window) -> Totals {
    let sum = |of: fn(&AgentReport) -> Option<u64>| agents.iter().filter_map(of).sum::<u64>();
    let known = |of: fn(&AgentReport) -> Option<u64>| agents.iter().any(|a| of(a).is_some()).then(|| sum(of));
    let (worked_s, could_work_s) = (sum(|a| a.worked_s), sum(|a| a.could_work_s));
    let watched = inputs.policy.phases.as_ref().is_some_and(|l| l.handoff.is_some());
    let seen = inputs.events.iter().filter(|e| e.kind == EventKind::Commits && window.holds(e.at));
    let commits = seen.map(|e| e.data["commits"].as_array().map_or(0, |all| all.len() as u64)).sum();
    let costs: Vec<f64> = agents.iter().filter_map(|a| a.cost_usd).collect();
    Totals {
        worked_s,
        could_work_s,
        share: (could_work_s > 0).then(|| rounded(worked_s as f64 / could_work_s as f64)),
        turns: known(|a| a.turns),
        tokens: known(|a| a.tokens),
        cost_usd: (!costs.is_empty()).then(|| costs.iter().sum()),
        commits: watched.then_some(commits),
        holds: agents.iter().map(|a| a.holds.len()).sum(),
        held_s: agents.iter().map(|a| a.held_s).sum(),
        restarts: agents.iter().map(|a| a.restarts.len()).chain(services.iter().map(|s| s.restarts.len())).sum(),
        waits: agents.iter().map(|a| a.waits.len()).sum(),
        waited_s: agents.iter().map(|a| a.waited_s).sum(),
        answers: agents.iter().map(|a| a.answers.len()).sum(),
        undelivered: agents.iter().map(|a| a.undelivered.len()).sum(),
    }
}

/// The most urgent first: who waits for an answer, who does not go on at all, what was not said.
fn needs(inputs: &Inputs<'_>, agents: &[AgentReport], gaps: &[super::data::Gap]) -> Vec<Need> {
    let need = |kind: &str, agent: &str, since, text: String, hint: Option<String>| Need {
        kind: kind.into(),
        agent: Some(agent.to_owned()),
        since,
        text,
        hint,
    };
    let (mut asks, mut stands, mut rest) = (Vec::new(), Vec::new(), Vec::new());
    for (view, report) in inputs.view.agents.iter().zip(agents) {
        let name = &view.name;
        if let Some(wait) = report.waits.last().filter(|w| w.until.is_none()) {
            let text = if wait.asked.is_empty() { "an answer".into() } else { wait.asked.clone() };
            asks.push(need("waiting", name, Some(wait.from), text, Some(format!("agents attach {name}"))));
        }
        let words = printable_cut(&view.outlook.words, 120);
        match view.state {
            Standing::GaveUp => {
                let why = view.reason.clone().unwrap_or(words);
                let at = report.gave_up.first().copied().or(view.since_at);
                stands.push(need("gave-up", name, at, why, Some(format!("agents logs {name}"))));
            }
            Standing::Quarantined => {
                stands.push(need(
                    "quarantined",
                    name,
                    view.since_at,
                    view.outlook.blocker.clone().unwrap_or(words),
                    None,
                ));
            }
            Standing::Stopped if view.error.is_some() && view.enabled => {
                let why = view.error.as_ref().map(|e| e.text.clone()).unwrap_or_default();
                stands.push(need("fault", name, None, why, Some("agents check".into())));
            }
            Standing::Backoff if words.starts_with(NO_ROOM) => {
                let why = view.reason.clone().unwrap_or(words);
                stands.push(need("host", name, view.since_at, why, Some("agents doctor".into())));
            }
            Standing::Idle | Standing::Fatal
                if view.error.is_some() && view.outlook.blocker.is_some() && inputs.view.watchdog.running =>
            {
                let text = view.error.as_ref().map(|e| format!("{}: {}", e.class, e.text)).unwrap_or_default();
                stands.push(need("error", name, view.since_at, text, Some(format!("agents attach {name}"))));
            }
            Standing::Idle if view.outlook.blocker.is_some() && inputs.view.watchdog.running => {
                rest.push(need("draft", name, None, words, Some(format!("agents attach {name}"))));
            }
            _ => {}
        }
        for lost in &report.undelivered {
            let how = if lost.outcome == "unknown" { "may not have arrived" } else { "not delivered" };
            let text = lost.text.as_ref().map(|text| format!(" “{text}”")).unwrap_or_default();
            let text = format!("{} #{} {how}:{text} ({})", lost.kind, lost.id, lost.reason);
            rest.push(need("undelivered", name, Some(lost.at), text, None));
        }
    }
    for s in inputs.view.services.iter().filter(|s| s.state == Standing::GaveUp) {
        let why = s.reason.clone().unwrap_or_default();
        stands.push(need("gave-up", &s.name, s.since_at, why, Some(format!("agents logs {}", s.name))));
    }
    let fleet = |kind: &str, since, text: String, hint: &str| Need {
        kind: kind.into(),
        agent: None,
        since,
        text,
        hint: Some(hint.into()),
    };
    if let Some(gap) = gaps.last().filter(|g| g.until.is_none() && g.reason == fleet::DIED) {
        let text = "no watchdog runs: the last one ended without a word".into();
        stands.insert(0, fleet("watchdog", Some(gap.from), text, "agents up watchdog"));
    }
    if !inputs.view.faults.is_empty() {
        let text = "the config has faults; the last good one is in force".into();
        stands.push(fleet("config", None, text, "agents check"));
    }
    asks.sort_by_key(|n| n.since);
    asks.into_iter().chain(stands).chain(rest).collect()
}
