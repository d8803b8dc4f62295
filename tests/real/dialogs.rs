//! Dialogs of the real CLIs and the rules that answer them: without a rule each is told and left alone; with one it is
//! answered as it says, and the work goes on.
use crate::{
    clis::{Cli, Installed},
    example::Wishes,
    home::Welcome,
    sandbox::{Outcome, Sandbox},
    service::Mode,
};

pub struct Scene {
    pub name: &'static str,
    play: fn(&'static Cli, &Installed) -> Outcome<&'static str>,
}

pub const SCENES: [Scene; 3] = [
    Scene { name: "first start by rules", play: first_start },
    Scene { name: "permission by a pattern", play: permission },
    Scene { name: "limit menu by a rule", play: limit_menu },
];

/// A CLI without such a dialog, or whose choice cannot be seen.
const NONE: &str = "has none";

pub fn play(scene: &Scene, cli: &'static Cli, installed: &Installed) -> Outcome<&'static str> {
    (scene.play)(cli, installed)
}

/// Everything is new to it: it asks before it starts.
fn first_start(cli: &'static Cli, installed: &Installed) -> Outcome<&'static str> {
    let (rules, answers) = match cli.name {
        "claude" => {
            ("dialogs = { theme = \"Light mode\", security-notes = \"continue\", trust-folder = \"trust\" }", 3)
        }
        "codex" | "gemini" => ("dialogs = { trust-folder = \"trust\" }", 1),
        _ => return Ok(NONE),
    };
    let s = Sandbox::welcomed(cli, installed, Welcome::FirstRun)?;
    s.configure(&Wishes { asking: true, ..Wishes::default() })?;
    s.agents(&["up", "--wait=waiting"]).or_else(|_| s.agents(&["up"]))?;
    s.wait("question in the status", || Ok((s.agent()?["state"] == "waiting").then_some(())))?;
    let before = s.agent()?["dialog"].clone();
    s.ticks(5)?;
    let now = s.agent()?["dialog"].clone();
    check(!now.is_null() && now == before, || format!("it was {before}, and is {now}\n{}", s.story_so_far()))?;
    check(s.events("waiting")? == 1 && s.events("answered")? == 0, || s.story_so_far())?;
    s.configure(&Wishes { asking: true, backend: rules, ..Wishes::default() })?;
    s.wait("answers", || Ok((s.events("answered")? >= answers).then_some(())))?;
    s.wait("first message", || Ok((s.service.times_said("MARK-first") > 0).then_some(())))?;
    s.ticks(2)?;
    check(s.service.times_said("MARK-first") == 1, || s.story_so_far())?;
    check(s.events("answered")? == answers, || format!("too many answers\n{}", s.story_so_far()))?;
    Ok("")
}

/// Lets it run `touch`, and nothing else. `None`: which choice is marked shows only in colour.
pub fn permission_rule(cli: &str) -> Option<&'static str> {
    Some(match cli {
        "claude" => {
            "[[dialog]]\nname = \"touch\"\nre = 'Bash command touch [\\w/ .-]+ Run the command Do you want to proceed\\?'\nchoice = \"Yes\""
        }
        "codex" => {
            "[[dialog]]\nname = \"touch\"\nre = 'Would you like to run the following command\\? (Environment: local )?(Reason: [\\w ]+ )?\\$ touch [\\w/ .-]+'\nchoice = \"Yes, proceed (y)\""
        }
        "gemini" => {
            "[[dialog]]\nname = \"touch\"\nre = '\\? Shell +touch [\\w/ .-]+ Allow execution of \\[Shell\\]\\?'\nchoice = \"Allow once\""
        }
        "opencode" => {
            "[[dialog]]\nname = \"touch\"\nre = '△ Permission required # Shell command \\$ touch [\\w/ .-]+'\nchoice = \"Allow once\""
        }
        _ => return None,
    })
}

/// It asks before it runs a command: told without a rule, allowed by one whose pattern is for that command.
fn permission(cli: &'static Cli, installed: &Installed) -> Outcome<&'static str> {
    let Some(rule) = permission_rule(cli.name) else { return Ok(NONE) };
    let s = Sandbox::welcomed(cli, installed, Welcome::Plan)?;
    s.configure(&Wishes { asking: true, ..Wishes::default() })?;
    s.agents(&["up"])?;
    s.wait("first message", || Ok((s.service.times_said("MARK-first") > 0).then_some(())))?;
    idle(&s)?;
    let made = s.project.join("made-by-the-tool");
    s.service.change(|b| {
        b.mode = Mode::Tool;
        b.tool_command = format!("touch {}", made.display());
    });
    s.agents(&["send", "--timeout", "120s", "worker", "Run the tool, please. MARK-tool"])?;
    s.wait("question in the status", || Ok((s.agent()?["state"] == "waiting").then_some(())))?;
    s.ticks(5)?;
    check(!made.exists() && s.agent()?["state"] == "waiting", || s.story_so_far())?;
    s.service.set_mode(Mode::Say);
    // A rule for another command first.
    let other = rule.replace("touch [", "rm [").leak();
    s.configure(&Wishes { asking: true, backend: other, ..Wishes::default() })?;
    s.ticks(4)?;
    check(!made.exists() && s.events("answered")? == 0, || s.story_so_far())?;
    s.configure(&Wishes { asking: true, backend: rule, ..Wishes::default() })?;
    s.wait("file of the allowed command", || Ok(made.exists().then_some(())))?;
    s.wait("answer that is told", || Ok((s.events("answered")? == 1).then_some(())))?;
    idle(&s)?;
    check(s.service.times_said("MARK-tool") == 1, || s.story_so_far())?;
    Ok("")
}

/// The menu at a usage limit: answered, held, and back in work once the limit is over.
fn limit_menu(cli: &'static Cli, installed: &Installed) -> Outcome<&'static str> {
    let rules = match cli.name {
        "claude" => "dialogs = { limit-menu = \"wait\" }",
        "gemini" => "dialogs = { limit-menu = \"stop\" }",
        _ => return Ok(NONE),
    };
    let s = Sandbox::welcomed(cli, installed, Welcome::Plan)?;
    s.configure(&Wishes { backend: rules, ..Wishes::default() })?;
    s.agents(&["up"])?;
    s.wait("first message", || Ok((s.service.times_said("MARK-first") > 0).then_some(())))?;
    idle(&s)?;
    s.service.change(|b| {
        b.mode = Mode::Limit;
        b.reset_in = 1;
    });
    s.agents(&["send", "--timeout", "120s", "worker", "Go on, please. MARK-limit"])?;
    s.wait("answer", || Ok((s.events("answered")? > 0).then_some(())))?;
    s.wait("hold or its end", || Ok((s.events("limited")? > 0).then_some(())))?;
    check(s.events("waiting")? == 0, || format!("a person was called\n{}", s.story_so_far()))?;
    s.service.set_mode(Mode::Say);
    s.wait("end of the hold", || {
        let agent = s.agent()?;
        Ok((agent["state"] == "idle" && agent["hold_until"].is_null()).then_some(()))
    })?;
    let outcome = s.send("And one more. MARK-after", "60s");
    check(outcome == "delivered" || outcome == "queued", || format!("it is {outcome}\n{}", s.story_so_far()))?;
    s.wait("answered request", || Ok((s.service.times_said("MARK-after") == 1).then_some(())))?;
    Ok("")
}

fn idle(s: &Sandbox) -> Outcome<()> {
    s.wait("idle agent in the status", || Ok((s.agent()?["state"] == "idle").then_some(())))
}

fn check(fine: bool, why: impl FnOnce() -> String) -> Outcome<()> {
    if fine { Ok(()) } else { Err(why()) }
}
