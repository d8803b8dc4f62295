//! What the screens of a known agent CLI look like, as data: one file a CLI under `presets/`.
use crate::model::{
    policy::PRESETS,
    seen::{ErrorClass, Seen},
};
use regex::{Regex, RegexBuilder};
use serde::Deserialize;
use std::sync::LazyLock;

/// The rules of one CLI.
#[derive(Debug)]
pub struct Preset {
    pub name: String,
    /// What `pane_current_command` says while it runs.
    pub programs: Option<Regex>,
    /// The input line and what stands below it, up to the end of the screen. Group 1: what stands below.
    pub composer: Option<Regex>,
    /// A row that begins something new in the conversation: what stands above it is history.
    pub item: Option<Regex>,
    /// What stands in the input line: as for `draft_re`.
    pub draft: Option<Regex>,
    /// The first one that holds decides.
    pub rules: Vec<Rule>,
}

#[derive(Debug)]
pub struct Rule {
    pub name: String,
    pub state: Seen,
    pub zone: Zone,
    pub re: Regex,
    /// Rows below the match that make it history; the preset's `item` unless the rule has its own.
    pub stale: Option<Regex>,
    pub error: Option<ErrorClass>,
}

/// Where a rule looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Zone {
    /// The conversation above the input line. No input line: nothing.
    Above,
    /// Below the input line's text. No input line: nothing.
    Footer,
    /// The last rows of a screen without an input line: a dialog has taken its place.
    Dialog,
    /// The last rows, whatever they are.
    Tail,
    /// That the input line is there.
    Composer,
    Title,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    programs: Option<String>,
    composer: Option<String>,
    item: Option<String>,
    draft: Option<String>,
    rule: Vec<RuleText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleText {
    name: String,
    state: Seen,
    #[serde(rename = "in")]
    zone: Zone,
    #[serde(default)]
    re: String,
    stale: Option<String>,
    error: Option<ErrorClass>,
}

/// In the order of [`PRESETS`]; the last one is for CLIs that nobody described.
const FILES: [&str; PRESETS.len() + 1] = [
    include_str!("presets/claude.toml"),
    include_str!("presets/codex.toml"),
    include_str!("presets/opencode.toml"),
    include_str!("presets/gemini.toml"),
    include_str!("presets/generic.toml"),
];

static LOADED: [LazyLock<Preset>; FILES.len()] = [
    LazyLock::new(|| shipped(0)),
    LazyLock::new(|| shipped(1)),
    LazyLock::new(|| shipped(2)),
    LazyLock::new(|| shipped(3)),
    LazyLock::new(|| shipped(4)),
];

/// The preset of that name.
pub fn named(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().position(|known| *known == name).map(|i| &*LOADED[i])
}

/// For a CLI that nobody described.
pub fn generic() -> &'static Preset {
    &LOADED[PRESETS.len()]
}

fn shipped(index: usize) -> Preset {
    let name = PRESETS.get(index).copied().unwrap_or("generic");
    // They ship with the program, and a test reads each of them.
    load(name, FILES[index]).unwrap_or_else(|e| panic!("preset `{name}`: {e}"))
}

fn load(name: &str, text: &str) -> Result<Preset, String> {
    let file: File = toml::from_str(text).map_err(|e| e.to_string())?;
    let pattern = |text: &str| RegexBuilder::new(text).multi_line(true).build().map_err(|e| format!("{text}: {e}"));
    let maybe = |text: &Option<String>| text.as_deref().map(pattern).transpose();
    let item = maybe(&file.item)?;
    let rule = |r: RuleText| -> Result<Rule, String> {
        Ok(Rule {
            re: pattern(&r.re)?,
            stale: if r.zone == Zone::Above { maybe(&r.stale)?.or_else(|| item.clone()) } else { maybe(&r.stale)? },
            name: r.name,
            state: r.state,
            zone: r.zone,
            error: r.error,
        })
    };
    Ok(Preset {
        name: name.to_owned(),
        programs: maybe(&file.programs)?,
        composer: maybe(&file.composer)?,
        draft: maybe(&file.draft)?,
        rules: file.rule.into_iter().map(rule).collect::<Result<_, _>>()?,
        item,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_preset_loads_and_names_its_rules_once() {
        let all = PRESETS.iter().map(|name| named(name).unwrap()).chain([generic()]);
        for preset in all {
            let names: BTreeSet<_> = preset.rules.iter().map(|r| &r.name).collect();
            assert_eq!(names.len(), preset.rules.len(), "{}", preset.name);
            assert!(preset.rules.iter().any(|r| r.state == Seen::Idle), "{} is never idle", preset.name);
        }
        assert!(named("generic").is_none() && named("vim").is_none());
    }
}
