//! `agents explain`: for each agent its state, the evidence, what happens next, and what stands in the way.
use super::{
    paint::{Paint, Tint},
    status::{AgentView, EvidenceView, StatusView},
    table::next_words,
    when,
};
use crate::model::time::Now;
use serde::Serialize;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    pub v: u32,
    pub name: String,
    pub state: &'static str,
    pub alive: bool,
    pub since: Option<String>,
    pub reason: Option<String>,
    pub evidence: Vec<EvidenceView>,
    pub next_action: Option<String>,
    pub next_at: Option<String>,
    pub blocker: Option<String>,
    /// Texts on their way to it.
    pub queued: usize,
}

pub fn explanation(agent: &AgentView) -> Explanation {
    Explanation {
        v: 1,
        name: agent.name.clone(),
        state: agent.state.as_str(),
        alive: agent.alive,
        since: agent.since.clone(),
        reason: agent.reason.clone(),
        evidence: agent.evidence.clone(),
        next_action: agent.next_action.clone(),
        next_at: agent.next_at.clone(),
        blocker: agent.outlook.blocker.clone(),
        queued: agent.queued,
    }
}

/// The paragraph of one agent.
pub fn text(agent: &AgentView, view: &StatusView, now: Now, paint: Paint) -> String {
    let mut out = format!("{}: {}", paint.tint(Tint::Bold, &agent.name), agent.state.as_str());
    if let Some(at) = agent.since_at {
        out.push_str(&format!(" for {} (since {})", when::ago(at, now), when::clock(at, now)));
    }
    out.push('\n');
    let mut row = |what: &str, text: String| out.push_str(&format!("  {what:<9} {text}\n"));
    if !agent.outlook.words.is_empty() && agent.outlook.words != agent.state.as_str() {
        row("now", agent.outlook.words.clone());
    }
    if let Some(reason) = &agent.reason {
        row("why", reason.clone());
    }
    if agent.evidence.is_empty() {
        row("evidence", if agent.alive { "its process runs" } else { "there is no process" }.into());
    }
    for e in &agent.evidence {
        row("evidence", format!("{} matched {} on {} row {}: {}", e.rule, e.state, e.source, e.line + 1, e.text));
    }
    if let Some(error) = &agent.error {
        row("error", error.text.clone());
    }
    if agent.queued > 0 {
        row("queued", format!("{} not delivered yet", agent.queued));
    }
    match &agent.outlook.next {
        Some(next) => row("next", next_words(next, now)),
        None if !view.watchdog.running => row("next", "nothing: no watchdog is running".into()),
        None => row("next", "nothing until something changes".into()),
    }
    if let Some(blocker) = &agent.outlook.blocker {
        row("blocker", blocker.clone());
    }
    out
}
