//! `agents doctor`: what this machine has, and lacks, for the fleet.
mod fleet;
mod jobs;
mod machine;
mod tools;
mod worktrees;

pub use fleet::program;

use super::{Context, failure::Report, locate};
use crate::{
    model::name::printable,
    view::paint::{Paint, Tint},
};
use clap::Args;
use serde::Serialize;
use serde_json::json;

#[derive(Debug, Args)]
#[command(after_help = "Exit code 1 if anything fails. Without a config only the machine is checked.")]
pub struct DoctorArgs {
    /// One JSON object: v, ok, checks
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Ok,
    Warn,
    Fail,
}

/// One line of the report.
#[derive(Clone, Debug, Serialize)]
struct Finding {
    level: Level,
    /// What was looked at: a short word that stays the same.
    check: &'static str,
    text: String,
    hint: Option<String>,
}

impl Finding {
    fn ok(check: &'static str, text: impl Into<String>) -> Finding {
        Finding { level: Level::Ok, check, text: text.into(), hint: None }
    }
    fn warn(check: &'static str, text: impl Into<String>, hint: impl Into<String>) -> Finding {
        Finding { level: Level::Warn, check, text: text.into(), hint: Some(hint.into()) }
    }
    fn fail(check: &'static str, text: impl Into<String>, hint: impl Into<String>) -> Finding {
        Finding { level: Level::Fail, ..Finding::warn(check, text, hint) }
    }

    fn line(&self, paint: Paint) -> String {
        let (word, tint) = match self.level {
            Level::Ok => ("ok  ", Tint::Green),
            Level::Warn => ("warn", Tint::Yellow),
            Level::Fail => ("fail", Tint::Red),
        };
        let hint = self.hint.as_deref().map(|h| format!(" — {}", printable(h))).unwrap_or_default();
        format!("{}  {}: {}{hint}", paint.tint(tint, word), self.check, printable(&self.text))
    }
}

pub fn run(args: &DoctorArgs, context: &mut Context) -> Report {
    let located = locate::config(context.config.clone());
    let loaded = located.is_ok().then(|| context.fleet());
    let agents = match &loaded {
        Some(Ok(fleet)) => fleet.policy.agents.len() + fleet.policy.services.len(),
        _ => 1,
    };
    let mut findings = machine::check(agents);
    findings.extend(jobs::check());
    match (&located, loaded) {
        (_, Some(Ok(fleet))) => findings.extend(fleet::check(&fleet)),
        (_, Some(Err(_))) => {
            let config = located.as_ref().map(|p| p.display().to_string()).unwrap_or_default();
            findings.push(Finding::fail("config", format!("`{config}` cannot be used"), "`agents check` shows why"));
        }
        _ if context.config.is_some() => {
            findings.push(Finding::fail("config", "the file that was named cannot be found", "look at `--config`"));
        }
        _ => findings.push(Finding::warn("config", "no agents.toml here or above", "`agents init` makes one")),
    }
    let failed = findings.iter().any(|f| f.level == Level::Fail);
    let out = &mut context.out;
    if args.json {
        out.line(&format!("{:#}", json!({"v": 1, "ok": !failed, "checks": findings})))?;
    } else {
        for finding in &findings {
            out.line(&finding.line(out.paint))?;
        }
    }
    Ok(u8::from(failed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_level_check_text_and_hint() {
        assert_eq!(Finding::ok("tmux", "tmux 3.4").line(Paint::Plain), "ok    tmux: tmux 3.4");
        assert_eq!(Finding::warn("x", "a\x1b", "do b").line(Paint::Plain), "warn  x: a\\x1b — do b");
    }
}
