//! What happens to an agent in a day, played with a real CLI: each chapter goes on where the last one ended.
use crate::{
    example::Wishes,
    sandbox::{Outcome, Sandbox},
    service::Mode,
    session, sweep,
};
use std::time::{Duration, Instant};

pub type Chapter = (&'static str, fn(&Sandbox) -> Outcome<()>);

/// In this order. Without the first none of the others can be played.
pub const CHAPTERS: [Chapter; 9] = [
    ("launched, first message once", launched),
    ("woken by a typed prompt", woken),
    ("pinged by a hand-off", handed_off),
    ("a person's draft is left alone", draft),
    ("idle, told to go on", told),
    ("held by a usage limit, resumed", limited),
    ("killed, back in its session", killed),
    ("nothing typed into a dialog", dialog),
    ("stopped, nothing left behind", stopped),
];

/// What the hand-off types at the agent that a claim is for.
const CLAIM_PING: &str = "pushed a gate CLAIM commit";
const NUDGE: &str = "watchdog nudge #";
const PROBE: &str = "watchdog probe:";

fn launched(s: &Sandbox) -> Outcome<()> {
    s.agents(&["up"])?;
    heard(s, "MARK-first", 1)?;
    idle(s)?;
    let agent = s.agent()?;
    check(agent["alive"] == true, || format!("status says alive = {}", agent["alive"]))?;
    exactly(s, "MARK-first", 1)
}

fn woken(s: &Sandbox) -> Outcome<()> {
    s.write("prompts/wake.md", "Supervision pass MARK-wake1:\nlook at the repository and go on.\n")?;
    s.configure(&Wishes { wake: Some(5.0), ..Wishes::default() })?;
    heard(s, "MARK-wake1", 1)?;
    // So long that all of them show no more than a note that something was pasted.
    let long = "look at the repository, read what is new, and go on. ".repeat(30);
    s.write("prompts/wake.md", &format!("Supervision pass MARK-wake2: is all well?\n{long}\n"))?;
    heard(s, "MARK-wake2", 1)?;
    s.configure(&Wishes::default())?;
    s.ticks(3)?;
    idle(s)?;
    let wakes = s.events("woken")?;
    check(wakes >= 2, || format!("{wakes} wakes were told"))?;
    exactly(s, "Supervision pass", wakes)
}

fn handed_off(s: &Sandbox) -> Outcome<()> {
    s.push("claim: the first gate is ready")?;
    heard(s, CLAIM_PING, 1)?;
    s.ticks(3)?;
    exactly(s, CLAIM_PING, 1)
}

fn draft(s: &Sandbox) -> Outcome<()> {
    s.type_text("I was about to say")?;
    s.wait("draft on the screen", || Ok(s.screen()?.contains("I was about to say").then_some(())))?;
    let outcome = s.send("Never mind. MARK-behind", "0s");
    check(outcome == "queued", || format!("it is {outcome}\n{}", s.story_so_far()))?;
    s.ticks(4)?;
    exactly(s, "MARK-behind", 0)?;
    check(s.screen()?.contains("I was about to say"), || format!("the draft is gone\n{}", s.story_so_far()))?;
    let status = s.agents(&["status"])?;
    check(status.contains("unsent text"), || status.clone())?;
    s.type_text(", it is fine.")?;
    // A person sees it before they send it; a key in the same breath may be taken for a part of it.
    s.wait("whole draft on the screen", || Ok(s.screen()?.contains("it is fine.").then_some(())))?;
    s.ticks(1)?;
    s.press("Enter")?;
    heard(s, "MARK-behind", 1)?;
    exactly(s, "I was about to say, it is fine.", 1)?;
    idle(s)
}

fn told(s: &Sandbox) -> Outcome<()> {
    let restarts = s.agent()?["restarts"].clone();
    s.configure(&Wishes { stall: Some(4.0), ..Wishes::default() })?;
    // The second one comes only after the first was answered.
    s.wait("two nudges", || Ok((s.service.times_said(NUDGE) > 1).then_some(())))?;
    s.configure(&Wishes::default())?;
    s.ticks(3)?;
    idle(s)?;
    let (told, said) = (s.events("nudged")?, s.service.times_said(NUDGE));
    check(said <= told && told <= said + 1, || format!("{told} nudges told, {said} said\n{}", s.story_so_far()))?;
    check(s.agent()?["restarts"] == restarts, || format!("it was restarted\n{}", s.story_so_far()))
}

fn limited(s: &Sandbox) -> Outcome<()> {
    // The banner names a moment that has passed by the time it is read: the fleet's own probes decide.
    s.service.change(|b| {
        b.mode = Mode::Limit;
        b.reset_in = 1;
    });
    s.agents(&["send", "--timeout", "120s", "worker", "Go on, please. MARK-limit"])?;
    s.wait("hold", || {
        let agent = s.agent()?;
        Ok((agent["state"] == "limited" && !agent["hold_until"].is_null()).then_some(()))
    })?;
    // Two of them open a menu at their limit: nothing may be typed into it until a person (here: we) has answered.
    let answer = match s.cli.name {
        "claude" => Some(("Escape", "1. Stop and wait")),
        "gemini" => Some(("Enter", "1. ")),
        _ => None,
    };
    if let Some((key, choice)) = answer {
        s.ticks(6)?;
        exactly(s, PROBE, 0)?;
        asks(s, choice)?;
        s.service.set_mode(Mode::Say);
        s.press(key)?;
    } else {
        s.wait("probe", || Ok((s.events("probe")? > 0).then_some(())))?;
        s.service.set_mode(Mode::Say);
    }
    s.wait("end of the hold", || {
        let agent = s.agent()?;
        Ok((agent["state"] == "idle" && agent["hold_until"].is_null()).then_some(()))
    })?;
    // The old banner still stands above: it must not hold again.
    s.ticks(4)?;
    let agent = s.agent()?;
    check(agent["hold_until"].is_null(), || format!("held again\n{}", s.story_so_far()))?;
    exactly(s, "MARK-limit", 1)
}

/// A menu is open at the limit: `status`, `explain` and the event of the alert say so, and what it asks.
fn asks(s: &Sandbox, choice: &str) -> Outcome<()> {
    let status = s.agents(&["status"])?;
    check(status.contains("limited") && status.contains("asks: ") && status.contains(choice), || status.clone())?;
    let explained = s.agents(&["explain", "worker"])?;
    check(explained.contains("a menu is open at its usage limit"), || explained.clone())?;
    let events = s.agents(&["events", "-n", "20"])?;
    let told = |line: &str| line.contains("waits for a person: ") && line.contains(choice);
    check(events.lines().filter(|l| told(l)).count() == 1, || events.clone())
}

fn killed(s: &Sandbox) -> Outcome<()> {
    let id = s.wait("session id in the CLI's own files", || Ok(session::id(s)))?;
    s.write(".agents/state/worker.id", &id)?;
    // From here on it asks before it runs a command.
    s.configure(&Wishes { asking: true, ..Wishes::default() })?;
    s.ticks(2)?;
    let before = s.agent()?;
    let requests = s.service.conversation().len();
    sweep::kill_one(s.foreground()?);
    s.wait("restart", || {
        let agent = s.agent()?;
        let again = agent["alive"] == true && agent["pid"] != before["pid"];
        Ok((again && agent["restarts"].as_u64() > before["restarts"].as_u64()).then_some(()))
    })?;
    let firsts = || {
        let log = s.service.conversation();
        log.iter().skip(requests).filter(|a| a.news.contains("MARK-first") && !a.tool_result).count()
    };
    // OpenCode takes no first message into an old session.
    let wanted = usize::from(s.cli.name != "opencode");
    s.wait("first message after the restart", || Ok((firsts() >= wanted).then_some(())))?;
    idle(s)?;
    // Gemini may send its first message before it has read the old session; with the second one all have it.
    s.agents(&["send", "--timeout", "120s", "worker", "Say what we have done so far. MARK-back"])?;
    heard(s, "MARK-back", 1)?;
    let wakes = s.events("woken")?;
    exactly(s, "Supervision pass", wakes)?;
    exactly(s, "MARK-back", 1)?;
    check(firsts() == wanted, || format!("{} first messages after the restart", firsts()))?;
    idle(s)
}

fn dialog(s: &Sandbox) -> Outcome<()> {
    let made = s.project.join("made-by-the-tool");
    s.service.change(|b| {
        b.mode = Mode::Tool;
        b.tool_command = format!("touch {}", made.display());
    });
    let pings = s.service.times_said(CLAIM_PING);
    let handoffs = s.events("handoff")?;
    s.agents(&["send", "--timeout", "120s", "worker", "Run the tool, please. MARK-tool"])?;
    s.wait("dialog in the status", || Ok((s.agent()?["state"] == "waiting").then_some(())))?;
    s.push("claim: the second gate is ready")?;
    s.wait("hand-off", || Ok((s.events("handoff")? > handoffs).then_some(())))?;
    s.ticks(6)?;
    check(!made.exists(), || format!("the command ran before anybody had allowed it\n{}", s.story_so_far()))?;
    check(s.agent()?["state"] == "waiting", || format!("it waits no longer\n{}", s.story_so_far()))?;
    exactly(s, CLAIM_PING, pings)?;
    s.service.set_mode(Mode::Say);
    s.press(if s.cli.name == "codex" { "y" } else { "Enter" })?;
    s.wait("file of the allowed command", || Ok(made.exists().then_some(())))?;
    heard(s, CLAIM_PING, pings + 1)?;
    s.ticks(3)?;
    exactly(s, CLAIM_PING, pings + 1)?;
    exactly(s, "MARK-tool", 1)
}

fn stopped(s: &Sandbox) -> Outcome<()> {
    s.agents(&["down"])?;
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        // The tmux server of the fleet may stay, empty.
        let left: Vec<_> = sweep::find(&s.run).into_iter().filter(|f| !f.command.starts_with("tmux ")).collect();
        if left.is_empty() {
            return Ok(());
        }
        if Instant::now() > until {
            let names: Vec<String> = left.iter().map(|f| format!("{} {}", f.pid, f.command)).collect();
            return Err(format!("still running after `agents down`:\n{}", names.join("\n")));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Until the model has been told `text` `times` times in the present conversation.
fn heard(s: &Sandbox, text: &str, times: usize) -> Outcome<()> {
    s.wait(&format!("`{text}` at the service"), || Ok((s.service.times_said(text) >= times).then_some(())))
}

fn exactly(s: &Sandbox, text: &str, times: usize) -> Outcome<()> {
    let said = s.service.times_said(text);
    check(said == times, || format!("`{text}` was said {said} times instead of {times}\n{}", s.story_so_far()))
}

fn idle(s: &Sandbox) -> Outcome<()> {
    s.wait("idle agent in the status", || Ok((s.agent()?["state"] == "idle").then_some(())))
}

fn check(fine: bool, why: impl FnOnce() -> String) -> Outcome<()> {
    if fine { Ok(()) } else { Err(why()) }
}
