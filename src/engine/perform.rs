//! How a verb gets its change: through the supervisor, or by passes of the engine in this process.
use super::{
    config_file::ConfigFile,
    environment,
    fleet::{Fleet, FleetError},
    heart::{Ended, Heart},
    journal::Journal,
    lock::{Lock, Role, Tried},
    wakeup::Wakeup,
};
use crate::{
    model::{
        delivery::DeliveryKind,
        event::Event,
        request::{Answer, Verb},
        state::{Life, State, UnitState},
    },
    store::EventFilter,
    world::{clock, process::ProcId},
};
use std::time::Duration;

/// How long a verb waits for another verb, or for the supervisor's answer.
const ANSWER: Duration = Duration::from_secs(30);

/// When a verb's change is settled, by the state.
type Settled = Box<dyn Fn(&State) -> bool>;

impl Fleet {
    /// Asks for a change. With a supervisor: a request row, answered by it. Without: passes of the engine in this
    /// process, under the fleet's lock, until what was asked is settled. `say` gets every event as it happens.
    pub fn perform(&self, verb: Verb, say: &mut dyn FnMut(&Event)) -> Result<Answer, FleetError> {
        if matches!(verb, Verb::Restart { .. }) {
            self.must_be_whole()?;
        }
        if matches!(verb, Verb::Up { .. }) {
            self.must_be_whole()?;
            environment::save(&self.paths.env, &self.policy.env).map_err(|e| {
                FleetError::Failed(format!("cannot write `{}`: {}", self.paths.env.display(), super::words::plain(&e)))
            })?;
        }
        let deadline = clock::boot().after(ANSWER);
        loop {
            match Lock::try_take(&self.paths.lock, Role::Verb, clock::now()) {
                Ok(Tried::Held(lock)) => {
                    let result = self.perform_here(verb, say);
                    drop(lock);
                    return result;
                }
                Ok(Tried::Busy(Some(holder))) if holder.role == Role::Watchdog => {
                    return self.perform_there(&verb, holder.process(), say);
                }
                Ok(Tried::Busy(holder)) => {
                    if clock::boot() >= deadline {
                        let who =
                            holder.map_or("another command".into(), |h| format!("another command (pid {})", h.pid));
                        return Err(FleetError::Failed(format!("{who} is changing this fleet and does not end")));
                    }
                    std::thread::sleep(Duration::from_millis(20));
                }
                Err(e) => {
                    let path = self.paths.lock.display();
                    return Err(FleetError::Failed(format!("cannot lock `{path}`: {}", super::words::plain(&e))));
                }
            }
        }
    }

    fn perform_here(&self, verb: Verb, say: &mut dyn FnMut(&Event)) -> Result<Answer, FleetError> {
        let store = self.store()?;
        let config = ConfigFile::new(self.policy.clone(), self.config_text.clone(), !self.faults.is_empty());
        let mut heart = Heart::new(config, store, false, Journal::verb(&self.paths.watchdog_log))?;
        super::import::old_limits(&mut heart);
        let stop = heart.sender.clone();
        let _signals = super::supervisor::on_signals(move |signal| {
            if signal != signal_hook::consts::SIGUSR1 {
                let _ = stop.send(Wakeup::Stop);
            }
        });
        let (patience, settled) = self.goal(&verb);
        let all_down = matches!(verb, Verb::Down { .. });
        let outcome = heart.perform(verb, clock::boot().after(patience), &*settled, say);
        let (answer, ended) = outcome?;
        if all_down && ended == Ended::Settled {
            self.tidy_server(&heart);
        }
        heart.finish();
        match (ended, &answer) {
            (Ended::Settled, _) | (_, Answer::Denied { .. } | Answer::Ignored { .. }) => Ok(answer),
            (Ended::Deadline, _) => Err(unfinished()),
            (Ended::Stopped, _) => {
                Err(FleetError::Failed("interrupted before it was finished\nhint: agents status".into()))
            }
        }
    }

    /// How long a verb may take, and when it is over.
    fn goal(&self, verb: &Verb) -> (Duration, Settled) {
        let sessions = |names: &[String]| -> Vec<String> {
            let agents = self.policy.agents.iter().filter(|a| names.contains(&a.name)).map(|a| a.session.clone());
            let services = self.policy.services.iter().filter(|s| names.contains(&s.name)).map(|s| s.session.clone());
            agents.chain(services).collect()
        };
        let grace = self.policy.watchdog.stop_grace;
        match verb {
            Verb::Up { names, named, .. } => {
                let sessions = sessions(names);
                let named = *named;
                let slowest = self.policy.agents.iter().map(|a| a.backend.connect_delay).max().unwrap_or_default();
                let done = move |state: &State| {
                    let moving = |s: &String| state.units.get(s).is_some_and(is_moving);
                    let talking = state.deliveries.values().any(|d| {
                        d.kind == DeliveryKind::Kickoff && !d.stage.is_over() && sessions.contains(&d.session)
                    });
                    // With the whole fleet the supervisor starts next, and delivers.
                    !(sessions.iter().any(moving) || named && talking)
                };
                (grace + slowest + Duration::from_secs(90), Box::new(done))
            }
            Verb::Down { names } | Verb::Restart { names } => {
                let sessions = sessions(names);
                let done = move |state: &State| {
                    let moving = |s: &String| state.units.get(s).is_some_and(is_moving);
                    !sessions.iter().any(moving)
                };
                (grace + Duration::from_secs(20), Box::new(done))
            }
            Verb::Send { .. } => (
                Duration::from_secs(60),
                Box::new(|state: &State| {
                    !state.deliveries.values().any(|d| d.kind == DeliveryKind::Send && !d.stage.is_over())
                }),
            ),
            _ => (Duration::from_secs(20), Box::new(|state: &State| !state.fleet.phase_pending)),
        }
    }

    fn perform_there(&self, verb: &Verb, watchdog: ProcId, say: &mut dyn FnMut(&Event)) -> Result<Answer, FleetError> {
        let mut store = self.store()?;
        let filter = EventFilter::default();
        let mut seq = store.last_events(&filter, 1)?.last().map_or(0, |e| e.seq);
        let id = store.ask(verb, clock::now().wall)?;
        watchdog.signal(rustix::process::Signal::USR1);
        let names: Vec<String> = match verb {
            Verb::Up { names, .. }
            | Verb::Down { names }
            | Verb::Restart { names }
            | Verb::Pause { names }
            | Verb::Resume { names } => names.clone(),
            _ => Vec::new(),
        };
        let (patience, settled) = match verb {
            // The supervisor delivers; nobody needs to wait for that here.
            Verb::Up { names, models, backends, .. } => {
                let verb =
                    Verb::Up { names: names.clone(), named: false, models: models.clone(), backends: backends.clone() };
                self.goal(&verb)
            }
            Verb::Send { .. } => (ANSWER, Box::new(|_: &State| true) as Settled),
            verb => self.goal(verb),
        };
        let mut deadline = clock::boot().after(ANSWER);
        let mut answer = None;
        let mut tell_news = |store: &dyn crate::store::Store| -> Result<(), FleetError> {
            for event in store.events_after(seq, &filter, 500)? {
                seq = event.seq;
                let mine = event.agent.as_ref().is_some_and(|a| names.contains(a))
                    || (event.agent.is_none() && matches!(verb, Verb::PhaseSet { .. }));
                if mine {
                    say(&event);
                }
            }
            Ok(())
        };
        loop {
            tell_news(&*store)?;
            if answer.is_none() {
                answer = store.answer(id)?;
                if answer.is_some() {
                    deadline = clock::boot().after(patience);
                }
            }
            if let Some(given) = &answer
                && (!matches!(given, Answer::Accepted { .. }) || settled(&store.load()?))
            {
                // What settled it was saved with its event, and that may be since we last looked.
                tell_news(&*store)?;
                return Ok(given.clone());
            }
            if clock::boot() >= deadline {
                return match answer {
                    Some(_) => Err(unfinished()),
                    None => Err(FleetError::Failed(format!(
                        "the watchdog (pid {}) does not answer\nhint: agents doctor",
                        watchdog.pid
                    ))),
                };
            }
            // One that was killed is soon back, and answers.
            if !watchdog.is_alive() && answer.is_none() && !self.is_attended() {
                return Err(FleetError::Failed(
                    "the watchdog ended before it answered; the request is kept and acts when it runs again".into(),
                ));
            }
            std::thread::sleep(Duration::from_millis(15));
        }
    }
}

/// Being started or ended; one that is left alone is not waited for.
fn is_moving(unit: &UnitState) -> bool {
    matches!(unit.life, Life::Starting { .. } | Life::Ending { .. }) && !unit.is_left_alone()
}

fn unfinished() -> FleetError {
    FleetError::Failed("not finished in time; it goes on as far as it can\nhint: agents status".into())
}
