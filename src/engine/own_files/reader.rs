//! The thread that follows the files: whose is which, and what came to them.
use super::{Ask, Found, Seat, Wanted, told::Told};
use crate::{
    engine::{paths::Paths, sessions, wakeup::Wakeup},
    model::{
        own::{Failed, OwnObs, Whose},
        policy::{Agent, Policy},
        time::{Boot, Now},
    },
    transcripts::{Transcript, owner::Rule},
    world::clock,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, PoisonError,
        mpsc::{Receiver, RecvTimeoutError, Sender},
    },
    time::Duration,
};

/// Between two looks at the file of an agent that is being told something.
const SOON: Duration = Duration::from_millis(200);
/// Between two looks for the file of an agent that has just started; after some time each is twice the last one.
const FIRST: Duration = Duration::from_secs(1);
/// So long an agent has just started, in ms.
const YOUNG: i64 = 20_000;
/// The longest pause, and how often is asked whether it is in another conversation by now.
const LONGEST: Duration = Duration::from_secs(60);

pub(super) struct Reader {
    paths: Paths,
    found: Found,
    sender: Sender<Wakeup>,
    seats: BTreeMap<String, Followed>,
    wanted: Vec<Wanted>,
    policy: Option<Arc<Policy>>,
}

/// What is known of the file of one agent.
struct Followed {
    seat: Seat,
    file: Option<Transcript>,
    /// The session that it is of.
    id: Option<String>,
    own: OwnObs,
    is_known: bool,
    /// If its program was started with hooks.
    told: Option<Told>,
    /// It printed something since the last look for its file.
    grown: bool,
    pause: Duration,
    due: Boot,
}

impl Followed {
    fn new(seat: Seat, now: Boot) -> Followed {
        Followed {
            seat,
            file: None,
            id: None,
            own: OwnObs::default(),
            is_known: false,
            told: None,
            grown: true,
            pause: FIRST,
            due: now.after(FIRST),
        }
    }

    /// Another start may be in another conversation; until that is known, the file of the last one is read on.
    fn sits(&mut self, seat: Seat, now: Boot) {
        if self.seat.incarnation != seat.incarnation {
            (self.is_known, self.pause, self.due) = (false, FIRST, now.after(FIRST));
            (self.own.conversation, self.own.asks) = (None, None);
        }
        self.seat = seat;
    }
}

impl Reader {
    pub fn new(paths: &Paths, found: &Found, sender: &Sender<Wakeup>) -> Reader {
        let (paths, found, sender) = (paths.clone(), found.clone(), sender.clone());
        Reader { paths, found, sender, seats: BTreeMap::new(), wanted: Vec::new(), policy: None }
    }

    /// Until nobody asks any more.
    pub fn follow(&mut self, questions: &Receiver<Ask>) {
        let mut grown = BTreeSet::new();
        loop {
            let pause = self.pause(clock::boot());
            match questions.recv_timeout(pause) {
                Ok(ask) => {
                    let mut latest = ask;
                    grown.append(&mut latest.grown);
                    while let Ok(mut more) = questions.try_recv() {
                        grown.append(&mut more.grown);
                        latest = more;
                    }
                    self.take(latest, clock::boot());
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            grown.extend(self.wanted.iter().map(|w| w.session.clone()));
            self.look(std::mem::take(&mut grown), clock::now());
        }
    }

    fn pause(&self, now: Boot) -> Duration {
        let open = |f: &&Followed| f.grown || !f.is_known;
        let due = self.seats.values().filter(open).map(|f| f.due).min();
        let due = due.map_or(Duration::from_secs(3600), |at| Duration::from_millis(at.0.saturating_sub(now.0)));
        if self.wanted.is_empty() { due } else { due.min(SOON) }
    }

    fn take(&mut self, ask: Ask, now: Boot) {
        let here: BTreeSet<&str> = ask.seats.iter().map(|s| s.session.as_str()).collect();
        let awaited = |session: &str| ask.wanted.iter().any(|w| w.session == session);
        self.seats.retain(|session, _| here.contains(session.as_str()) || awaited(session));
        for seat in ask.seats {
            match self.seats.get_mut(&seat.session) {
                Some(followed) => followed.sits(seat, now),
                None => drop(self.seats.insert(seat.session.clone(), Followed::new(seat, now))),
            }
        }
        (self.wanted, self.policy) = (ask.wanted, Some(ask.policy));
        self.hooked();
    }

    /// The agents whose programs were started with hooks.
    fn hooked(&mut self) {
        let Some(policy) = &self.policy else { return };
        for (session, followed) in self.seats.iter_mut().filter(|(_, f)| f.told.is_none()) {
            let agent = policy.agents.iter().find(|a| a.session == *session);
            let agent = agent.filter(|a| policy.backend_of(a, followed.seat.started_with.as_deref()).hooks);
            followed.told = agent.map(|a| Told::new(&self.paths.hooks(&a.name)));
        }
    }

    fn look(&mut self, grown: BTreeSet<String>, now: Now) {
        for session in &grown {
            let Some(followed) = self.seats.get_mut(session) else { continue };
            followed.grown = true;
            if let Some(told) = &mut followed.told {
                told.read(followed.seat.incarnation, now.zones);
                // It has gone into another conversation, or its file can be found now.
                if told.session.is_some() && told.session != followed.id {
                    followed.due = followed.due.min(now.boot.after(followed.pause.min(FIRST)));
                }
            }
        }
        let is_due = |f: &Followed| f.due <= now.boot && (f.grown || !f.is_known);
        if self.seats.values().any(is_due) {
            self.survey(now);
        }
        for (session, followed) in &mut self.seats {
            if let Some(asks) = followed.told.as_ref().map(|told| &told.asks) {
                (followed.own.asks, followed.own.incarnation) = (asks.clone(), followed.seat.incarnation);
            }
            if !followed.is_known && !self.wanted.iter().any(|w| w.session == *session) {
                continue;
            }
            if let Some(file) = followed.file.as_mut().filter(|file| grown.contains(session) || file.is_behind()) {
                // A file that cannot be read now says nothing new.
                let _ = file.read(&mut |_| {});
                let standing = file.standing();
                let later = |f: &&Failed| standing.worked.is_none_or(|at| f.at > at);
                let told = followed.told.as_ref().and_then(|told| told.failed.as_ref()).filter(later);
                followed.own.failed = standing.failed.as_ref().or(told).cloned();
                (followed.own.asked, followed.own.worked) = (standing.asked, standing.worked);
            }
            if let Some(file) = &followed.file {
                let mine = self.wanted.iter().filter(|w| w.session == *session);
                followed.own.arrived = mine.filter(|w| file.has_said(&w.text, w.since)).map(|w| w.id).collect();
            }
        }
        self.publish();
    }

    /// Which file is whose.
    fn survey(&mut self, now: Now) {
        let Some(policy) = self.policy.clone() else { return };
        let subject = |agent: &Agent| {
            let seat = self.seats.get(&agent.session).map(|f| &f.seat);
            let started_with = seat.and_then(|s| s.started_with.as_deref());
            let told_of = seat.and_then(|s| s.started).into_iter();
            sessions::subject(&policy, &self.paths, agent, started_with, seat.map(|s| s.root), told_of)
        };
        let subjects: Vec<_> = policy.agents.iter().map(subject).collect();
        let since = self.seats.values().filter_map(|f| f.seat.started).min().unwrap_or(now.wall);
        let survey = sessions::survey(&self.paths, &subjects, since);
        for (session, followed) in &mut self.seats {
            let Some(agent) = policy.agents.iter().find(|a| a.session == *session) else { continue };
            let current = survey.sessions_of(&agent.name).pop();
            // A conversation of an earlier start that nobody has gone on with is not the one it is in.
            let current = current.filter(|(s, _)| followed.seat.started.is_none_or(|at| s.written >= at));
            followed.grown = false;
            followed.is_known = current.is_some();
            let young = followed.seat.started.is_some_and(|at| now.wall.0 - at.0 < YOUNG);
            followed.pause = match followed.is_known {
                true => LONGEST,
                false if young => FIRST,
                false => (followed.pause * 2).min(LONGEST),
            };
            followed.due = now.boot.after(followed.pause);
            let Some((found, rule)) = current else { continue };
            if followed.file.as_ref().is_none_or(|file| file.path() != found.path) {
                followed.file = Some(Transcript::new(found.program, &found.path, now.zones));
                followed.own = OwnObs::default();
            }
            followed.id = Some(found.id.clone());
            followed.own.incarnation = followed.seat.incarnation;
            followed.own.conversation = matches!(rule, Rule::Process | Rule::Hook | Rule::Id).then(|| Whose {
                id: found.id.clone(),
                program: found.program,
                dir: found.cwd.clone().unwrap_or_default(),
            });
        }
    }

    /// A text that arrived is told at once; the rest has time until the next look.
    fn publish(&mut self) {
        // Of the last start, while one of its texts may stand there.
        let awaited = |session: &String| self.wanted.iter().any(|w| w.session == *session);
        let known =
            self.seats.iter().filter(|(s, f)| (f.file.is_some() && (f.is_known || awaited(s))) || f.own.asks.is_some());
        let now: BTreeMap<String, OwnObs> = known.map(|(session, f)| (session.clone(), f.own.clone())).collect();
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = |(session, own): (&String, &OwnObs)| {
            let before = found.get(session).map(|o| &o.arrived);
            own.arrived.iter().any(|id| before.is_none_or(|b| !b.contains(id)))
        };
        let any = now.iter().any(is_new);
        *found = now;
        drop(found);
        if any {
            let _ = self.sender.send(Wakeup::Poke);
        }
    }
}
