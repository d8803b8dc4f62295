//! A compressed night: the four CLIs in one fleet, numbered prompts, and everything that goes wrong at night, at random.
//! In the morning: who came back and how soon, whether each prompt arrived once, and the report as a person reads it.
use crate::{
    clis::{self, CLIS, Cli, Trouble},
    example,
    prompts::{self, Prompt, Prompts},
    sandbox::{Outcome, Sandbox},
    service::{Asked, Mode, Service},
    sweep,
};
use std::{
    process::ExitCode,
    sync::Mutex,
    time::{Duration, Instant, SystemTime},
};

/// After its cause ended, everything is to be back at work within this.
const BACK: Duration = Duration::from_secs(30);
/// Longer than that is "never" for this night.
const GIVE_UP: Duration = Duration::from_secs(150);

#[derive(Clone, Copy, Debug)]
enum Incident {
    Service(Mode),
    KilledAgent,
    KilledWatchdog,
    KilledServer,
}

/// Of one agent; the first ones are played in this order, so that a short night has all of them.
const OF_AGENTS: [Incident; 8] = [
    Incident::Service(Mode::Overload),
    Incident::KilledAgent,
    Incident::Service(Mode::Limit),
    Incident::Service(Mode::Drop),
    Incident::Service(Mode::Auth),
    Incident::Service(Mode::Hang),
    Incident::Service(Mode::Bad),
    Incident::Service(Mode::Poison),
];

impl Incident {
    fn name(self) -> String {
        match self {
            Incident::Service(mode) => format!("{mode:?}").to_lowercase(),
            Incident::KilledAgent => "killed CLI".into(),
            Incident::KilledWatchdog => "killed watchdog".into(),
            Incident::KilledServer => "killed tmux server".into(),
        }
    }
}

/// One incident, as it went.
struct Line {
    at: Duration,
    who: &'static str,
    incident: String,
    lasted: Duration,
    /// From the end of the cause to work; `None`: not within the patience.
    back: Option<Duration>,
}

struct Night {
    sandbox: Sandbox,
    services: Vec<Service>,
    began: Instant,
    until: Instant,
    lines: Mutex<Vec<Line>>,
    prompts: Prompts,
    /// Held while something is done to the whole fleet.
    fleet: Mutex<()>,
}

/// `numbers`: minutes, seed.
pub fn play(numbers: &[&str]) -> ExitCode {
    let number = |n: usize, otherwise: u64| numbers.get(n).map_or(Ok(otherwise), |w| w.parse::<u64>());
    let (Ok(minutes), Ok(seed)) = (number(0, 20), number(1, 1)) else {
        eprintln!("error: `night` takes minutes and a seed, both numbers");
        return ExitCode::from(2);
    };
    match installed_and(minutes, seed) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(e) => {
            println!("FAILED: {e}");
            ExitCode::FAILURE
        }
    }
}

fn installed_and(minutes: u64, seed: u64) -> Outcome<bool> {
    let installed = clis::install().map_err(|trouble| match trouble {
        Trouble::Lacking(why) | Trouble::Wrong(why) => why,
    })?;
    let mut sandbox = Sandbox::new(&CLIS[0], &installed)?;
    let mut services = Vec::new();
    for cli in &CLIS {
        services.push(sandbox.also(cli, &installed)?);
    }
    sandbox.write("agents.toml", &example::night_toml(&CLIS)?)?;
    sandbox.agents(&["up", "--wait=idle"]).or_else(|_| sandbox.agents(&["status"]))?;
    let began = Instant::now();
    let until = began + Duration::from_secs(60 * minutes);
    let (lines, prompts, fleet) = (Mutex::default(), Prompts::default(), Mutex::default());
    let night = Night { sandbox, services, began, until, lines, prompts, fleet };
    let night = &night;
    std::thread::scope(|scope| {
        for (n, cli) in CLIS.iter().enumerate() {
            scope.spawn(move || night.agent(cli, &night.services[n], Chance(seed * 1000 + n as u64)));
        }
        scope.spawn(move || night.fleet(minutes));
    });
    night.settle()?;
    night.morning(minutes, seed)
}

impl Night {
    /// Works, and now and then something happens to it.
    fn agent(&self, cli: &'static Cli, service: &Service, mut chance: Chance) {
        let mut played = chance.below(OF_AGENTS.len() as u64) as usize;
        for number in 1.. {
            if Instant::now() >= self.until {
                return;
            }
            self.ask(cli, number);
            self.pause(Duration::from_secs(8 + chance.below(10)));
            if Instant::now() + Duration::from_secs(60) < self.until && number % 2 == 0 {
                let incident = OF_AGENTS[played % OF_AGENTS.len()];
                played += 1;
                let lasts = Duration::from_secs(8 + chance.below(15));
                let (at, from) = (self.began.elapsed(), service.conversation().len());
                let back = self.happens(cli, service, incident, lasts, from);
                let line = Line { at, who: cli.name, incident: incident.name(), lasted: lasts, back };
                println!("{line}");
                lock(&self.lines).push(line);
            }
        }
    }

    fn happens(
        &self,
        cli: &'static Cli,
        service: &Service,
        incident: Incident,
        lasts: Duration,
        from: usize,
    ) -> Option<Duration> {
        let mut ended = None;
        match incident {
            Incident::Service(mode) => {
                service.change(|b| {
                    b.mode = mode;
                    b.reset_in = lasts.as_secs();
                });
                self.ask(cli, 1000 + from);
                let until = Instant::now() + GIVE_UP;
                let asked = || service.conversation().iter().skip(from).any(|a| a.mode == mode);
                while !asked() && Instant::now() < until {
                    std::thread::sleep(Duration::from_millis(100));
                }
                self.pause(lasts);
                service.set_mode(Mode::Say);
                // A limit ends when its banner says so, not when the service would answer again.
                if let Ok(agent) = self.sandbox.agent_named(cli.name) {
                    let hold = agent["hold_until"].as_str().and_then(|t| chrono::DateTime::parse_from_rfc3339(t).ok());
                    let left = hold.and_then(|t| (t.to_utc() - chrono::Utc::now()).to_std().ok());
                    ended = left.map(|left| Instant::now() + left);
                }
            }
            _ => {
                let _quiet = lock(&self.fleet);
                sweep::kill_one(self.sandbox.foreground_of(cli.name).ok()?);
            }
        }
        let ended = ended.unwrap_or_else(Instant::now);
        let since = service.conversation().len();
        self.ask(cli, 2000 + since);
        // At work: a request that is answered.
        let until = ended + GIVE_UP;
        loop {
            if service.conversation().iter().skip(since).any(|a| a.mode == Mode::Say) {
                return Some(Instant::now().saturating_duration_since(ended));
            }
            if Instant::now() > until {
                return None;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn ask(&self, cli: &'static Cli, number: usize) {
        self.prompts.ask(&self.sandbox, cli.name, format!("MARK-{}-{number}-", cli.name), "0s");
    }

    /// What happens to all of them: the watchdog at a third of the night, the tmux server at two thirds.
    fn fleet(&self, minutes: u64) {
        for (third, incident) in [(1, Incident::KilledWatchdog), (2, Incident::KilledServer)] {
            let at = self.began + Duration::from_secs(60 * minutes * third / 3);
            self.pause(at.saturating_duration_since(Instant::now()));
            let _quiet = lock(&self.fleet);
            let began = Instant::now();
            let back = self.fleet_incident(incident).unwrap_or_else(|e| {
                println!("{}: {e}", incident.name());
                None
            });
            let (at, lasted) = (began.duration_since(self.began), Duration::ZERO);
            let line = Line { at, who: "fleet", incident: incident.name(), lasted, back };
            println!("{line}");
            lock(&self.lines).push(line);
        }
    }

    fn fleet_incident(&self, incident: Incident) -> Outcome<Option<Duration>> {
        let s = &self.sandbox;
        let watchdog = s.status()?["watchdog"]["pid"].clone();
        if matches!(incident, Incident::KilledWatchdog) {
            sweep::kill_one(watchdog.as_i64().and_then(|p| i32::try_from(p).ok()).ok_or("no watchdog runs")?);
        } else {
            let server = s.tmux(&["display-message", "-p", "#{pid}"])?;
            sweep::kill_one(server.trim().parse().map_err(|_| format!("no pid of a server: {server}"))?);
        }
        let ended = Instant::now();
        std::thread::sleep(Duration::from_millis(200));
        while ended.elapsed() < GIVE_UP {
            let back = s.status().is_ok_and(|status| {
                let alive = |a: &serde_json::Value| a["alive"] == true;
                let all = status["agents"].as_array().is_some_and(|agents| agents.iter().all(alive));
                let again = status["watchdog"]["running"] == true && status["watchdog"]["pid"] != watchdog;
                if matches!(incident, Incident::KilledWatchdog) { again } else { all }
            });
            if back {
                return Ok(Some(ended.elapsed()));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(None)
    }

    fn pause(&self, for_so_long: Duration) {
        let left = self.until.saturating_duration_since(Instant::now());
        std::thread::sleep(for_so_long.min(left));
    }

    /// Until all are idle for a while: what waited to be typed has been.
    fn settle(&self) -> Outcome<()> {
        let (until, mut looks) = (Instant::now() + GIVE_UP, 0);
        while Instant::now() < until && looks < 10 {
            let all = self.sandbox.status()?;
            let idle = |a: &serde_json::Value| a["state"] == "idle" && a["alive"] == true;
            let all_idle = all["agents"].as_array().is_some_and(|agents| agents.iter().all(idle));
            looks = if all_idle { looks + 1 } else { 0 };
            std::thread::sleep(Duration::from_secs(1));
        }
        Ok(())
    }

    /// Marks of the prompts that came to their service as often as `wanted` says.
    fn came(&self, wanted: impl Fn(usize) -> bool) -> Vec<String> {
        let logs: Vec<_> = self.services.iter().map(Service::log).collect();
        let log = |p: &Prompt| CLIS.iter().position(|c| c.name == p.to).map_or(&[][..], |n| &logs[n]);
        let prompts = self.prompts.all();
        prompts.iter().filter(|p| wanted(prompts::arrivals(log(p), &p.mark))).map(|p| p.mark.clone()).collect()
    }

    /// What became of one prompt: the service's requests with it and those between them, and what the fleet told meanwhile.
    fn history(&self, prompt: &Prompt, events: &str) {
        let log = CLIS.iter().position(|c| c.name == prompt.to).map(|n| self.services[n].log()).unwrap_or_default();
        let with_it = |a: &&Asked| a.said.contains(&prompt.mark);
        let Some(first) = log.iter().position(|a| with_it(&a)) else { return };
        let new_last = log.iter().rposition(|a| a.news.contains(&prompt.mark)).unwrap_or(first);
        let time = |at: SystemTime| chrono::DateTime::<chrono::Local>::from(at).format("%H:%M:%S%.3f").to_string();
        for asked in &log[first.saturating_sub(2)..log.len().min(new_last + 3)] {
            let (new, said) = (asked.news.matches(&prompt.mark).count(), asked.said.matches(&prompt.mark).count());
            println!(
                "    {} {:?} answered {:?}{}: {new} time(s) new, {said} in all, {} bytes",
                time(asked.at),
                asked.mode,
                asked.answer,
                if asked.side { ", aside" } else { "" },
                asked.bytes
            );
        }
        let (from, to) = (log[first].at - Duration::from_secs(40), log[new_last].at + Duration::from_secs(20));
        let (from, to) = (time(from), time(to));
        for line in events.lines() {
            let Ok(event) = serde_json::from_str::<serde_json::Value>(line) else { continue };
            let at = event["at"].as_str().and_then(|at| at.get(11..23)).unwrap_or_default();
            if event["agent"] == prompt.to.as_str() && at >= from.as_str() && at <= to.as_str() {
                println!("    {at} {}", event["text"].as_str().unwrap_or_default());
            }
        }
    }

    /// True: all came back in time, nothing was lost untold, nothing came twice.
    fn morning(&self, minutes: u64, seed: u64) -> Outcome<bool> {
        let mut lines = std::mem::take(&mut *lock(&self.lines));
        lines.sort_by_key(|l| l.at);
        println!("\n== a night of {minutes} minutes, seed {seed}\n");
        lines.iter().for_each(|l| println!("{l}"));
        let late = lines.iter().filter(|l| l.back.is_none_or(|b| b > BACK)).count();
        let (lost, doubled) = (self.came(|n| n == 0), self.came(|n| n > 1));
        let events = self.sandbox.agents(&["events", "--json", "-n", "100000"])?;
        let told = |kind: &str| events.lines().filter(|l| l.contains(&format!("\"kind\":\"{kind}\""))).count();
        let (undelivered, unknown) = (told("undelivered"), told("unknown"));
        let asked = self.prompts.all().len();
        println!("\n{} incidents, {late} not back within {} s", lines.len(), BACK.as_secs());
        println!("{asked} prompts: {} never arrived {lost:?}, {} came twice {doubled:?}", lost.len(), doubled.len());
        let unanswered: Vec<String> = {
            let prompts = self.prompts.all();
            let is_answered = |p: &&Prompt| {
                let log = CLIS.iter().position(|c| c.name == p.to).map(|n| self.services[n].log());
                log.is_some_and(|log| prompts::is_answered(&log, &p.mark))
            };
            prompts.iter().filter(|p| !is_answered(p)).map(|p| p.mark.clone()).collect()
        };
        println!("of those that arrived, never in a conversation that was answered: {unanswered:?}");
        println!("told as undelivered: {undelivered}, as unknown: {unknown}\n");
        for p in self.prompts.all().iter() {
            let what = match (lost.contains(&p.mark), doubled.contains(&p.mark)) {
                (true, _) => "never arrived",
                (_, true) => "came twice",
                _ => continue,
            };
            println!("{what}: {} {}: {}", p.to, p.mark, p.outcome);
            self.history(p, &events);
        }
        println!("{}", self.sandbox.agents(&["report", "--since", &format!("{}m", minutes + 10)])?);
        self.sandbox.agents(&["down"])?;
        Ok(late == 0 && doubled.is_empty() && lost.len() <= undelivered + unknown)
    }
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let at = self.at.as_secs();
        let sign = match self.back {
            Some(back) if back <= BACK => ' ',
            _ => '!',
        };
        write!(
            f,
            "{sign} {:02}:{:02}  {:9} {:18} {:3} s  ",
            at / 60,
            at % 60,
            self.who,
            self.incident,
            self.lasted.as_secs()
        )?;
        match self.back {
            Some(back) => write!(f, "back after {:.1} s", back.as_secs_f64()),
            None => write!(f, "NOT BACK"),
        }
    }
}

/// Numbers that look random and are the same for the same seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
