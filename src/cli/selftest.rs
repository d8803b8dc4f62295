//! `agents selftest`: three screens that must be read right.
use super::{
    Context,
    failure::{Failure, Report},
};
use crate::{
    backends::{self, Screen},
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

pub fn run(context: &mut Context) -> Report {
    let reader = reader()?;
    let cases = [
        ("footer detector: an idle footer is idle", !active(&reader, IDLE)),
        ("footer detector: an `esc interrupt` row is active", active(&reader, BUSY)),
        ("footer detector: a limit banner over an idle footer is not active", !active(&reader, LIMITED)),
    ];
    let mut code = 0;
    for (what, passed) in cases {
        context.out.line(&format!(" {}: {what}", if passed { "PASS" } else { "FAIL" }))?;
        code |= u8::from(!passed);
    }
    Ok(code)
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
