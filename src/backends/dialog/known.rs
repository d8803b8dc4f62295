//! The dialogs that a preset names, as data: how each is recognised, and what its choices are called.
use super::super::pattern::Pattern;
use serde::Deserialize;
use std::collections::BTreeMap;

/// One dialog. A screen is it only if everything fits: its question, every one of its choices, and what stands below.
#[derive(Debug)]
pub struct Known {
    pub name: String,
    /// Found in the rows above the choices.
    pub asks: Pattern,
    /// The last row of the screen, if it is not the last choice. `None`: any hint that the preset knows.
    pub foot: Option<Pattern>,
    pub choices: Vec<KnownChoice>,
    /// The key that confirms.
    pub key: String,
    /// It asks whether something may be done: the config cannot answer it by its name.
    pub asks_leave: bool,
}

#[derive(Debug)]
pub struct KnownChoice {
    pub name: String,
    /// How its row may read; a `*` at the end stands for anything.
    pub rows: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownText {
    name: String,
    asks: String,
    foot: Option<String>,
    #[serde(default)]
    choices: BTreeMap<String, Vec<String>>,
    #[serde(default = "enter")]
    key: String,
    #[serde(default)]
    asks_leave: bool,
}

fn enter() -> String {
    "Enter".into()
}

impl KnownText {
    pub fn load(self) -> Result<Known, String> {
        let choices = self.choices.into_iter().map(|(name, rows)| KnownChoice { name, rows }).collect();
        Ok(Known {
            asks: Pattern::new(&self.asks)?,
            foot: self.foot.as_deref().map(Pattern::new).transpose()?,
            name: self.name,
            choices,
            key: self.key,
            asks_leave: self.asks_leave,
        })
    }
}

impl Known {
    /// The choice that the config means: its name, or the text of its row.
    pub fn choice(&self, words: &str) -> Option<&KnownChoice> {
        self.choices.iter().find(|c| c.name == words).or_else(|| self.choices.iter().find(|c| c.reads(words)))
    }
}

impl KnownChoice {
    pub fn reads(&self, row: &str) -> bool {
        self.rows.iter().any(|known| match known.strip_suffix('*') {
            Some(begin) => row.starts_with(begin),
            None => row == known,
        })
    }
}
