//! What the screens of a known agent CLI look like, as data: one file a CLI under `presets/`.
use super::{
    dialog::{Known, KnownText},
    forgets::Forgets,
    pattern::Pattern,
};
use crate::model::{
    job_agent::JobLines,
    policy::PRESETS,
    seen::{ErrorClass, Seen},
};
use serde::Deserialize;
use std::sync::LazyLock;

/// The rules of one CLI.
#[derive(Debug)]
pub struct Preset {
    pub name: String,
    /// What `pane_current_command` says while it runs.
    pub programs: Option<Pattern>,
    /// The input line: the last match, if no more than `below_rows` rows follow and `below` matches each of them.
    pub composer: Option<Pattern>,
    pub below_rows: usize,
    pub below: Option<Pattern>,
    /// What stands in the input line: as for `draft_re`.
    pub draft: Option<Pattern>,
    /// A row that begins something new in the conversation.
    pub item: Option<Pattern>,
    /// The turn is over, and what it started goes on: in the footer, or in the conversation from its last item on.
    pub background: Option<Pattern>,
    /// Rows that make what stands above them history, each once.
    pub stale: Vec<Pattern>,
    /// The first one that holds decides.
    pub rules: Vec<Rule>,
    /// The row with which a dialog begins, or the row above it.
    pub dialog_top: Option<Pattern>,
    /// What may stand below the choices of a dialog, as the last row of the screen.
    pub dialog_foot: Option<Pattern>,
    /// A row of choices side by side (its first group), of which the marked one shows by its ground alone.
    pub dialog_bar: Option<Pattern>,
    /// A message whose turn ends with an error is taken out of its conversation, and this is how it looks.
    pub forgets: Option<Forgets>,
    /// The dialogs that have a name; the first one that fits.
    pub dialogs: Vec<Known>,
    /// How it works on a prompt without a terminal.
    pub job: Option<JobLines>,
}

#[derive(Debug)]
pub struct Rule {
    pub name: String,
    pub state: Seen,
    pub zone: Zone,
    pub re: Pattern,
    /// Index of the row in [`Preset::stale`] that makes what stands above it history: it looks from the last one on. The
    /// preset's `item`, a row that begins something new in the conversation, unless the rule has its own.
    pub stale: Option<usize>,
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
    /// Everything that can be seen.
    Screen,
    /// That the input line is there.
    Composer,
    Title,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    programs: Option<String>,
    composer: Option<String>,
    #[serde(default = "rows")]
    below_rows: usize,
    below: Option<String>,
    item: Option<String>,
    background: Option<String>,
    draft: Option<String>,
    rule: Vec<RuleText>,
    dialog_top: Option<String>,
    dialog_foot: Option<String>,
    dialog_bar: Option<String>,
    forgets: Option<ForgetsText>,
    #[serde(default)]
    dialog: Vec<KnownText>,
    job: Option<JobLines>,
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ForgetsText {
    error: String,
    did: String,
    message: String,
}

impl ForgetsText {
    fn load(self) -> Result<Forgets, String> {
        let [error, did, message] = [&self.error, &self.did, &self.message].map(|text| Pattern::new(text));
        Ok(Forgets { error: error?, did: did?, message: message? })
    }
}

/// What a footer takes at most, as a rule.
fn rows() -> usize {
    12
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
    let maybe = |text: &Option<String>| text.as_deref().map(Pattern::new).transpose();
    let mut stale: Vec<Pattern> = Vec::new();
    let mut stale_index = |text: Option<&String>| -> Result<Option<usize>, String> {
        let Some(text) = text else { return Ok(None) };
        if let Some(known) = stale.iter().position(|re| re.as_str() == text) {
            return Ok(Some(known));
        }
        stale.push(Pattern::new(text)?);
        Ok(Some(stale.len() - 1))
    };
    let mut rules = Vec::new();
    for r in file.rule {
        let item = file.item.as_ref().filter(|_| r.zone == Zone::Above);
        rules.push(Rule {
            re: Pattern::new(&r.re)?,
            stale: stale_index(r.stale.as_ref().or(item))?,
            name: r.name,
            state: r.state,
            zone: r.zone,
            error: r.error,
        });
    }
    Ok(Preset {
        name: name.to_owned(),
        programs: maybe(&file.programs)?,
        composer: maybe(&file.composer)?,
        draft: maybe(&file.draft)?,
        below_rows: file.below_rows,
        item: maybe(&file.item)?,
        background: maybe(&file.background)?,
        below: maybe(&file.below)?,
        dialog_top: maybe(&file.dialog_top)?,
        dialog_foot: maybe(&file.dialog_foot)?,
        dialog_bar: maybe(&file.dialog_bar)?,
        forgets: file.forgets.map(ForgetsText::load).transpose()?,
        dialogs: file.dialog.into_iter().map(|text| text.load()).collect::<Result<_, _>>()?,
        job: file.job,
        rules,
        stale,
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
            assert!(preset.job.as_ref().is_none_or(|job| job.resume.iter().any(|word| word == "{session}")));
            assert_eq!(preset.job.is_some(), preset.name != "generic", "{}", preset.name);
            assert!(preset.rules.iter().any(|r| r.state == Seen::Idle), "{} is never idle", preset.name);
        }
        assert!(named("generic").is_none() && named("vim").is_none());
    }
}
