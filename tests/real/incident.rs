//! What goes wrong between a CLI and its service, played with the real CLI: one incident after the other in one fleet.
//!
//! Each begins with a message, goes on with a hand-off in the middle, and ends when the service is well again: then the
//! agent has to be back in work by itself, woken or restarted, and every text has to have arrived once.
use crate::{
    example::Wishes,
    resumed,
    sandbox::{Outcome, Sandbox},
    service::{Asked, Mode},
};

pub struct Incident {
    pub name: &'static str,
    mode: Mode,
    /// What this CLI may be seen to do, and what may be done to it, while the trouble lasts.
    during: During,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum During {
    /// It works, or believes so: nothing is typed, nobody ends it.
    LeftAlone,
    /// It tries again by itself or gives up its turn: it is not ended.
    NotEnded,
    /// Nobody touches it until it has hung for long enough; then it is restarted.
    Hangs,
    /// Neither a restart nor a text helps: it is told, left as it is and tried again, and nothing else is typed.
    Held,
    /// It is asked once to go on; then only a fresh session helps.
    Restarted,
    /// The same in a session that it would resume: see [`resumed`].
    Resumed,
}

pub const INCIDENTS: [Incident; 8] = [
    Incident { name: "slow", mode: Mode::Slow, during: During::LeftAlone },
    Incident { name: "hang", mode: Mode::Hang, during: During::Hangs },
    Incident { name: "drop", mode: Mode::Drop, during: During::NotEnded },
    Incident { name: "overload", mode: Mode::Overload, during: During::NotEnded },
    Incident { name: "auth", mode: Mode::Auth, during: During::Held },
    Incident { name: "bad", mode: Mode::Bad, during: During::Restarted },
    Incident { name: "poison", mode: Mode::Poison, during: During::Restarted },
    Incident { name: "poison, resumed", mode: Mode::Poison, during: During::Resumed },
];

const CLAIM_PING: &str = "pushed a gate CLAIM commit";
const AFTER_ERROR: &str = "your last turn was ended by an error";
/// So little of it that no screen breaks it.
const CLAIM_WORDS: &str = "gate CLAIM";
/// Ticks of a second each.
const TROUBLE: usize = 6;
/// In this fleet, in seconds; on a busy machine a push and a tick need their time, too.
const HANG: f64 = 20.0;

/// A fleet whose agent is woken now and then, and has had its first turn.
pub fn prepare(s: &Sandbox) -> Outcome<()> {
    s.write("prompts/wake.md", "Supervision pass: look at the repository and go on.\n")?;
    s.configure(&wishes(None))?;
    s.agents(&["up"])?;
    s.wait("first message", || Ok((s.service.times_said("MARK-first") > 0).then_some(())))?;
    idle(s)
}

fn wishes(hang: Option<f64>) -> Wishes {
    Wishes { wake: Some(8.0), short_budget: true, hang, ..Wishes::default() }
}

/// How it came back.
pub fn play(s: &Sandbox, incident: &Incident) -> Outcome<&'static str> {
    match incident.during {
        During::Hangs => {}
        During::Resumed => {
            let how = resumed::play(s)?;
            back(s, "And one more. MARK-after-resumed")?;
            return Ok(how);
        }
        _ => return play_it(s, incident),
    }
    // What a service needs for its answer, or a CLI for its next try, is longer than this fleet would wait.
    s.configure(&wishes(Some(HANG)))?;
    s.ticks(3)?;
    play_it(s, incident)
}

fn play_it(s: &Sandbox, incident: &Incident) -> Outcome<&'static str> {
    let mark = format!("MARK-{}", incident.name);
    let (restarts, handoffs) = (restarts(s)?, s.events("handoff")?);
    let from = s.service.conversation().len();
    s.service.set_mode(incident.mode);
    let outcome = s.send(&format!("Go on, please. {mark}"), "0s");
    // Where a restart comes first, the text is known not to have arrived.
    let lost = outcome == "undelivered" && incident.during == During::Restarted;
    check(lost || matches!(outcome.as_str(), "delivered" | "queued" | "unknown"), || {
        format!("the message is {outcome}\n{}", s.story_so_far())
    })?;
    s.wait("request in trouble", || Ok(since(s, from).iter().any(|a| a.mode == incident.mode).then_some(())))?;
    s.push(&format!("claim: the gate of {}", incident.name))?;
    s.wait("hand-off", || Ok((s.events("handoff")? > handoffs).then_some(())))?;
    trouble(s, incident, restarts)?;
    let ended = s.service.conversation().len();
    s.service.set_mode(Mode::Say);
    s.wait("answered request", || Ok(since(s, ended).iter().any(|a| a.mode == Mode::Say).then_some(())))?;
    back(s, &format!("And one more. MARK-after-{}", incident.name))?;
    let log = since(s, from);
    // One that still waited may have been lost in a restart.
    let may_be_lost = lost || (outcome != "delivered" && incident.during == During::Restarted);
    for (text, least) in [(mark.as_str(), usize::from(!may_be_lost)), (&format!("MARK-after-{}", incident.name), 1)] {
        let most = log.iter().map(|a| a.said.matches(text).count()).max().unwrap_or_default();
        check((least..=1).contains(&most), || {
            format!("`{text}` was said {most} times in one conversation\n{}", s.story_so_far())
        })?;
    }
    check(log.iter().any(|a| a.said.contains(CLAIM_PING)), || format!("no hand-off\n{}", s.story_so_far()))?;
    let first = since(s, ended).into_iter().find(|a| a.mode == Mode::Say);
    Ok(match first {
        _ if self::restarts(s)? > restarts => "restarted",
        // The answer simply went on.
        _ if incident.mode == Mode::Slow => "by itself",
        Some(a) if a.news.contains(AFTER_ERROR) => "asked",
        Some(a) if a.news.contains("Supervision pass") || a.news.contains(CLAIM_PING) => "woken",
        _ => "by itself",
    })
}

/// What must and must not happen while the service is in trouble.
fn trouble(s: &Sandbox, incident: &Incident, before: u64) -> Outcome<()> {
    match incident.during {
        During::LeftAlone | During::Hangs => {
            let said = s.service.times_said(CLAIM_PING);
            // Not by what is told: that the last text arrived is told a moment after it did.
            let shown = s.screen()?.matches(CLAIM_WORDS).count();
            s.ticks(TROUBLE)?;
            let state = s.agent()?["state"].clone();
            check(state == "working", || format!("its state is {state}\n{}", s.story_so_far()))?;
            let shows_more = s.screen()?.matches(CLAIM_WORDS).count() > shown;
            let touched = s.service.times_said(CLAIM_PING) > said || shows_more;
            check(!touched, || format!("something was typed in the middle of its turn\n{}", s.story_so_far()))?;
        }
        During::NotEnded => s.ticks(TROUBLE)?,
        During::Held => {
            let said = s.service.times_said(CLAIM_PING);
            s.wait("told error", || Ok((s.agent()?["error"]["class"] == "auth").then_some(())))?;
            s.ticks(TROUBLE)?;
            check(s.service.times_said(CLAIM_PING) == said, || format!("a ping was typed\n{}", s.story_so_far()))?;
        }
        During::Restarted | During::Resumed => {
            return s.wait("restart", || Ok((restarts(s)? > before).then_some(())));
        }
    }
    let now = restarts(s)?;
    if incident.during == During::Hangs {
        let ended = || Ok((s.events("hung")? > 0 && restarts(s)? > before).then_some(()));
        s.wait("restart of what hangs", ended)?;
        // A busy machine may need as long for an answer.
        s.configure(&wishes(None))?;
        return s.ticks(3);
    }
    check(now == before, || format!("it was restarted\n{}", s.story_so_far()))
}

/// A new text arrives and is answered: again only if the last one is known not to have arrived.
fn back(s: &Sandbox, text: &str) -> Outcome<()> {
    s.wait("agent that takes a text", || match s.send(text, "30s").as_str() {
        "delivered" | "queued" => Ok(Some(())),
        "undelivered" | "denied" => Ok(None),
        other => Err(format!("the text is {other}\n{}", s.story_so_far())),
    })?;
    s.wait("answer to it", || {
        Ok(s.service.conversation().last().filter(|a| a.said.contains(text) && a.mode == Mode::Say).map(drop))
    })?;
    idle(s)
}

fn since(s: &Sandbox, from: usize) -> Vec<Asked> {
    s.service.conversation().split_off(from)
}

fn restarts(s: &Sandbox) -> Outcome<u64> {
    Ok(s.agent()?["restarts"].as_u64().unwrap_or_default())
}

fn idle(s: &Sandbox) -> Outcome<()> {
    s.wait("idle agent in the status", || {
        let agent = s.agent()?;
        Ok((agent["state"] == "idle" && agent["alive"] == true && agent["hold_until"].is_null()).then_some(()))
    })
}

fn check(fine: bool, why: impl FnOnce() -> String) -> Outcome<()> {
    if fine { Ok(()) } else { Err(why()) }
}
