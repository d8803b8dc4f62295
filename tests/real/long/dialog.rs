//! It asks before it runs a command: told and left alone until a person answers, or answered by a rule of the config.
use super::{
    fleet::Fleet,
    incident::{Incident, Played},
};
use crate::{dialogs, sandbox::Outcome, service::Mode};
use std::{
    path::PathBuf,
    time::{Duration, SystemTime},
};

/// So long nobody is there.
const ALONE: Duration = Duration::from_secs(10);

pub fn by_a_person(f: &Fleet, i: &Incident) -> Outcome<Option<Played>> {
    let began = SystemTime::now();
    let (waits, answers) = (f.s.events("waiting")?, f.s.events("answered")?);
    let made = ask_for_tool(f, i, began)?;
    f.s.wait("question in the status", || Ok((f.s.agent()?["state"] == "waiting").then_some(())))?;
    let late = format!("{}-waiting", i.word);
    f.ask(&late, "0s");
    std::thread::sleep(ALONE);
    let untouched = !made.exists() && f.s.agent()?["state"] == "waiting" && f.arrivals(&late) == 0;
    let told = f.s.events("waiting")? == waits + 1 && f.s.events("answered")? == answers;
    let granted = f.log().iter().any(|a| a.at >= began && a.tool_result);
    if !untouched || !told || granted {
        let what = format!("untouched {untouched}, told once and not answered {told}, granted {granted}");
        return Err(format!("{what}\n{}", f.s.story_so_far()));
    }
    let ended = SystemTime::now();
    f.s.press(if f.s.cli.name == "codex" { "y" } else { "Enter" })?;
    let back = f.back(ended, |a| a.tool_result);
    f.s.wait("file of the allowed command", || Ok(made.exists().then_some(())))?;
    Played::new(began, ended, back, "told as waiting, untouched until then")
}

/// Counted from the question.
pub fn by_a_rule(f: &Fleet, i: &Incident) -> Outcome<Option<Played>> {
    let Some(rule) = dialogs::permission_rule(f.s.cli.name) else { return Ok(None) };
    let answers = f.s.events("answered")?;
    f.rule(rule)?;
    f.s.ticks(3)?;
    let began = SystemTime::now();
    let made = ask_for_tool(f, i, began)?;
    let ended = f.request("request for the tool", began, |a| a.answer == Mode::Tool)?.at;
    let back = f.back(ended, |a| a.tool_result);
    f.s.wait("file of the allowed command", || Ok(made.exists().then_some(())))?;
    f.s.wait("answer that is told", || Ok((f.s.events("answered")? == answers + 1).then_some(())))?;
    f.rule("")?;
    Played::new(began, ended, back, "answered by its rule")
}

/// Its next turn asks to run a command. Returns what the command would make.
fn ask_for_tool(f: &Fleet, i: &Incident, began: SystemTime) -> Outcome<PathBuf> {
    let made = f.s.project.join(format!("made-{}", i.word));
    f.s.service.change(|b| {
        b.mode = Mode::Tool;
        b.tool_command = format!("touch {}", made.display());
    });
    f.ask(&format!("{}-during", i.word), "0s");
    f.request("request for the tool", began, |a| a.answer == Mode::Tool)?;
    f.s.service.set_mode(Mode::Say);
    Ok(made)
}
