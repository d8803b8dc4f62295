//! One engine: looks, decides, saves, acts, publishes, and sleeps until the next deadline or until something happens.
use super::{
    act::Hands,
    alerts::Alerts,
    config_file::ConfigFile,
    eyes::Eyes,
    journal::Journal,
    memory::{self, ClockMark},
    paths::Paths,
    wakeup::Wakeup,
};
use crate::{
    decide::{self, Decision},
    model::{
        action::{Action, ActionResult},
        event::{Event, EventKind},
        observation::{ConfigObs, GitObs, Observation, PhaseObs, ServerObs},
        policy::Policy,
        request::{Answer, Request, Verb},
        state::State,
        time::{Boot, Now},
    },
    store::{Changes, Claim, Durability, Store, StoreError},
    world::clock,
};
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        mpsc::{Receiver, Sender, channel},
    },
    time::{Duration, Instant},
};

/// The resource under which the engine claims the store.
pub const RESOURCE: &str = "engine";

pub struct Heart {
    pub paths: Paths,
    pub config: ConfigFile,
    pub store: Box<dyn Store>,
    pub claim: Claim,
    pub state: State,
    pub eyes: Eyes,
    pub hands: Hands,
    pub journal: Journal,
    alerts: Alerts,
    mailbox: Receiver<Wakeup>,
    pub sender: Sender<Wakeup>,
    /// Watches over the fleet; else it only does what it was asked.
    supervised: bool,
    store_failing: bool,
    results: Vec<ActionResult>,
    git: Option<GitObs>,
    phase: Option<PhaseObs>,
    config_news: Option<ConfigObs>,
    /// Requests of this process, beside those in the store.
    own_requests: Vec<Request>,
    own_answers: Vec<Answer>,
    /// Sessions whose process was reported dead.
    exited: BTreeSet<String>,
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
        let claim = store.claim(RESOURCE, &owner)?;
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
            unit.incarnation = unit.incarnation.max(super::shims::newest(&paths.run.join(&unit.session)));
            memory::take_over(unit, now);
        }
        let (sender, mailbox) = channel();
        let eyes = Eyes::new(&policy, &paths, sender.clone());
        let hands = Hands::new(paths.clone());
        let mut heart = Heart {
            paths,
            config,
            store,
            claim,
            state,
            eyes,
            hands,
            journal,
            alerts: Alerts::start(),
            mailbox,
            sender,
            supervised,
            store_failing: false,
            results: Vec::new(),
            git: None,
            phase: None,
            config_news: None,
            own_requests: Vec::new(),
            own_answers: Vec::new(),
            exited: BTreeSet::new(),
        };
        for notice in notices {
            heart.note(EventKind::Store, notice, true);
        }
        Ok(heart)
    }

    pub fn policy(&self) -> Arc<Policy> {
        self.config.policy.clone()
    }

    /// Writes an event that no decision made.
    pub fn note(&mut self, kind: EventKind, text: String, alert: bool) {
        let event = Event {
            seq: 0,
            at: clock::now().wall,
            kind,
            agent: None,
            text: crate::model::name::printable(&text),
            data: serde_json::Value::Null,
            alert,
        };
        self.publish(std::slice::from_ref(&event));
        if alert && let Some(command) = &self.policy().alert {
            let _ = self.alerts.raise(command, &event);
        }
        let changes = Changes { events: vec![event], ..Changes::default() };
        let _ = self.store.save(&self.claim, &changes, Durability::Normal);
    }

    /// Runs until it is told to stop.
    pub fn run(&mut self, once: bool) -> Result<Ended, StoreError> {
        loop {
            let wake_at = self.tick()?;
            if once {
                return Ok(Ended::Settled);
            }
            if self.wait(wake_at) {
                return Ok(Ended::Stopped);
            }
        }
    }

    /// Does what `verb` asks, pass by pass, until `settled` says so or the deadline has passed.
    pub fn perform(
        &mut self,
        verb: Verb,
        deadline: Boot,
        settled: &dyn Fn(&State) -> bool,
        say: &mut dyn FnMut(&Event),
    ) -> Result<(Answer, Ended), StoreError> {
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
    pub fn tick(&mut self) -> Result<Boot, StoreError> {
        let started = Instant::now();
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

    fn pass(&mut self, look: bool) -> Result<Boot, StoreError> {
        let now = clock::now();
        let signal = self.supervised && self.state.fleet.next_signal.is_none_or(|at| at <= now.boot);
        let heavy = self.supervised && self.state.fleet.next_heavy.is_none_or(|at| at <= now.boot);
        if look && self.supervised {
            self.follow_config(signal);
        }
        let mut requests = std::mem::take(&mut self.own_requests);
        if look {
            requests.extend(self.requests());
        }
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
            store_failing: self.store_failing,
            ..Observation::default()
        };
        if look {
            let exited = std::mem::take(&mut self.exited);
            self.eyes.look(&mut obs, &self.state, &policy, &exited, now);
        }
        self.eyes.files(&mut obs, &self.state, &policy, now);
        if signal {
            self.eyes.ask_git(&self.state, &policy);
        }
        if heavy {
            self.eyes.ask_phase(&self.state, &policy);
        }
        let decision = decide::decide(&obs, &self.state, &policy, now);
        self.carry_out(decision, &policy, now)
    }

    fn carry_out(&mut self, decision: Decision, policy: &Arc<Policy>, now: Now) -> Result<Boot, StoreError> {
        let Decision { state, mut actions, events, wake_at } = decision;
        let mut changes = memory::changes(&self.state, &state);
        changes.events = events;
        actions.retain(|action| match action {
            Action::Answer { request, answer } => {
                match request {
                    0 => self.own_answers.push(answer.clone()),
                    id => changes.answers.push((*id, answer.clone())),
                }
                false
            }
            Action::Alert { event } => {
                if let Some(command) = &policy.alert
                    && let Err(why) = self.alerts.raise(command, event)
                {
                    self.journal.line(now.wall, &format!("WARNING: an alert was dropped: {why}"));
                }
                false
            }
            _ => true,
        });
        let urgent = actions.iter().any(|a| a.needs_intent() || matches!(a, Action::Launch { .. }));
        self.save(&changes, urgent, &state)?;
        self.state = state;
        if self.store_failing {
            // Nothing is typed or ended while no intent can be recorded. Starts go on: the tmux name is the lock.
            let (held, free) = actions.into_iter().partition(Action::needs_intent);
            actions = free;
            self.hands.refuse(held, "nothing can be saved", &mut self.results, now);
        }
        self.publish(&changes.events);
        self.hands.act(actions, policy, &self.state, &mut self.eyes, &mut self.results);
        Ok(wake_at)
    }

    fn save(&mut self, changes: &Changes, urgent: bool, state: &State) -> Result<(), StoreError> {
        // After a failure the whole state is due, not only what changed since.
        let whole;
        let changes = if self.store_failing {
            whole = Changes {
                events: changes.events.clone(),
                answers: changes.answers.clone(),
                ..memory::changes(&State::default(), state)
            };
            &whole
        } else {
            changes
        };
        if changes.is_empty() {
            return Ok(());
        }
        let durability = if urgent { Durability::Full } else { Durability::Normal };
        match self.store.save(&self.claim, changes, durability) {
            Ok(()) => {
                if std::mem::take(&mut self.store_failing) {
                    self.note(EventKind::Store, "the store can be written again".into(), false);
                }
                for notice in self.store.notices() {
                    self.journal.line(clock::now().wall, &format!("WARNING: {notice}"));
                }
                Ok(())
            }
            Err(e @ (StoreError::Fenced { .. } | StoreError::Newer { .. })) => Err(e),
            Err(e) => {
                if matches!(e, StoreError::Corrupt { .. }) {
                    self.reopen();
                }
                if !std::mem::replace(&mut self.store_failing, true) {
                    self.note(EventKind::Store, format!("{e} — nothing is typed or ended until it can be saved"), true);
                }
                Ok(())
            }
        }
    }

    /// A damaged file is replaced by its backup when it is opened anew; what we remember is then saved whole.
    fn reopen(&mut self) {
        if let Ok(mut opened) = crate::store::sqlite::open(&self.paths.db)
            && let Ok(claim) = opened.store.claim(RESOURCE, &self.claim.owner)
        {
            self.claim = claim;
            self.store = Box::new(opened.store);
            if let Some(notice) = opened.notice {
                self.journal.line(clock::now().wall, &format!("WARNING: {notice}"));
            }
        }
    }

    fn publish(&mut self, events: &[Event]) {
        for event in events {
            self.journal.event(event);
        }
    }

    fn requests(&mut self) -> Vec<Request> {
        match self.store.requests() {
            Ok(requests) => requests.into_iter().map(|r| super::messages::by_reference(r, &self.paths)).collect(),
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
            let _ = self.store.put(&[(super::config_file::LAST_GOOD.to_owned(), text)].into());
            self.eyes.config_changed(&self.config.policy);
        }
        self.config_news = Some(news);
    }
}
