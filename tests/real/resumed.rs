//! A conversation that the service refuses for ever, and that every restart would resume: it is given up. Its id is put
//! aside, and a fresh session goes on with a hand-over note.
use crate::{
    example::AGENT,
    sandbox::{Outcome, Sandbox},
    service::{Asked, Mode},
    session,
};
use std::{fs, time::SystemTime};

/// Of the hand-over note.
const NOTE: &str = "the service refused its transcript";
const MARK: &str = "MARK-before-poison-";

/// In the short half.
pub fn play(s: &Sandbox) -> Outcome<&'static str> {
    if matches!(s.cli.name, "gemini" | "opencode") {
        // Their two starts take too long for the short half.
        return Ok("by `long`");
    }
    s.send(&format!("Look after the poison, please. {MARK}"), "30s");
    s.wait("answer to it", || Ok(s.service.conversation().iter().any(|a| a.said.contains(MARK)).then_some(())))?;
    s.wait("idle agent in the status", || Ok((s.agent()?["state"] == "idle").then_some(())))?;
    let fresh = s.events("fresh-session")?;
    let during = "MARK-during-poison-";
    give_up(s, MARK, || drop(s.send(&format!("Go on, please. {during}"), "0s")))?;
    s.service.change(|b| b.poisoned = None);
    let told = s.events("fresh-session")? - fresh;
    if told != 1 {
        return Err(format!("{told} fresh sessions were told\n{}", s.story_so_far()));
    }
    Ok("fresh")
}

/// Resumes the conversation in which `mark` was said, while the service refuses it from then on; `ask` says something to
/// it. Returns the first request that was refused, and the first of the fresh session.
pub fn give_up(s: &Sandbox, mark: &str, ask: impl FnOnce()) -> Outcome<(Asked, Asked)> {
    let began = SystemTime::now();
    let id = note_id(s)?;
    let pid = s.agent()?["pid"].clone();
    s.service.change(|b| b.poisoned = Some(mark.to_owned()));
    s.agents(&["restart", AGENT])?;
    s.wait("resumed session", || {
        let agent = s.agent()?;
        Ok((agent["alive"] == true && agent["pid"] != pid).then_some(()))
    })?;
    ask();
    let request = |what: &str, since: SystemTime, answer: Mode| {
        let wanted = |a: &Asked| a.at >= since && a.answer == answer;
        s.wait(what, || Ok(s.service.conversation().into_iter().find(wanted)))
    };
    let refused = request("refused request", began, Mode::Poison)?;
    let fresh = request("answered request", refused.at, Mode::Say)?;
    // Something else that waited may be typed into it before its first message is sent.
    let note = |a: &Asked| a.at >= fresh.at && a.said.contains(NOTE) && !a.said.contains(mark);
    s.wait("hand-over note", || Ok(s.service.conversation().iter().any(note).then_some(())))?;
    let (now, old) = (state_file(s, "id"), state_file(s, "id.old"));
    let aside = old.lines().last().is_some_and(|l| l.ends_with(&format!(" {id}"))) && now.trim() != id;
    if aside {
        return Ok((refused, fresh));
    }
    Err(format!("the id was {id}, is `{now}`, aside `{old}`\n{}", s.story_so_far()))
}

/// Agents write down the id of their conversation themselves; here we do it for them.
pub fn note_id(s: &Sandbox) -> Outcome<String> {
    let id = s.wait("session id in the CLI's own files", || Ok(session::id(s)))?;
    s.write(&format!(".agents/state/{AGENT}.id"), &id)?;
    Ok(id)
}

/// Empty if there is none.
fn state_file(s: &Sandbox, ending: &str) -> String {
    fs::read_to_string(s.project.join(format!(".agents/state/{AGENT}.{ending}"))).unwrap_or_default()
}
