//! A fleet without a machine: launches succeed, ends are obeyed, screens say what the test wants.
use crate::{
    decide::{Decision, decide, looks, ours, tree_looks},
    model::{
        action::{Action, ActionResult, Outcome},
        event::{Event, EventKind},
        observation::{ExitRecord, Observation, PaneObs, ServerObs, TreeUse},
        policy::*,
        reading::{Draft, Evidence, OursSeen, Reading},
        request::{Request, Verb},
        state::{Life, State},
        time::{Boot, Now, Wall},
    },
    replay::tests::Witness,
};
use std::{collections::BTreeMap, time::Duration};

use super::menu::Menu;
pub use super::samples::*;

pub fn evidence(rule: &str) -> Option<Evidence> {
    Some(Evidence { source: "pane".into(), rule: rule.into(), line: 0, text: rule.into(), quoted: false })
}

/// What one program shows, and what happens to what is typed to it.
#[derive(Clone, Default)]
pub struct Program {
    pub reading: Reading,
    /// Typed, not submitted.
    pub composer: String,
    pub submitted: Vec<String>,
    /// Keys that are swallowed before one works.
    pub deaf: u32,
    pub presses: u32,
    pub erased: u32,
    /// Typed text does not show.
    pub blind: bool,
    /// It reads no keys for now.
    pub away: bool,
    /// So much of what was typed shows so far.
    pub shows: Option<usize>,
    /// Something new stands below what was typed last.
    pub answers: bool,
    /// What was typed is gone from its conversation.
    pub forgets: bool,
    /// What its processes use of the machine: thousandths of a core, bytes a second.
    pub uses: (u64, u64),
    /// Beside the program itself: pid and start.
    pub children: BTreeMap<u32, Boot>,
    /// So far.
    pub used: TreeUse,
    counted: Boot,
    /// Nobody may look at its processes.
    pub unseen_tree: bool,
    /// Its backend has no `draft_re`.
    pub no_draft_re: bool,
    /// So many submit keys find the cursor elsewhere.
    pub refused: u32,
    pub menu: Option<Menu>,
    /// Pressed in a dialog.
    pub keys: Vec<String>,
}

pub struct World {
    pub policy: Policy,
    pub state: State,
    pub now: Now,
    pub obs: Observation,
    pub programs: BTreeMap<String, Program>,
    pub events: Vec<Event>,
    pub actions: Vec<Action>,
    pub launches: Vec<(Boot, String)>,
    prepared: Vec<(Boot, String)>,
    results: Vec<ActionResult>,
    next_pid: u32,
    next_request: i64,
    pub refuse_prepare: bool,
    /// The same for this session alone.
    pub refuse_session: Option<String>,
    pub supervised: bool,
    /// tmux does nothing that it is told.
    pub frozen: bool,
    pub witness: Witness,
}

impl World {
    pub fn new(agents: Vec<Agent>) -> World {
        World {
            policy: policy(agents),
            state: State::default(),
            now: Now { boot: Boot(1_000_000), wall: Wall(1_781_524_800_000), utc_offset_s: 0, ..Now::default() },
            obs: Observation { server: ServerObs::Up { pid: 7 }, ..Observation::default() },
            programs: BTreeMap::new(),
            events: Vec::new(),
            actions: Vec::new(),
            launches: Vec::new(),
            prepared: Vec::new(),
            results: Vec::new(),
            next_pid: 100,
            next_request: 1,
            refuse_prepare: false,
            refuse_session: None,
            supervised: true,
            frozen: false,
            witness: Witness::default(),
        }
    }

    /// One decision now; its orders are carried out.
    pub fn tick(&mut self) -> Decision {
        let mut obs = self.obs.clone();
        self.obs.git = None;
        self.obs.phase = None;
        self.obs.requests.clear();
        self.obs.config = None;
        self.obs.files.wake_prompts.clear();
        obs.supervised = self.supervised;
        obs.results = std::mem::take(&mut self.results);
        for program in self.programs.values_mut() {
            let ms = self.now.boot.since(program.counted).as_millis() as u64;
            program.used.cpu_ms += ms * program.uses.0 / 1000;
            program.used.io_bytes += ms * program.uses.1 / 1000;
            program.counted = self.now.boot;
        }
        for session in looks(&self.state, &self.policy, self.now, self.supervised) {
            if !obs.panes.contains_key(session) {
                continue;
            }
            let ids = ours::texts(&self.state).remove(session).unwrap_or_default();
            let program = self.programs.entry(session.to_owned()).or_default();
            let mut reading = program.reading.clone();
            reading.at = self.now.boot;
            reading.screen = reading
                .screen
                .wrapping_mul(31)
                .wrapping_add(program.composer.len() as u64 + 1000 * program.submitted.len() as u64);
            let drawn: String = program.composer.chars().take(program.shows.unwrap_or(usize::MAX)).collect();
            if !drawn.is_empty() && !program.blind {
                let typed = drawn.as_str();
                let mine = |text: &str| text == typed || (program.no_draft_re && typed.ends_with(text));
                let ours = ids.iter().find(|(_, text)| mine(text));
                let partial = ids.iter().find(|(_, text)| ours.is_none() && text.starts_with(typed));
                let shown = ours.map_or(&drawn, |(_, text)| text);
                reading.draft = (!program.no_draft_re || ours.is_some()).then(|| Draft {
                    text: shown.clone(),
                    chars: shown.chars().count(),
                    ours: ours.map(|(id, _)| *id),
                    begins: partial.map(|(id, _)| *id),
                });
            }
            if let Some(menu) = &mut program.menu {
                menu.draw(&mut reading, self.now.boot);
            }
            for (id, text) in ids {
                let stands = program.composer == text && !drawn.is_empty();
                let shown = program.submitted.iter().filter(|t| **t == text).count() + usize::from(stands);
                let count = if program.blind { 0 } else { shown };
                let tail = 1 + program.submitted.len() as u64 + 1000 * drawn.len() as u64;
                reading.ours.push(OursSeen {
                    delivery: id,
                    count,
                    tail,
                    at_cursor: stands,
                    answered: program.answers,
                    failed: program.forgets,
                });
            }
            obs.readings.insert(session.to_owned(), reading.into());
        }
        for session in tree_looks(&self.state, self.now) {
            let program = self.programs.entry(session.to_owned()).or_default();
            if obs.panes.contains_key(session) && !program.unseen_tree {
                let processes = program.children.clone();
                obs.usage.insert(session.to_owned(), TreeUse { processes, ..program.used.clone() });
            }
        }
        for agent in &self.policy.agents {
            let due =
                self.state.units.get(&agent.session).and_then(|u| u.wake_due).is_some_and(|at| at <= self.now.boot);
            if agent.wake.is_some() && due {
                obs.files.wake_prompts.entry(agent.session.clone()).or_insert(Ok("wake up\nand look".into()));
            }
        }
        let decision = decide(&obs, &self.state, &self.policy, self.now);
        let again = decide(&obs, &self.state, &self.policy, self.now);
        assert_eq!(decision, again, "the same input gives the same decision");
        self.witness.saw(&obs, &self.state, &self.policy, self.now, &decision);
        self.state = decision.state.clone();
        self.events.extend(decision.events.clone());
        for action in decision.actions.clone() {
            self.carry_out(action);
        }
        decision
    }

    /// Ticks at every moment the mind asks for, and after its orders, until `d` has passed.
    pub fn run(&mut self, d: Duration) {
        let end = self.now.after(d);
        let mut ticks = 0;
        loop {
            let decision = self.tick();
            ticks += 1;
            assert!(ticks < 200_000, "the mind spins");
            let next =
                if self.results.is_empty() { decision.wake_at } else { self.now.after(Duration::from_millis(5)) };
            let next = next.max(Boot(self.now.boot.0 + 1));
            if next > end {
                self.now = self.now.plus(end.since(self.now.boot));
                return;
            }
            self.now = self.now.plus(next.since(self.now.boot));
        }
    }

    fn carry_out(&mut self, action: Action) {
        if self.frozen && !matches!(action, Action::Prepare { .. }) {
            let outcome = Outcome::Unknown { error: "no answer".into() };
            self.results.push(ActionResult { action, at: self.now.wall, outcome });
            return;
        }
        if let Action::Prepare { session, .. } = &action {
            self.prepared.push((self.now.boot, session.clone()));
        }
        let refused =
            self.refuse_prepare || self.refuse_session.is_some() && action.session() == self.refuse_session.as_deref();
        let outcome = match &action {
            Action::Prepare { .. } if refused => Outcome::Failed { error: "prompt file missing".into() },
            Action::Prepare { session, .. } => {
                Outcome::Prepared { log_line: format!("starting {session}"), notes: vec![] }
            }
            Action::Launch { .. } | Action::End { .. } if refused => return,
            Action::Launch { session, incarnation } => {
                self.launches.push((self.now.boot, session.clone()));
                self.next_pid += 1;
                let pid = self.next_pid;
                let pane = PaneObs {
                    pane_id: format!("%{pid}"),
                    session_id: format!("${pid}"),
                    pid,
                    pid_start: 5,
                    incarnation: Some(*incarnation),
                    command: "claude".into(),
                    piped: true,
                    ..PaneObs::default()
                };
                assert!(!self.obs.panes.contains_key(session), "{session} started twice");
                self.obs.panes.insert(session.clone(), pane);
                self.obs.exits.remove(session);
                self.programs.entry(session.clone()).or_default().composer.clear();
                Outcome::Launched { pane_id: format!("%{pid}"), session_id: format!("${pid}"), pid, pid_start: 5 }
            }
            Action::End { session, incarnation, .. } => {
                self.exit(session, *incarnation, None, Some(15));
                Outcome::Done
            }
            Action::Clear { session } => {
                self.obs.panes.remove(session);
                Outcome::Done
            }
            Action::Type { session, text, .. } => {
                let program = self.programs.entry(session.clone()).or_default();
                program.composer.push_str(text);
                Outcome::Done
            }
            Action::Press { session, .. } => {
                let program = self.programs.entry(session.clone()).or_default();
                if program.refused > 0 {
                    program.refused -= 1;
                    let outcome = Outcome::Failed { error: "the cursor has moved".into() };
                    self.results.push(ActionResult { action, at: self.now.wall, outcome });
                    return;
                }
                program.presses += 1;
                if program.away {
                    self.obs.unread.insert(session.clone());
                } else if program.deaf > 0 {
                    program.deaf -= 1;
                } else if !program.composer.is_empty() {
                    let text = std::mem::take(&mut program.composer);
                    program.submitted.push(text);
                }
                Outcome::Done
            }
            Action::Choose { session, key, .. } => {
                let program = self.programs.entry(session.clone()).or_default();
                program.keys.push(key.clone());
                let refused = program.menu.as_mut().is_some_and(|m| std::mem::take(&mut m.refuses));
                if let Some(menu) = program.menu.as_mut().filter(|_| !refused)
                    && menu.is_answered_by(key)
                {
                    program.menu = menu.next.take().map(|next| *next);
                }
                match refused {
                    true => Outcome::Failed { error: "the screen has changed".into() },
                    false => Outcome::Done,
                }
            }
            Action::Erase { session, count, .. } => {
                let program = self.programs.entry(session.clone()).or_default();
                let keep = program.composer.chars().count().saturating_sub(*count);
                program.composer = program.composer.chars().take(keep).collect();
                program.erased += 1;
                Outcome::Done
            }
            Action::LeaveMode { session } => {
                if let Some(pane) = self.obs.panes.get_mut(session) {
                    pane.in_mode = false;
                }
                Outcome::Done
            }
            Action::WritePhase { index } => {
                self.obs.files.phase_index = Some(*index as i64);
                Outcome::Done
            }
            Action::WriteSequenceComplete { .. } => {
                self.obs.files.sequence_complete = true;
                Outcome::Done
            }
            Action::RemoveSequenceComplete => {
                self.obs.files.sequence_complete = false;
                Outcome::Done
            }
            Action::RemoveTrigger => {
                self.obs.files.trigger = false;
                Outcome::Done
            }
            _ => Outcome::Done,
        };
        self.actions.push(action.clone());
        self.results.push(ActionResult { action, at: self.now.wall, outcome });
    }

    /// The program of this session ended.
    pub fn exit(&mut self, session: &str, incarnation: u64, code: Option<i32>, signal: Option<i32>) {
        self.obs.panes.remove(session);
        let record = ExitRecord { incarnation, code, signal, at: self.now.wall, error: None, tree_ended: true };
        self.obs.exits.insert(session.to_owned(), record);
    }

    pub fn crash(&mut self, session: &str) {
        let incarnation = self.state.units[session].incarnation;
        self.exit(session, incarnation, Some(1), None);
    }

    pub fn ask(&mut self, verb: Verb) {
        let id = self.next_request;
        self.next_request += 1;
        self.obs.requests.push(Request { id, at: self.now.wall, verb });
    }

    pub fn up(&mut self, names: &[&str]) {
        let names = names.iter().map(|n| n.to_string()).collect();
        self.ask(Verb::Up { names, named: true, models: BTreeMap::new(), backends: BTreeMap::new() });
    }

    pub fn program(&mut self, session: &str) -> &mut Program {
        self.programs.entry(session.to_owned()).or_default()
    }

    /// When its starts were prepared.
    pub fn prepared(&self, session: &str) -> Vec<Boot> {
        self.prepared.iter().filter(|(_, s)| s == session).map(|(at, _)| *at).collect()
    }

    pub fn life(&self, session: &str) -> &Life {
        &self.state.units[session].life
    }

    pub fn count(&self, kind: EventKind) -> usize {
        self.events.iter().filter(|e| e.kind == kind).count()
    }

    pub fn said(&self, part: &str) -> bool {
        self.events.iter().any(|e| e.text.contains(part))
    }

    pub fn typed(&self, session: &str) -> usize {
        self.actions.iter().filter(|a| matches!(a, Action::Type { session: s, .. } if s == session)).count()
    }
}
