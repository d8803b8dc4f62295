//! `agents explain`: for each agent or service its state, the evidence, what happens next, and what stands in the way.
use super::{
    dialog::{self, DialogView},
    outlook::Outlook,
    paint::{Paint, Tint},
    status::{AgentView, EvidenceView, ServiceView, StatusView},
    table::next_words,
    when,
};
use crate::model::time::{Now, Wall};
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
    pub dialog: Option<DialogView>,
    pub next_action: Option<String>,
    pub next_at: Option<String>,
    pub blocker: Option<String>,
    /// Where its worktree stands.
    pub worktree: Option<String>,
    /// The conversation that it is in, or was in last.
    pub conversation: Option<String>,
    /// Texts on their way to it.
    pub queued: usize,
}

/// What is explained. Nobody reads the screen of a service, and it has no error of its own.
pub struct Subject<'a> {
    name: &'a str,
    since: Option<Wall>,
    reason: Option<&'a str>,
    evidence: &'a [EvidenceView],
    dialog: Option<&'a DialogView>,
    error: Option<&'a str>,
    worktree: Option<&'a str>,
    conversation: Option<&'a str>,
    queued: usize,
    outlook: &'a Outlook,
}

impl<'a> From<&'a AgentView> for Subject<'a> {
    fn from(agent: &'a AgentView) -> Subject<'a> {
        Subject {
            name: &agent.name,
            since: agent.since_at,
            reason: agent.reason.as_deref(),
            evidence: &agent.evidence,
            dialog: agent.dialog.as_ref(),
            error: agent.error.as_ref().map(|e| e.text.as_str()),
            worktree: agent.worktree.as_deref(),
            conversation: agent.conversation.as_deref(),
            queued: agent.queued,
            outlook: &agent.outlook,
        }
    }
}

impl<'a> From<&'a ServiceView> for Subject<'a> {
    fn from(service: &'a ServiceView) -> Subject<'a> {
        Subject {
            name: &service.name,
            since: service.since_at,
            reason: service.reason.as_deref(),
            evidence: &[],
            dialog: None,
            error: service.last_exit.as_ref().filter(|_| !service.alive).and_then(|e| e.error.as_deref()),
            worktree: None,
            conversation: None,
            queued: 0,
            outlook: &service.outlook,
        }
    }
}

pub fn explanation<'a>(subject: impl Into<Subject<'a>>) -> Explanation {
    let subject = subject.into();
    let next = subject.outlook.next.as_ref();
    Explanation {
        v: 1,
        name: subject.name.to_owned(),
        state: subject.outlook.standing.as_str(),
        alive: subject.outlook.alive,
        since: subject.since.map(Wall::rfc3339),
        reason: subject.reason.map(str::to_owned),
        evidence: subject.evidence.to_vec(),
        dialog: subject.dialog.cloned(),
        next_action: next.map(|n| n.action.to_owned()),
        next_at: next.and_then(|n| n.at).map(Wall::rfc3339),
        blocker: subject.outlook.blocker.clone(),
        worktree: subject.worktree.map(str::to_owned),
        conversation: subject.conversation.map(str::to_owned),
        queued: subject.queued,
    }
}

/// The paragraph of one agent or service.
pub fn text<'a>(subject: impl Into<Subject<'a>>, view: &StatusView, now: Now, paint: Paint) -> String {
    let subject = subject.into();
    let (outlook, state) = (subject.outlook, subject.outlook.standing.as_str());
    let mut out = format!("{}: {state}", paint.tint(Tint::Bold, subject.name));
    if let Some(at) = subject.since {
        out.push_str(&format!(" for {} (since {})", when::ago(at, now), when::clock(at, now)));
    }
    out.push('\n');
    let mut row = |what: &str, text: String| out.push_str(&format!("  {what:<9} {text}\n"));
    if !outlook.words.is_empty() && outlook.words != state {
        row("now", outlook.words.clone());
    }
    if let Some(reason) = subject.reason {
        row("why", reason.to_owned());
    }
    if subject.evidence.is_empty() {
        row("evidence", if outlook.alive { "its process runs" } else { "there is no process" }.into());
    }
    for e in subject.evidence {
        row("evidence", format!("{} matched {} on {} row {}: {}", e.rule, e.state, e.source, e.line + 1, e.text));
    }
    for (i, words) in subject.dialog.iter().flat_map(|d| dialog::rows(d)).enumerate() {
        row(if i == 0 { "dialog" } else { "" }, words);
    }
    if let Some(error) = subject.error {
        row("error", error.to_owned());
    }
    if let Some(place) = subject.worktree {
        row("worktree", place.to_owned());
    }
    if let Some(id) = subject.conversation {
        row("talks in", id.to_owned());
    }
    if subject.queued > 0 {
        row("queued", format!("{} not delivered yet", subject.queued));
    }
    match &outlook.next {
        Some(next) => row("next", next_words(next, now)),
        None if !view.watchdog.running => row("next", "nothing: no watchdog is running".into()),
        None => row("next", "nothing until something changes".into()),
    }
    if let Some(blocker) = &outlook.blocker {
        row("blocker", blocker.clone());
    }
    out
}
