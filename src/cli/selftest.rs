//! `agents selftest`: screens of the known CLIs, recorded from them, that must be read right.
use super::{
    Context,
    failure::{Failure, Report},
};
use crate::{
    backends::{self, Process, Screen},
    model::policy::Reader,
    world::clock,
};
use regex::{Regex, RegexBuilder};
use std::time::Duration;

const IDLE: &str = "\
● All 14 tests pass.

╭──────────────────────────────────────────────╮
│ >                                            │
╰──────────────────────────────────────────────╯
  ? for shortcuts                 ctrl+t variants";

const BUSY: &str = "\
● Reading src/main.rs

╭──────────────────────────────────────────────╮
│ >                                            │
╰──────────────────────────────────────────────╯
  ⬝⬝⬝■■■  esc interrupt            ctrl+t variants";

const LIMITED: &str = "\
● You've hit your weekly limit · resets 7pm

╭──────────────────────────────────────────────╮
│ >                                            │
╰──────────────────────────────────────────────╯
  ? for shortcuts                 ctrl+t variants";

/// CLI, state, title and screen.
const SCREENS: &[(&str, &str, &str, &str)] = &[
    ("claude", "idle", "✳ Claude Code", include_str!("../../tests/panes/claude/idle-after-turn.txt")),
    ("claude", "working", "⠐ Claude Code", include_str!("../../tests/panes/claude/working-hang.txt")),
    ("claude", "waiting", "✳ Claude Code", include_str!("../../tests/panes/claude/waiting-permission.txt")),
    ("claude", "limited", "✳ Claude Code", include_str!("../../tests/panes/claude/limited-plan.txt")),
    ("claude", "limited", "✳ Claude Code", include_str!("../../tests/panes/claude/limited-menu.txt")),
    ("claude", "fatal", "✳ Claude Code", include_str!("../../tests/panes/claude/fatal-long.txt")),
    ("claude", "idle", "✳ Claude Code", include_str!("../../tests/panes/claude/idle-hostile.txt")),
    ("claude", "exited", "", include_str!("../../tests/panes/claude/exited.txt")),
    ("codex", "idle", "shop", include_str!("../../tests/panes/codex/idle-after-turn.txt")),
    ("codex", "working", "⠹ shop", include_str!("../../tests/panes/codex/working-hang.txt")),
    ("codex", "working", "⠙ shop", include_str!("../../tests/panes/codex/working-streaming.txt")),
    (
        "codex",
        "waiting",
        "[ ! ] Action Required | shop",
        include_str!("../../tests/panes/codex/waiting-permission.txt"),
    ),
    ("codex", "limited", "shop", include_str!("../../tests/panes/codex/limited.txt")),
    ("codex", "fatal", "shop", include_str!("../../tests/panes/codex/fatal-auth.txt")),
    ("codex", "idle", "shop", include_str!("../../tests/panes/codex/idle-hostile.txt")),
    ("codex", "exited", "", include_str!("../../tests/panes/codex/exited.txt")),
    (
        "opencode",
        "idle",
        "OC | All done. The work you asked for is f…",
        include_str!("../../tests/panes/opencode/idle-after-turn.txt"),
    ),
    (
        "opencode",
        "working",
        "OC | All done. The work you asked for is f…",
        include_str!("../../tests/panes/opencode/working-hang.txt"),
    ),
    (
        "opencode",
        "waiting",
        "OC | All done. The work you asked for is f…",
        include_str!("../../tests/panes/opencode/waiting-permission.txt"),
    ),
    ("opencode", "limited", "OpenCode", include_str!("../../tests/panes/opencode/limited.txt")),
    ("opencode", "fatal", "OpenCode", include_str!("../../tests/panes/opencode/fatal-bad.txt")),
    (
        "opencode",
        "idle",
        "OC | All done. The work you asked for is f…",
        include_str!("../../tests/panes/opencode/idle-hostile.txt"),
    ),
    ("gemini", "idle", "◇  Ready (shop)", include_str!("../../tests/panes/gemini/idle-after-turn.txt")),
    ("gemini", "working", "✦  Working… (shop)", include_str!("../../tests/panes/gemini/working-hang.txt")),
    (
        "gemini",
        "waiting",
        "✋  Action Required (shop)",
        include_str!("../../tests/panes/gemini/waiting-permission.txt"),
    ),
    ("gemini", "limited", "✦  Working… (shop)", include_str!("../../tests/panes/gemini/limited-menu.txt")),
    ("gemini", "fatal", "◇  Ready (shop)", include_str!("../../tests/panes/gemini/fatal-auth.txt")),
    ("gemini", "idle", "◇  Ready (shop)", include_str!("../../tests/panes/gemini/idle-hostile.txt")),
    ("gemini", "exited", "", include_str!("../../tests/panes/gemini/exited.txt")),
];

pub fn run(context: &mut Context) -> Report {
    let reader = reader()?;
    let cases = [
        ("footer detector: an idle footer is idle", !active(&reader, IDLE)),
        ("footer detector: an `esc interrupt` row is active", active(&reader, BUSY)),
        ("footer detector: a limit banner over an idle footer is not active", !active(&reader, LIMITED)),
    ];
    let mut code = 0;
    let known = SCREENS.iter().map(|(cli, state, title, text)| {
        let read = state_of(cli, title, text);
        (
            format!("{cli}: {state}{}", if read == *state { String::new() } else { format!(", read as {read}") }),
            read == *state,
        )
    });
    for (what, passed) in cases.map(|(what, passed)| (what.to_owned(), passed)).into_iter().chain(known) {
        context.out.line(&format!(" {}: {what}", if passed { "PASS" } else { "FAIL" }))?;
        code |= u8::from(!passed);
    }
    Ok(code)
}

fn state_of(cli: &str, title: &str, text: &str) -> &'static str {
    let reader = Reader { preset: Some(cli.to_owned()), ..Reader::default() };
    let about = backends::Context { reader: &reader, said: "", ours: &[], now: clock::now() };
    backends::judge(&Screen { text, title, ..Screen::default() }, Process::default(), &about).state.as_str()
}

fn reader() -> Result<Reader, Failure> {
    let pattern = |text: &str| -> Result<Option<Regex>, Failure> {
        let built = RegexBuilder::new(text).case_insensitive(true).multi_line(true).build();
        built.map(Some).map_err(|e| Failure::new(1, e.to_string()))
    };
    Ok(Reader {
        active: pattern(r"esc (to )?interrupt|[⬝■]{3,}")?,
        limit: pattern(r"usage limit|limit reached|hit your \w+ limit")?,
        footer_ui: true,
        log_grace: Duration::ZERO,
        ..Reader::default()
    })
}

fn active(reader: &Reader, pane: &str) -> bool {
    let screen = Screen { text: pane, ..Screen::default() };
    let about = backends::Context { reader, said: "", ours: &[], now: clock::now() };
    backends::read(&screen, &about).active.is_some()
}
