//! The looking half of the engine: tmux, processes, files, git. Fills one observation.
use super::{
    known_panes::{Depth, KnownPanes, Listed},
    log_writers::LogWriters,
    paths::Paths,
    screens::{self, Scene, Screens},
    server,
    settling::Settling,
    shims,
    wakeup::Wakeup,
};
use crate::{
    decide::{self, done_marker},
    model::{
        delivery::{Delivery, Stage},
        observation::{FilesObs, Observation, PaneObs, PhaseObs, ServerObs},
        policy::Policy,
        state::{Life, State, UnitState, Wish},
        time::{Now, Wall},
    },
    world::{
        git::{GitJob, GitQuery, GitReply, GitWorker, StatusQuery},
        process::{ExitWatcher, ProcId, has_unread_input},
        tmux::{Client, Notice, Server, TmuxError},
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, mpsc::Sender},
    time::UNIX_EPOCH,
};

const GIT_LOOK: u64 = 1;
const GIT_PHASE: u64 = 2;

/// Before a session's name: the watch on the program, not on its shim.
const PROGRAM: &str = "program ";
/// No session has such a name: the watch on who brings us back.
const GUARDIAN: &str = "guardian ";

pub struct Eyes {
    pub server: Server,
    pub client: Option<Client>,
    screens: Screens,
    /// `None`: this system has no pidfds; deaths are seen by the next look.
    watcher: Option<ExitWatcher>,
    log_writers: LogWriters,
    git: Option<GitWorker>,
    sender: Sender<Wakeup>,
    paths: Paths,
    /// The marker that says done.
    done_marker_now: Arc<Mutex<String>>,
    watched: BTreeMap<String, ProcId>,
    /// Session -> incarnation whose program is watched.
    programs: BTreeMap<String, u64>,
    /// Every program that there is to watch is watched.
    all_watched: bool,
    pub(super) supervised_client: bool,
    pub captured: usize,
    pub(super) last_connect: Option<std::time::Instant>,
    pub(super) known: KnownPanes,
    settling: Settling,
    pub(super) last_rescue: Option<std::time::Instant>,
}

impl Eyes {
    pub fn new(policy: &Policy, paths: &Paths, sender: Sender<Wakeup>) -> Eyes {
        let to_engine = sender.clone();
        let log_writers = LogWriters::default();
        let is_log_writer = log_writers.listener();
        let watcher = ExitWatcher::new(move |session: String| {
            if is_log_writer(&session) {
                return;
            }
            if session == GUARDIAN {
                return drop(to_engine.send(Wakeup::Poke));
            }
            let session = session.strip_prefix(PROGRAM).unwrap_or(&session).to_owned();
            drop(to_engine.send(Wakeup::Exit(session)));
        })
        .ok();
        Eyes {
            server: server::of(policy, paths),
            client: None,
            screens: Screens::default(),
            watcher,
            log_writers,
            git: None,
            sender,
            paths: paths.clone(),
            done_marker_now: Arc::default(),
            watched: BTreeMap::new(),
            programs: BTreeMap::new(),
            all_watched: false,
            supervised_client: false,
            captured: 0,
            last_connect: None,
            known: KnownPanes::new(&paths.log_dir),
            settling: Settling::default(),
            last_rescue: None,
        }
    }

    /// From now on the end of this process wakes the engine. `false`: it is over, or nobody can tell.
    pub fn wakes_at_end_of(&self, guardian: ProcId) -> bool {
        self.watcher.as_ref().is_some_and(|watcher| watcher.watch(GUARDIAN, guardian))
    }

    pub fn config_changed(&mut self, _policy: &Policy) {
        self.screens.forget_readings();
    }

    pub fn also_said(&mut self, session: &str, text: &str) {
        self.screens.also_said(session, text);
    }

    /// A connection to the server; starts the server if there is none.
    pub fn connect(&mut self, policy: &Policy) -> Result<&mut Client, TmuxError> {
        if self.client.is_none() {
            let sender = self.sender.clone();
            let herald = self.known.herald();
            let anchor = server::anchor(policy, &self.paths);
            let client = Client::connect(&self.server, &anchor, move |_: Notice| {
                herald();
                drop(sender.send(Wakeup::Tmux));
            })?;
            self.client = Some(client);
            self.known.forget();
        }
        self.client.as_mut().ok_or_else(|| TmuxError::Protocol("no connection".into()))
    }

    /// Lists every pane, reads the screens the mind wants, and collects recorded ends.
    pub fn look(
        &mut self,
        obs: &mut Observation,
        state: &State,
        policy: &Policy,
        exited: &mut BTreeSet<String>,
        now: Now,
    ) {
        // A lost writer is replaced in a periodic pass.
        if state.fleet.next_signal.is_none_or(|at| at <= now.boot) {
            obs.logless = self.log_writers.missing(state, &self.paths);
            self.all_watched &= !self.log_writers.is_any_new();
        }
        let depth = match self.watcher {
            Some(_) => self.known.depth(obs, state, exited, now),
            None => Depth::Whole,
        };
        let rows = self.rows(state, policy, obs.supervised, depth);
        let same = matches!(rows, Ok(Some((_, Listed::Same))));
        match rows {
            Ok(Some((pid, Listed::Same))) => {
                obs.server = ServerObs::Up { pid };
                (obs.panes, obs.occupied) = self.known.seen(now);
            }
            Ok(Some((pid, Listed::Rows(rows)))) => {
                obs.server = ServerObs::Up { pid };
                obs.panes = screens::own_panes(&rows, state, policy, &self.paths.run);
                obs.occupied = rows.iter().map(|r| r.session_name.clone()).collect();
                self.known.keep(rows);
            }
            Ok(None) => obs.server = ServerObs::Down,
            Err(_) => {
                obs.server = ServerObs::Unresponsive;
                // Whatever happens until it answers is told by nobody.
                self.known.forget();
            }
        }
        self.exits(obs, state, exited, same);
        if !(same && self.all_watched) {
            self.watch(state, obs);
        }
        obs.unread = unread(obs, state);
        obs.unsettled = self.settling.look(obs, state, now);
        let wanted = decide::looks(state, policy, now, obs.supervised);
        if !wanted.is_empty() && matches!(obs.server, ServerObs::Up { .. }) && self.connect(policy).is_ok() {
            let paths = self.paths.clone();
            let kickoff = move |session: &str| std::fs::read_to_string(paths.kickoff(session)).unwrap_or_default();
            if let Some(client) = self.client.as_mut() {
                match self.screens.read(
                    client,
                    &wanted,
                    &mut obs.panes,
                    &Scene { state, policy, kickoff: &kickoff, now },
                ) {
                    Ok(sighted) => {
                        obs.readings = sighted.readings;
                        obs.broken = sighted.broken;
                        self.captured = sighted.captured;
                    }
                    // No reading is no verdict. Our connection outlives its socket's file; a capture does not.
                    Err(e) => {
                        self.captured = 0;
                        if matches!(e, TmuxError::ServerDown(_) | TmuxError::Socket(_)) {
                            self.mend_socket(state);
                        }
                    }
                }
            }
        }
    }

    /// After the decision on `obs`: what it shows may hold for the next look as well.
    pub fn keep(&mut self, obs: Observation) {
        if matches!(obs.server, ServerObs::Up { .. }) {
            self.known.keep_seen((obs.panes, obs.occupied));
        }
    }

    /// `same`: the panes are those of the last look.
    fn exits(&self, obs: &mut Observation, state: &State, exited: &mut BTreeSet<String>, same: bool) {
        // A death whose shim is not one of ours is never written down.
        let silent = obs.server == ServerObs::Unresponsive;
        exited.retain(|s| {
            let ours = state.units.get(s).and_then(|u| u.pane.as_ref()).is_some_and(|p| p.incarnation.is_some());
            ours && (silent || obs.panes.get(s).is_some_and(|p| !p.dead))
        });
        let settled_before = |u: &UnitState| u.pane.as_ref().is_some_and(|p| !p.dead);
        for unit in state.units.values() {
            if same && exited.is_empty() && matches!(unit.life, Life::Running { .. }) && settled_before(unit) {
                continue;
            }
            let pane = obs.panes.get(&unit.session);
            let settled = matches!(unit.life, Life::Running { .. }) && pane.is_some_and(|p| !p.dead);
            let dormant = matches!(unit.life, Life::Absent | Life::Done | Life::Backoff { .. } | Life::GaveUp { .. });
            if (settled && !exited.contains(&unit.session)) || (dormant && pane.is_none()) {
                continue;
            }
            if let Some(exit) = shims::exit(&self.paths.run_dir(&unit.session, unit.incarnation)) {
                obs.exits.insert(unit.session.clone(), exit);
                exited.remove(&unit.session);
            }
            if pane.is_none()
                && let Some(p) = &unit.pane
                && (ProcId { pid: p.pid, start: p.pid_start }).is_alive()
            {
                obs.lingering.insert(unit.session.clone());
            }
        }
    }

    /// Keeps an exit watch on the first process of every pane.
    fn watch(&mut self, state: &State, obs: &Observation) {
        self.all_watched = true;
        for unit in state.units.values() {
            let pane = obs.panes.get(&unit.session).or(unit.pane.as_ref()).filter(|p| !p.dead && p.pid_start != 0);
            match pane {
                Some(p) => {
                    self.watch_one(&unit.session, ProcId { pid: p.pid, start: p.pid_start });
                    self.watch_program(unit, p);
                }
                None => {
                    if self.watched.remove(&unit.session).is_some()
                        && let Some(watcher) = &self.watcher
                    {
                        watcher.forget(&unit.session);
                    }
                }
            }
        }
        if let Some(watcher) = &self.watcher {
            self.log_writers.watch(watcher, state, &self.paths);
        }
    }

    /// The program itself, below its shim: the shim may still be ending what the program left behind.
    fn watch_program(&mut self, unit: &UnitState, pane: &PaneObs) {
        if pane.incarnation != Some(unit.incarnation) || self.programs.get(&unit.session) == Some(&unit.incarnation) {
            return;
        }
        let Some(program) = shims::program(&self.paths.run_dir(&unit.session, unit.incarnation)) else {
            self.all_watched = false;
            return;
        };
        self.programs.insert(unit.session.clone(), unit.incarnation);
        let key = format!("{PROGRAM}{}", unit.session);
        if self.watcher.as_ref().is_some_and(|w| !w.watch(&key, program)) {
            let _ = self.sender.send(Wakeup::Exit(unit.session.clone()));
        }
    }

    pub fn watch_one(&mut self, session: &str, process: ProcId) {
        if self.watched.get(session) == Some(&process) {
            return;
        }
        self.watched.insert(session.to_owned(), process);
        let over = self.watcher.as_ref().is_some_and(|w| !w.watch(session, process));
        if over {
            let _ = self.sender.send(Wakeup::Exit(session.to_owned()));
        }
    }

    /// The files that people and agents leave for us.
    pub fn files(&self, obs: &mut Observation, state: &State, policy: &Policy, now: Now) {
        let mut files = FilesObs { sequence_complete: self.paths.sequence_complete().exists(), ..FilesObs::default() };
        if let Some(phases) = &policy.phases {
            // Gone means the first phase; unreadable or half-written means nothing.
            files.phase_index = match std::fs::read_to_string(&phases.state_file) {
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => None,
                Err(_) => Some(-1),
                Ok(text) => Some(text.trim().parse().unwrap_or(-1)),
            };
            files.trigger = phases.on_complete.as_ref().is_some_and(|c| c.trigger_file.exists());
        }
        for agent in &policy.agents {
            if agent.backend.reader.footer_ui && obs.readings.contains_key(&agent.session) {
                let written = std::fs::metadata(self.paths.session_log(&agent.session)).and_then(|m| m.modified());
                if let Ok(at) = written
                    && let Ok(since) = at.duration_since(UNIX_EPOCH)
                {
                    files.log_written.insert(agent.session.clone(), Wall(since.as_millis() as i64));
                }
            }
            let Some(wake) = &agent.wake else { continue };
            let unit = state.units.get(&agent.session);
            let due = unit.is_some_and(|u| {
                u.wake_due.is_some_and(|at| at <= now.boot)
                    && matches!(u.life, Life::Running { .. })
                    && u.wish != Wish::Pause
            });
            if due && obs.supervised {
                let text = crate::world::file::read(&wake.prompt_file, 1 << 20)
                    .map(|b| String::from_utf8_lossy(&b).into_owned());
                files.wake_prompts.insert(agent.session.clone(), text.map_err(|e| super::words::plain(&e)));
            }
        }
        obs.files = files;
    }

    fn git(&mut self) -> &GitWorker {
        let sender = self.sender.clone();
        let asked = self.done_marker_now.clone();
        self.git.get_or_insert_with(|| {
            GitWorker::spawn(move |answer| {
                let wakeup = match answer.reply {
                    GitReply::Look(obs) => Wakeup::Git(obs),
                    GitReply::Status(file) => {
                        let marker = asked.lock().map(|a| a.clone()).unwrap_or_default();
                        let index = (answer.id - GIT_PHASE) as usize;
                        let done = file.text.is_some_and(|text| done_marker::is_done(&text, &marker));
                        Wakeup::Phase(PhaseObs { index, done, source: file.source })
                    }
                };
                let _ = sender.send(wakeup);
            })
        })
    }

    /// Asks for news of the repository; the answer wakes the engine.
    pub fn ask_git(&mut self, state: &State, policy: &Policy) {
        let Some(phases) = policy.phases.as_ref().filter(|_| policy.has_loops()) else { return };
        let Some(handoff) = &phases.handoff else { return };
        let memory = &state.fleet.handoff;
        let query = GitQuery {
            repo: phases.repo.clone(),
            known_heads: memory.heads.clone(),
            first_sight: !memory.seen_once,
            inboxes: handoff.inboxes.clone(),
            state_subdir: phases.state_subdir.clone(),
            fetch: true,
            fetch_timeout: policy.watchdog.fetch_timeout,
        };
        self.git().ask(GIT_LOOK, GitJob::Look(query));
    }

    /// Asks for the current phase's status file.
    pub fn ask_phase(&mut self, state: &State, policy: &Policy) {
        let Some(phases) = policy.phases.as_ref().filter(|l| policy.has_loops() && l.auto_advance) else { return };
        let index = state.fleet.phase;
        let Some(phase) = phases.phases.get(index).filter(|p| !p.status.is_empty()) else { return };
        if let Ok(mut asked) = self.done_marker_now.lock() {
            phases.done_marker.clone_into(&mut asked);
        }
        let query = StatusQuery {
            repo: phases.repo.clone(),
            state_subdir: phases.state_subdir.clone(),
            file: phase.status.clone(),
            done_from: phases.done_from.clone(),
        };
        self.git().ask(GIT_PHASE + index as u64, GitJob::Status(query));
    }
}

/// Sessions in which something was typed that its program has not even read.
fn unread(obs: &Observation, state: &State) -> BTreeSet<String> {
    let typed = |d: &&Delivery| matches!(d.stage, Stage::Typing { .. } | Stage::Submitting { .. });
    let typed = state.deliveries.values().filter(typed);
    let has_unread = |session: &&String| {
        let pane = obs.panes.get(*session).filter(|p| p.pid_start != 0);
        pane.is_some_and(|p| has_unread_input(ProcId { pid: p.pid, start: p.pid_start }) == Some(true))
    };
    typed.map(|d| &d.session).filter(has_unread).cloned().collect()
}
