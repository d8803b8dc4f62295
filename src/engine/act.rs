//! The doing half of the engine: actions become effects, and what became of them is heard in a later pass.
use super::{
    eyes::Eyes,
    paths::Paths,
    prepare::{self, Order},
    server,
};
use crate::{
    model::{
        action::{Action, ActionResult, Outcome},
        policy::Policy,
        state::State,
        time::Now,
    },
    world::{
        clock,
        file::write_whole,
        mishap,
        process::{self, ProcId},
        tmux::{NewSession, TmuxError},
    },
};
use std::{collections::BTreeSet, sync::Arc, time::Duration};

/// What is longer is pasted instead of typed.
const MAX_TYPED: usize = 16 * 1024;

pub struct Hands {
    paths: Paths,
    mishaps: Vec<String>,
}

impl Hands {
    pub fn new(paths: Paths) -> Hands {
        Hands { paths, mishaps: Vec::new() }
    }

    /// Faults of this program since the last call, in words.
    pub fn mishaps(&mut self) -> Vec<String> {
        std::mem::take(&mut self.mishaps)
    }

    /// Actions that are not done, with the reason.
    pub fn refuse(&self, actions: Vec<Action>, why: &str, results: &mut Vec<ActionResult>, now: Now) {
        for action in actions {
            results.push(ActionResult { action, at: now.wall, outcome: Outcome::Failed { error: why.into() } });
        }
    }

    /// Does the actions in order; launches are sent together. `state` is the state that was just saved.
    pub fn act(
        &mut self,
        actions: Vec<Action>,
        policy: &Arc<Policy>,
        state: &State,
        eyes: &mut Eyes,
        results: &mut Vec<ActionResult>,
    ) {
        let mut unprepared = BTreeSet::new();
        let mut launches = Vec::new();
        for action in actions {
            let outcome = match &action {
                Action::Prepare { session, incarnation, model, backend, phase, sweep, fresh, conversation } => {
                    let order = Order {
                        session,
                        incarnation: *incarnation,
                        model: model.as_deref(),
                        backend: backend.as_deref(),
                        phase: *phase,
                        sweep: *sweep,
                        fresh: *fresh,
                        conversation: conversation.as_ref(),
                    };
                    let prepared = mishap::caught(|| prepare::prepare(policy, &self.paths, &order));
                    let outcome = prepared.unwrap_or_else(|words| {
                        self.mishaps.push(format!("the start of {session} could not be prepared: {words}"));
                        Outcome::Failed { error: format!("this program has a fault: {words}") }
                    });
                    if matches!(outcome, Outcome::Failed { .. }) {
                        unprepared.insert(session.clone());
                    }
                    outcome
                }
                Action::Launch { session, .. } | Action::End { session, .. } if unprepared.contains(session) => {
                    continue;
                }
                Action::Launch { .. } => {
                    launches.push(action);
                    continue;
                }
                other => mishap::caught(|| self.one(other, policy, state, eyes)).unwrap_or_else(|words| {
                    let whom = other.session().unwrap_or("the fleet");
                    self.mishaps.push(format!("an action for {whom} was not finished: {words}"));
                    // As far as it came, it may have happened.
                    Outcome::Unknown { error: words }
                }),
            };
            let silent = matches!(
                action,
                Action::Type { .. }
                    | Action::Press { .. }
                    | Action::Choose { .. }
                    | Action::Erase { .. }
                    | Action::End { .. }
                    | Action::Clear { .. }
                    | Action::LeaveMode { .. }
            );
            if !(silent && outcome == Outcome::Done) {
                results.push(ActionResult { action, at: clock::now().wall, outcome });
            }
        }
        self.launch(launches, policy, eyes, results);
    }

    fn one(&mut self, action: &Action, policy: &Policy, state: &State, eyes: &mut Eyes) -> Outcome {
        let pane = |session: &str| state.units.get(session).and_then(|u| u.pane.as_ref());
        match action {
            Action::End { session, grace_ms, .. } => self.end(session, *grace_ms, state, eyes, policy),
            Action::Clear { session } => match eyes.client.as_mut() {
                Some(client) => outcome(client.kill_session(session)),
                None => outcome(eyes.server.kill_session(session)),
            },
            Action::Type { session, text, cursor, .. } => {
                let Some(pane_id) = pane(session).map(|p| p.pane_id.clone()) else {
                    return Outcome::Failed { error: "it has no pane".into() };
                };
                eyes.also_said(session, text);
                let typed = eyes.connect(policy).and_then(|client| match is_typed(text) {
                    true => client.while_at(*cursor).send_text(&pane_id, text),
                    false => client.while_at(*cursor).paste(&pane_id, text),
                });
                // Our connection outlives its socket's file; a paste does not, and nothing else may need the file now.
                if matches!(typed, Err(TmuxError::ServerDown(_) | TmuxError::Socket(_))) {
                    eyes.mend_socket(state);
                }
                outcome(typed)
            }
            Action::Press { session, key, cursor, .. } => {
                let Some(pane_id) = pane(session).map(|p| p.pane_id.clone()) else {
                    return Outcome::Failed { error: "it has no pane".into() };
                };
                match eyes.connect(policy) {
                    Ok(client) => outcome(client.while_at(*cursor).press(&pane_id, key)),
                    Err(e) => outcome(Err(e)),
                }
            }
            Action::Choose { session, key, row, text } => {
                let Some(pane_id) = pane(session).map(|p| p.pane_id.clone()) else {
                    return Outcome::Failed { error: "it has no pane".into() };
                };
                match eyes.connect(policy) {
                    Ok(client) => outcome(client.press_at(&pane_id, key, *row, text)),
                    Err(e) => outcome(Err(e)),
                }
            }
            Action::Erase { session, count, cursor, .. } => {
                let Some(pane_id) = pane(session).map(|p| p.pane_id.clone()) else {
                    return Outcome::Failed { error: "it has no pane".into() };
                };
                match eyes.connect(policy) {
                    Ok(client) => outcome(client.while_at(*cursor).erase(&pane_id, *count)),
                    Err(e) => outcome(Err(e)),
                }
            }
            Action::LeaveMode { session } => match (pane(session), eyes.client.as_mut()) {
                (Some(p), Some(client)) => outcome(client.leave_mode(&p.pane_id)),
                _ => Outcome::Done,
            },
            Action::Repipe { session } => {
                let Some(unit) = state.units.get(session) else { return Outcome::Done };
                let run_dir = self.paths.run_dir(session, unit.incarnation).to_string_lossy().into_owned();
                let pipe = [server::program(), "__log".into(), run_dir];
                // No short look tells of the new one: it would be missed, and connected, again and again.
                eyes.known.forget();
                match (&unit.pane, eyes.client.as_mut()) {
                    (Some(p), Some(client)) => outcome(client.repipe(&p.pane_id, &pipe)),
                    _ => Outcome::Done,
                }
            }
            Action::WritePhase { index } => match &policy.phases {
                Some(phases) => written(write_whole(&phases.state_file, index.to_string().as_bytes())),
                None => Outcome::Done,
            },
            Action::WriteSequenceComplete { text } => {
                written(write_whole(&self.paths.sequence_complete(), text.as_bytes()))
            }
            Action::RemoveSequenceComplete => removed(&self.paths.sequence_complete()),
            Action::RemoveTrigger => match policy.phases.as_ref().and_then(|l| l.on_complete.as_ref()) {
                Some(rule) => removed(&rule.trigger_file),
                None => Outcome::Done,
            },
            Action::Prepare { .. } | Action::Launch { .. } | Action::Alert { .. } | Action::Answer { .. } => {
                Outcome::Done
            }
        }
    }

    /// Asks the shim to end its tree; whatever was not started by us is ended from outside.
    fn end(&self, session: &str, grace_ms: u64, state: &State, eyes: &mut Eyes, policy: &Policy) -> Outcome {
        let grace = Duration::from_millis(grace_ms);
        let Some(pane) = state.units.get(session).and_then(|u| u.pane.clone()) else {
            // Launched, but not seen yet: its name is all there is.
            return match eyes.connect(policy) {
                Ok(client) => outcome(client.kill_session(session)),
                Err(e) => outcome(Err(e)),
            };
        };
        let process = ProcId { pid: pane.pid, start: pane.pid_start };
        if pane.incarnation.is_some() && grace_ms > 0 {
            if process.signal(rustix::process::Signal::TERM) {
                return Outcome::Done;
            }
        } else {
            // Off the main path: it waits for the processes to go.
            let end = move || process::end_tree_without_shim(process, grace);
            let _ = std::thread::Builder::new().name("end-tree".into()).spawn(end);
            if grace_ms > 0 {
                return Outcome::Done;
            }
        }
        match eyes.client.as_mut() {
            Some(client) => outcome(client.kill_session(session)),
            None => Outcome::Done,
        }
    }

    fn launch(&self, launches: Vec<Action>, policy: &Policy, eyes: &mut Eyes, results: &mut Vec<ActionResult>) {
        if launches.is_empty() {
            return;
        }
        let program = server::program();
        let order = |action: &Action| {
            let Action::Launch { session, incarnation } = action else { return None };
            let run_dir = self.paths.run_dir(session, *incarnation).to_string_lossy().into_owned();
            Some(NewSession {
                name: session.clone(),
                size: policy.tmux.size,
                argv: vec![program.clone(), "__shim".into(), run_dir.clone()],
                pipe: Some(vec![program.clone(), "__log".into(), run_dir]),
            })
        };
        let orders: Vec<NewSession> = launches.iter().filter_map(order).collect();
        let answers = match eyes.connect(policy) {
            Ok(client) => {
                // Two hundred starts take longer than one.
                client.set_deadline(Duration::from_secs(5) + Duration::from_millis(100) * orders.len() as u32);
                let answers = client.new_sessions(&orders);
                client.set_deadline(Duration::from_secs(5));
                answers
            }
            Err(e) => orders.iter().map(|_| Err(e.clone())).collect(),
        };
        for (action, answer) in launches.into_iter().zip(answers) {
            let outcome = match answer {
                Ok(created) => {
                    let pid_start = process::start_time(created.pid).unwrap_or(0);
                    if let Some(session) = action.session()
                        && pid_start != 0
                    {
                        eyes.watch_one(session, ProcId { pid: created.pid, start: pid_start });
                    }
                    Outcome::Launched {
                        pane_id: created.pane_id,
                        session_id: created.session_id,
                        pid: created.pid,
                        pid_start,
                    }
                }
                // Somebody has that name already: the next look tells who.
                Err(TmuxError::Duplicate(_)) => Outcome::Unknown { error: "a session of that name exists".into() },
                Err(e) => outcome(Err(e)),
            };
            results.push(ActionResult { action, at: clock::now().wall, outcome });
        }
    }
}

/// Typed key by key, or pasted. One CLI swallows every `?` that comes as a key; a slash command must come as keys.
fn is_typed(text: &str) -> bool {
    text.len() <= MAX_TYPED && (text.starts_with('/') || !text.contains('?'))
}

fn outcome(result: Result<(), TmuxError>) -> Outcome {
    match result {
        Ok(()) => Outcome::Done,
        Err(e) if e.is_unknown() || matches!(e, TmuxError::Io { .. }) => Outcome::Unknown { error: e.to_string() },
        // Part of a log line.
        Err(e) => Outcome::Failed { error: e.to_string().replace("\nhint: ", " — ") },
    }
}

fn written(result: std::io::Result<()>) -> Outcome {
    match result {
        Ok(()) => Outcome::Done,
        Err(e) => Outcome::Failed { error: super::words::plain(&e) },
    }
}

fn removed(path: &std::path::Path) -> Outcome {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => written(Err(e)),
        _ => Outcome::Done,
    }
}
