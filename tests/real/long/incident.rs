//! What happens, in this order: each begins with an idle agent, and ends when the agent is back at work without a hand of
//! ours. During each a numbered prompt comes in.
use super::{dialog, fleet::Fleet};
use crate::{
    resumed,
    sandbox::Outcome,
    service::{Asked, Mode},
    sweep,
};
use std::time::{Duration, SystemTime};

pub struct Incident {
    pub name: &'static str,
    /// In the marks of its prompts.
    pub word: &'static str,
    pub play: Play,
}

/// `None`: this CLI has no such thing.
pub type Play = fn(&Fleet, &Incident) -> Outcome<Option<Played>>;

pub struct Played {
    pub began: SystemTime,
    /// The end of the cause; of a hang, when it began.
    pub ended: SystemTime,
    pub back: Option<Duration>,
    pub at_most: Duration,
    pub how: String,
}

pub const INCIDENTS: [Incident; 11] = [
    Incident { name: "limit with a reset", word: "limit", play: limit },
    Incident { name: "overload", word: "overload", play: |f, i| trouble(f, i, Mode::Overload) },
    Incident { name: "dropped stream", word: "drop", play: |f, i| trouble(f, i, Mode::Drop) },
    Incident { name: "hang", word: "hang", play: hang },
    Incident { name: "permission, a person answers", word: "person", play: dialog::by_a_person },
    Incident { name: "permission, a rule answers", word: "rule", play: dialog::by_a_rule },
    Incident { name: "401", word: "auth", play: |f, i| trouble(f, i, Mode::Auth) },
    Incident { name: "poisoned, in a resumed session", word: "poison", play: poison },
    Incident { name: "killed CLI", word: "cli", play: killed_cli },
    Incident { name: "killed watchdog", word: "watchdog", play: killed_watchdog },
    Incident { name: "killed tmux server", word: "server", play: killed_server },
];

/// From the end of the cause to work.
pub const BACK: Duration = Duration::from_secs(30);
/// The hang time-out in seconds, while something hangs.
const HANG: u64 = 20;
/// How long a service is in trouble.
const TROUBLE: Duration = Duration::from_secs(12);

impl Played {
    pub fn new(began: SystemTime, ended: SystemTime, back: Option<Asked>, how: &str) -> Outcome<Option<Played>> {
        let back = back.map(|a| a.at.duration_since(ended).unwrap_or_default());
        Ok(Some(Played { began, ended, back, at_most: BACK, how: how.to_owned() }))
    }
}

/// The service names its reset, one to two minutes ahead; the cause ends then.
fn limit(f: &Fleet, i: &Incident) -> Outcome<Option<Played>> {
    let began = SystemTime::now();
    // On the minute, as most CLIs show it.
    let reset = (seconds(began) / 60 + 2) * 60;
    let probes = f.s.events("probe")?;
    f.s.service.change(|b| (b.mode, b.reset_at) = (Mode::Limit, Some(reset)));
    f.ask(&format!("{}-during", i.word), "0s");
    f.s.wait("hold", || Ok((!f.s.agent()?["hold_until"].is_null()).then_some(())))?;
    f.ask(&format!("{}-held", i.word), "0s");
    let ended = SystemTime::UNIX_EPOCH + Duration::from_secs(reset);
    let left = ended.duration_since(SystemTime::now()).unwrap_or_default();
    std::thread::sleep(left.saturating_sub(Duration::from_secs(2)));
    let (agent, early) = (f.s.agent()?, f.s.events("probe")? - probes);
    let hold = agent["hold_until"].as_str().map(chrono::DateTime::parse_from_rfc3339);
    let Some(Ok(hold)) = hold.filter(|_| early == 0) else {
        return Err(format!(
            "{early} probes before the reset, held until {}\n{}",
            agent["hold_until"],
            f.s.story_so_far()
        ));
    };
    let back = f.back(ended, |_| true);
    let tries = f.log().iter().filter(|a| !a.side && a.at >= began && a.answer == Mode::Limit).count();
    let by = hold.timestamp() - i64::try_from(reset).unwrap_or_default();
    Played::new(began, ended, back, &format!("held until {by:+} s of the reset, {tries} requests refused"))
}

/// The service is in trouble for a while.
fn trouble(f: &Fleet, i: &Incident, mode: Mode) -> Outcome<Option<Played>> {
    let began = SystemTime::now();
    let restarts = f.restarts()?;
    f.s.service.set_mode(mode);
    f.ask(&format!("{}-during", i.word), "0s");
    let first = f.request("request in trouble", began, |a| a.answer == mode)?.at;
    std::thread::sleep(TROUBLE);
    f.s.service.set_mode(Mode::Say);
    let ended = SystemTime::now();
    let in_spite = f.log().iter().any(|a| !a.side && a.at > first && a.answer == Mode::Say);
    if in_spite {
        // Nothing is left to be done.
        let how = "went on in spite of it, with an answer in one piece";
        return Ok(Some(Played { began, ended, back: Some(Duration::ZERO), at_most: BACK, how: how.into() }));
    }
    let back = f.back(ended, |_| true);
    let how = match &back {
        _ if f.restarts()? > restarts => return Err(format!("it was restarted\n{}", f.s.story_so_far())),
        Some(a) if a.news.contains("watchdog: your last turn") => "asked to go on",
        _ => "by itself",
    };
    Played::new(began, ended, back, how)
}

/// A request that is never answered; the service is well for all others. Counted from its beginning, with the time-out.
fn hang(f: &Fleet, i: &Incident) -> Outcome<Option<Played>> {
    let began = SystemTime::now();
    let (restarts, hung) = (f.restarts()?, f.s.events("hung")?);
    f.configure(HANG, "")?;
    f.s.service.change(|b| (b.mode, b.hangs_on) = (Mode::Hang, true));
    f.ask(&format!("{}-during", i.word), "0s");
    let ended = f.request("request that hangs", began, |a| a.answer == Mode::Hang)?.at;
    f.well();
    f.ask(&format!("{}-hung", i.word), "0s");
    let back = f.back(ended, |_| true);
    let told = f.s.events("hung")? > hung && f.restarts()? > restarts;
    f.rule("")?;
    let how = if told { "restarted" } else { "by itself" };
    let played = Played::new(began, ended, back, how)?;
    Ok(played.map(|p| Played { at_most: BACK + Duration::from_secs(HANG), ..p }))
}

/// Resumed by its id, and refused for ever; counted from the first refusal.
fn poison(f: &Fleet, i: &Incident) -> Outcome<Option<Played>> {
    let began = SystemTime::now();
    let (before, during) = (format!("MARK-{}-before-", i.word), format!("{}-during", i.word));
    let (refused, fresh) = resumed::give_up(&f.s, &before, || drop(f.ask(&during, "0s")))?;
    Played::new(began, refused.at, Some(fresh), "fresh session with a hand-over note, its id put aside")
}

/// In the middle of a turn.
fn killed_cli(f: &Fleet, i: &Incident) -> Outcome<Option<Played>> {
    at_work(f, i)?;
    let ended = SystemTime::now();
    sweep::kill_one(f.s.foreground()?);
    f.s.service.set_mode(Mode::Say);
    f.ask(&format!("{}-killed", i.word), "0s");
    let back = f.back(ended, |_| true);
    let how = conversation(i, back.as_ref());
    Played::new(ended, ended, back, how)
}

fn killed_watchdog(f: &Fleet, i: &Incident) -> Outcome<Option<Played>> {
    let pid = f.s.status()?["watchdog"]["pid"].clone();
    let ended = SystemTime::now();
    sweep::kill_one(pid.as_i64().and_then(|p| i32::try_from(p).ok()).ok_or("no watchdog runs")?);
    f.ask(&format!("{}-killed", i.word), "0s");
    f.s.wait("another watchdog", || {
        let now = f.s.status()?["watchdog"].clone();
        Ok((now["running"] == true && now["pid"] != pid).then_some(()))
    })?;
    let again = ended.elapsed().unwrap_or_default();
    let back = f.back(ended, |_| true);
    let played = Played::new(ended, ended, back, &format!("watchdog again after {:.1} s", again.as_secs_f64()))?;
    Ok(played.map(|p| Played { back: p.back.map(|back| back.max(again)), ..p }))
}

fn killed_server(f: &Fleet, i: &Incident) -> Outcome<Option<Played>> {
    at_work(f, i)?;
    let server = f.s.tmux(&["display-message", "-p", "#{pid}"])?;
    let ended = SystemTime::now();
    sweep::kill_one(server.trim().parse().map_err(|_| format!("no pid of a server: {server}"))?);
    f.s.service.set_mode(Mode::Say);
    f.ask(&format!("{}-killed", i.word), "0s");
    // An answer that was under way is no work of the new program.
    let back = f.back(ended, |_| true);
    let how = conversation(i, back.as_ref());
    Played::new(ended, ended, back, how)
}

/// A turn that goes on until the service is told otherwise.
fn at_work(f: &Fleet, i: &Incident) -> Outcome<()> {
    let began = SystemTime::now();
    f.s.service.set_mode(Mode::Slow);
    f.ask(&format!("{}-during", i.word), "0s");
    f.request("slow answer", began, |a| a.answer == Mode::Slow)?;
    // It is proved by then, and shows some words.
    std::thread::sleep(Duration::from_secs(5));
    Ok(())
}

fn conversation(i: &Incident, back: Option<&Asked>) -> &'static str {
    let old = format!("MARK-{}-before-", i.word);
    match back {
        Some(a) if a.said.contains(&old) => "in its conversation",
        _ => "in a new conversation",
    }
}

fn seconds(at: SystemTime) -> u64 {
    at.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_secs())
}
