//! One engine: looks, decides, saves, acts, publishes, and sleeps until the next deadline or until something happens.
use super::{
    act::Hands,
    alerts::Alerts,
    config_file::ConfigFile,
    crash_point, evidence,
    eyes::Eyes,
    guarded::Guarded,
    journal::Journal,
    lock::Lock,
    memory::{self, ClockMark},
    own_files::OwnFiles,
    owner,
    paths::Paths,
    recorder::Decisions,
    saver::{RESOURCE, Saver},
    set_aside,
    wakeup::Wakeup,
};
use crate::{
    model::{
        action::ActionResult,
        event::{Event, EventKind},
        observation::{ConfigObs, GitObs, Observation, PhaseObs, ServerObs},
        policy::Policy,
        request::{Answer, Request, Verb},
        state::{Life, State},
        time::Boot,
    },
    store::{Store, StoreError},
    world::{clock, mishap, process::let_go_of_code},
};
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        mpsc::{Receiver, Sender, channel},
    },
    time::{Duration, Instant},
};

/// A program's death is seen before its shim has written it down.
const EXIT_RETRY: Duration = Duration::from_millis(5);
const MAX_EXIT_TRIES: u32 = 40;

pub struct Heart {
    pub paths: Paths,
    pub config: ConfigFile,
    pub saver: Saver,
    pub state: State,
    pub eyes: Eyes,
    pub hands: Hands,
    pub journal: Journal,
    pub(super) decisions: Decisions,
    pub(super) alerts: Alerts,
    mailbox: Receiver<Wakeup>,
    pub sender: Sender<Wakeup>,
    /// Watches over the fleet; else it only does what it was asked.
    pub(super) supervised: bool,
    pub(super) results: Vec<ActionResult>,
    own_files: OwnFiles,
    git: Option<GitObs>,
    phase: Option<PhaseObs>,
    config_news: Option<ConfigObs>,
    /// Requests of this process, beside those in the store.
    own_requests: Vec<Request>,
    pub(super) own_answers: Vec<Answer>,
    /// Sessions whose process was reported dead.
    exited: BTreeSet<String>,
    exit_tries: u32,
    /// Of a supervisor.
    pub lock: Option<Lock>,
    /// Of a detached one.
    pub guarded: Option<Guarded>,
    /// Faults of this program that were told.
    pub(super) mishaps: BTreeSet<String>,
}

/// Why a tick could not be finished.
#[derive(Debug, thiserror::Error)]
pub enum Halt {
    /// Nobody may go on with this store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A panic, in words.
    #[error("this program has a fault: {0}")]
    Mishap(String),
}

/// Whose the state folder is.
pub enum Ground {
    Ours,
    /// A verb made it anew and is at work there; soon over.
    Busy,
    /// Another supervisor made it anew.
    Anothers,
}

/// How a run of the engine ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Stopped,
    Settled,
    Deadline,
}

impl Heart {
    /// Takes over the fleet's memory. The caller holds the fleet's lock.
    pub fn new(
        config: ConfigFile,
        mut store: Box<dyn Store>,
        supervised: bool,
        journal: Journal,
    ) -> Result<Heart, StoreError> {
        let policy = config.policy.clone();
        let paths = Paths::of(&policy);
        let now = clock::now();
        let owner = format!("{}-{}", std::process::id(), now.boot.0);
        let db = paths.db.clone();
        owner::check(&*store, &policy, &db)?;
        let claim = store.claim(RESOURCE, &owner)?;
        owner::note(&mut *store, &policy);
        let mut state = store.load()?;
        let notices = store.notices();
        let boot_id = clock::boot_id();
        let mark: Option<ClockMark> = store.get(ClockMark::KEY)?.and_then(|text| serde_json::from_str(&text).ok());
        if let Some(by) = mark.and_then(|mark| mark.shift(&boot_id, now)) {
            memory::shift(&mut state, by);
            // Another boot: every pane and process of the old one is gone.
            state.fleet.server = ServerObs::Up { pid: 0 };
        }
        let mark = ClockMark { boot_id, boot: now.boot, wall: now.wall };
        let text = serde_json::to_string(&mark).unwrap_or_default();
        let _ = store.put(&[(ClockMark::KEY.to_owned(), text)].into());
        for unit in state.units.values_mut() {
            // A restored store may be older than what was started since.
            // What runs keeps its number: its end is recorded under it.
            if !matches!(unit.life, Life::Running { .. } | Life::Ending { .. } | Life::Starting { .. }) {
                unit.incarnation = unit.incarnation.max(super::shims::newest(&paths.run.join(&unit.session)));
            }
            memory::take_over(unit, now);
        }
        let seen = super::journal::last_beat(&paths.beat).map(|(at, _)| at).filter(|_| supervised);
        if supervised {
            state.fleet.taken_over = true;
            state.fleet.looked = seen.map(|at| memory::boot_of(at, now));
        }
        let (sender, mailbox) = channel();
        let eyes = Eyes::new(&policy, &paths, sender.clone());
        let hands = Hands::new(paths.clone());
        let decisions = Decisions::at(&paths.decisions);
        let own_files = OwnFiles::new(&paths, sender.clone());
        let mut heart = Heart {
            paths,
            config,
            saver: Saver::new(store, claim, db),
            state,
            eyes,
            hands,
            journal,
            decisions,
            alerts: Alerts::start(),
            mailbox,
            sender,
            supervised,
            results: Vec::new(),
            own_files,
            git: None,
            phase: None,
            config_news: None,
            own_requests: Vec::new(),
            own_answers: Vec::new(),
            exited: BTreeSet::new(),
            exit_tries: 0,
            lock: None,
            guarded: None,
            mishaps: BTreeSet::new(),
        };
        for notice in notices {
            heart.note(EventKind::Store, notice, true);
        }
        Ok(heart)
    }

    pub fn policy(&self) -> Arc<Policy> {
        self.config.policy.clone()
    }

    /// Runs until it is told to stop.
    pub fn run(&mut self, once: bool) -> Result<Ended, Halt> {
        let mut failed = 0;
        loop {
            match self.ground() {
                Ground::Ours => {}
                Ground::Anothers => return Ok(Ended::Stopped),
                Ground::Busy if self.wait(clock::boot().after(Duration::from_millis(50))) => return Ok(Ended::Stopped),
                Ground::Busy => continue,
            }
            let unguarded = self.stay_guarded();
            let wake_at = match mishap::caught(|| self.tick()).unwrap_or_else(|words| Err(Halt::Mishap(words))) {
                Err(Halt::Mishap(words)) if !once => {
                    failed += 1;
                    self.recover(&words, failed)
                }
                ticked => {
                    failed = 0;
                    ticked?
                }
            };
            if once {
                return Ok(Ended::Settled);
            }
            let wake_at = wake_at.min(unguarded.unwrap_or(wake_at));
            loop {
                if self.wait(wake_at) {
                    return Ok(Ended::Stopped);
                }
                // News does not make a tick that failed come sooner.
                if failed == 0 || clock::boot() >= wake_at {
                    break;
                }
            }
        }
    }

    /// The moment of the next try, if nobody guards a detached watchdog now.
    fn stay_guarded(&mut self) -> Option<Boot> {
        let (told, again) = self.guarded.as_mut()?.see_to_it(&self.eyes, clock::boot());
        if let Some(text) = told {
            self.note(EventKind::Watchdog, text, false);
        }
        again
    }

    /// Does what `verb` asks, pass by pass, until `settled` says so or the deadline has passed.
    pub fn perform(
        &mut self,
        verb: Verb,
        deadline: Boot,
        settled: &dyn Fn(&State) -> bool,
        say: &mut dyn FnMut(&Event),
    ) -> Result<(Answer, Ended), Halt> {
        self.own_requests.push(Request { id: 0, at: clock::now().wall, verb });
        loop {
            let wake_at = self.tick()?;
            self.journal.told.drain(..).for_each(|event| say(&event));
            if let Some(answer) = self.own_answers.last()
                && (!matches!(answer, Answer::Accepted { .. }) || settled(&self.state))
            {
                return Ok((answer.clone(), Ended::Settled));
            }
            if clock::boot() >= deadline {
                let answer = self.own_answers.pop().unwrap_or(Answer::Denied { text: "no answer".into() });
                return Ok((answer, Ended::Deadline));
            }
            if self.wait(wake_at.min(deadline)) {
                let answer = self.own_answers.pop().unwrap_or(Answer::Denied { text: "interrupted".into() });
                return Ok((answer, Ended::Stopped));
            }
        }
    }

    /// Lets the alerts that were raised run to their end.
    pub fn finish(self) {
        self.alerts.finish();
    }

    /// Sleeps until `at` or until something happens. True: told to stop.
    fn wait(&mut self, at: Boot) -> bool {
        let pause = Duration::from_millis(at.0.saturating_sub(clock::boot().0)).min(Duration::from_secs(3600));
        let mut first = self.mailbox.recv_timeout(pause).ok();
        while let Some(wakeup) = first.or_else(|| self.mailbox.try_recv().ok()) {
            first = None;
            match wakeup {
                Wakeup::Exit(session) => drop(self.exited.insert(session)),
                Wakeup::Git(obs) => self.git = Some(obs),
                Wakeup::Phase(obs) => self.phase = Some(obs),
                Wakeup::Poke | Wakeup::Tmux => {}
                Wakeup::Stop => return true,
            }
        }
        false
    }

    /// One tick: looks once, then decides until no action has a result that is still to be heard.
    pub fn tick(&mut self) -> Result<Boot, Halt> {
        let started = Instant::now();
        crash_point::stumble(|| "tick".into());
        let mut wake_at = self.pass(true)?;
        // A chain of results is short: prepared, launched, answered.
        for _ in 0..8 {
            if self.results.is_empty() {
                break;
            }
            wake_at = wake_at.min(self.pass(false)?);
        }
        if self.supervised {
            self.journal.beat(&self.paths.beat, clock::now().wall, started.elapsed());
        }
        Ok(wake_at)
    }

    fn pass(&mut self, look: bool) -> Result<Boot, Halt> {
        let now = clock::now();
        let signal = self.supervised && self.state.fleet.next_signal.is_none_or(|at| at <= now.boot);
        let heavy = self.supervised && self.state.fleet.next_heavy.is_none_or(|at| at <= now.boot);
        if look && self.supervised {
            self.follow_config(signal);
        }
        // Older requests first: what is asked here and now has the last word.
        let mut requests = if look { self.requests() } else { Vec::new() };
        requests.append(&mut self.own_requests);
        if requests.iter().any(|r| matches!(r.verb, Verb::Up { .. } | Verb::Restart { .. })) {
            self.config.release();
        }
        let policy = self.policy();
        let mut obs = Observation {
            supervised: self.supervised,
            results: std::mem::take(&mut self.results),
            requests,
            git: self.git.take(),
            phase: self.phase.take(),
            config: self.config_news.take(),
            store_failing: self.saver.is_failing(),
            ..Observation::default()
        };
        if look {
            let mut exited = std::mem::take(&mut self.exited);
            self.eyes.look(&mut obs, &self.state, &policy, &mut exited, now);
            self.exited = exited;
            obs.usage = evidence::tree_uses(&obs, &self.state, now);
            // A shim that is stopped never writes: the periodic look goes on without it.
            self.exit_tries = if self.exited.is_empty() { 0 } else { self.exit_tries + 1 };
            if self.exit_tries > MAX_EXIT_TRIES {
                self.exited.clear();
            }
        }
        self.own_files.tell(&mut obs, &policy);
        self.eyes.files(&mut obs, &self.state, &policy, now);
        if signal && look {
            obs.files.committed = evidence::committed(&policy);
        }
        obs.host = super::host::look(&obs, &self.state, &policy, now);
        let decision = set_aside::decide_around(&mut obs, &self.state, &policy, now).map_err(Halt::Mishap)?;
        let changes = self.write_down(&obs, &policy, now, &decision);
        let grown = self.own_files.grown(&obs);
        if look {
            self.eyes.keep(obs);
        }
        let wake_at = self.carry_out(decision, changes, &policy, now)?;
        if let Some(text) = self.own_files.ask(&self.state, &policy, grown, now) {
            self.note(EventKind::InternalError, text, true);
        }
        // After the decision: the question is about the positions and the phase that hold from now on.
        if signal {
            self.eyes.ask_git(&self.state, &policy);
        }
        if heavy {
            self.eyes.ask_phase(&self.state, &policy);
            // What a start, a restart or an odd screen needed of the program is not needed by quiet looks.
            let_go_of_code();
        }
        Ok(if self.exited.is_empty() { wake_at } else { wake_at.min(clock::boot().after(EXIT_RETRY)) })
    }

    fn requests(&mut self) -> Vec<Request> {
        match self.saver.store.requests() {
            Ok(requests) => {
                let answered = |r: &Request| self.saver.has_answered(r.id);
                let open = requests.into_iter().filter(|r| !answered(r));
                open.map(|r| super::messages::by_reference(r, &self.paths, &self.state)).collect()
            }
            Err(e) => {
                self.journal.line(clock::now().wall, &format!("WARNING: cannot read requests: {e}"));
                Vec::new()
            }
        }
    }

    fn follow_config(&mut self, recheck: bool) {
        let Some(news) = self.config.follow(recheck) else { return };
        if let ConfigObs::Changed { .. } = news {
            let text = self.config.text.clone();
            let _ = self.saver.store.put(&[(super::config_file::LAST_GOOD.to_owned(), text)].into());
            self.eyes.config_changed(&self.config.policy);
        }
        self.config_news = Some(news);
    }
}
