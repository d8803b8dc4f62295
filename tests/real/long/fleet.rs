//! One CLI in a fleet that goes on from incident to incident.
use super::{
    incident::{Incident, Played},
    table::{self, Counts, Line, Report},
};
use crate::{
    clis::{Cli, Installed},
    example::{self, AGENT},
    prompts::{self, Prompts},
    resumed,
    sandbox::{Outcome, Sandbox},
    service::{Asked, Behaviour, Mode},
};
use std::time::{Duration, Instant, SystemTime};

/// Longer than that is "never".
const GIVE_UP: Duration = Duration::from_secs(150);
/// The hang time-out while nothing is to hang, in seconds: on a busy machine a CLI needs as long for its start.
const PATIENT: u64 = 120;

pub struct Fleet {
    pub s: Sandbox,
    pub prompts: Prompts,
}

impl Fleet {
    pub fn start(cli: &'static Cli, installed: &Installed) -> Outcome<Fleet> {
        let fleet = Fleet { s: Sandbox::new(cli, installed)?, prompts: Prompts::default() };
        fleet.rule("")?;
        fleet.s.agents(&["up"])?;
        fleet.s.wait("first request", || Ok((!fleet.s.service.conversation().is_empty()).then_some(())))?;
        fleet.idle()?;
        Ok(fleet)
    }

    /// Its prompt before, the incident, and its prompt after. `None`: this CLI has no such thing.
    pub fn play(&self, incident: &Incident) -> Outcome<Option<Line>> {
        resumed::note_id(&self.s)?;
        let before = self.prompts.all().len();
        self.ask(&format!("{}-before", incident.word), "60s");
        self.arrived(&format!("{}-before", incident.word))?;
        self.idle()?;
        let Some(played) = (incident.play)(self, incident)? else { return Ok(None) };
        self.well();
        let Played { ended, began, back, at_most, how } = played;
        let after = format!("{}-after", incident.word);
        self.idle()?;
        self.ask(&after, "60s");
        self.arrived(&after)?;
        self.idle()?;
        Ok(Some(Line {
            what: incident.name,
            lasted: ended.duration_since(began).unwrap_or_default(),
            back,
            at_most,
            how,
            prompts: self.prompts.all().len() - before,
            load: table::load(),
            fault: None,
        }))
    }

    /// A prompt with this mark, and what `send` answered.
    pub fn ask(&self, mark: &str, timeout: &str) -> String {
        self.prompts.ask(&self.s, AGENT, full(mark), timeout)
    }

    /// Until the prompt has been answered.
    fn arrived(&self, mark: &str) -> Outcome<()> {
        let mark = full(mark);
        self.s.wait(&format!("answer to {mark}"), || {
            Ok(self.log().iter().any(|a| !a.side && a.said.contains(&mark) && a.answer == Mode::Say).then_some(()))
        })
    }

    pub fn arrivals(&self, mark: &str) -> usize {
        prompts::arrivals(&self.log(), &full(mark))
    }

    pub fn log(&self) -> Vec<Asked> {
        self.s.service.log()
    }

    /// The first request of this sort, not older than `since`.
    pub fn request(&self, what: &str, since: SystemTime, wanted: impl Fn(&Asked) -> bool) -> Outcome<Asked> {
        let fits = |a: &Asked| !a.side && a.at >= since && wanted(a);
        self.s.wait(what, || Ok(self.log().into_iter().find(|a| fits(a))))
    }

    /// Nothing more is done for it: the first request that got what it asked for.
    pub fn back(&self, ended: SystemTime, wanted: impl Fn(&Asked) -> bool) -> Option<Asked> {
        let until = Instant::now() + GIVE_UP;
        loop {
            let good = |a: &Asked| !a.side && a.at >= ended && a.answer == Mode::Say && wanted(a);
            if let Some(found) = self.log().into_iter().find(good) {
                return Some(found);
            }
            if Instant::now() > until {
                println!("NOT BACK\n{}", self.s.story_so_far());
                return None;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub fn idle(&self) -> Outcome<()> {
        self.s.wait("idle agent in the status", || {
            let agent = self.s.agent()?;
            let calm = agent["state"] == "idle" && agent["alive"] == true && agent["hold_until"].is_null();
            Ok((calm && agent["error"].is_null() && self.s.service.under_way() == 0).then_some(()))
        })
    }

    /// The service does what it should.
    pub fn well(&self) {
        self.s.service.change(|b| *b = Behaviour::default());
    }

    /// After an incident that failed.
    pub fn calm(&self) {
        self.well();
        // It may be in any state, a dialog too.
        let anew = || self.rule("").and_then(|()| self.s.agents(&["restart", AGENT])).and_then(|_| self.idle());
        if let Err(e) = anew() {
            println!("{e}");
        }
    }

    /// Answers dialogs by this rule; empty: by none but the one for the limit's menu.
    pub fn rule(&self, rule: &str) -> Outcome<()> {
        self.configure(PATIENT, rule)
    }

    /// A screen that shows nothing new for so many seconds hangs.
    pub fn configure(&self, hang: u64, rule: &str) -> Outcome<()> {
        self.s.write("agents.toml", &example::long_toml(self.s.cli, hang, rule)?)
    }

    pub fn restarts(&self) -> Outcome<u64> {
        Ok(self.s.agent()?["restarts"].as_u64().unwrap_or_default())
    }

    /// What became of the deliveries: of each kind of event, the numbers.
    fn told(&self, kind: &str) -> Vec<i64> {
        let text = self.s.agents(&["events", "--json", "-n", "100000"]).unwrap_or_default();
        let events = text.lines().filter_map(|l| serde_json::from_str::<serde_json::Value>(l).ok());
        events.filter(|e| e["kind"] == kind).filter_map(|e| e["data"]["delivery"].as_i64()).collect()
    }

    pub fn report(&self, lines: Vec<Line>, played: &[&'static Incident]) -> Report {
        let log = self.log();
        let (undelivered, unknown) = (self.told("undelivered"), self.told("unknown"));
        let mut counts = Counts::default();
        for p in self.prompts.all().iter() {
            let among = |ids: &[i64]| p.id.is_some_and(|id| ids.contains(&id));
            let told = match () {
                () if among(&undelivered) || p.outcome == "undelivered" => Some("undelivered"),
                () if among(&unknown) || p.outcome == "unknown" => Some("unknown"),
                () if p.id.is_none() => Some("denied"),
                () => None,
            };
            counts.add(&p.mark, prompts::arrivals(&log, &p.mark), told);
        }
        let calls = |f: fn(&Asked) -> bool| log.iter().filter(|a| !a.side && f(a)).count();
        counts.asked = calls(|a| a.answer == Mode::Tool);
        counts.granted = calls(|a| a.tool_result);
        counts.answered = self.s.events("answered").unwrap_or_default();
        let _ = self.s.agents(&["down"]);
        let names = played.iter().map(|i| i.name);
        let missing = names.filter(|n| lines.iter().all(|l| l.what != *n)).collect();
        Report { cli: self.s.cli, lines, missing, counts, fault: None }
    }
}

fn full(mark: &str) -> String {
    format!("MARK-{mark}-")
}
