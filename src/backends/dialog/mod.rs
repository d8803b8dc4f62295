//! Which dialog stands on a screen, what it asks and offers, where its cursor stands, and what the config answers.
//!
//! Whoever asks writes a part of the words: a command, a file's name, a reason. So a named dialog is told by all of its
//! choices and by what stands below, not by its question alone; and a pattern of the user has to fit the whole question.
mod bar;
mod known;
mod menu;

pub use known::{Known, KnownText};

use super::{colours::Colours, fold::is_frame, hash, pattern::Pattern, preset::Preset, rows};
use crate::model::{
    dialog::{Dialog, DialogAnswer, How},
    name::printable_cut,
    policy::{DialogRule, OwnAnswer},
};
use menu::Menu;

/// Without a row that begins it, a dialog takes at most so many filled rows above its choices.
const MOST_ABOVE: usize = 16;

/// A screen's rows with the dialog on them.
struct Shown<'t> {
    rows: Vec<&'t str>,
    /// First row of the dialog, and whether it is known to be the first.
    top: usize,
    is_top_seen: bool,
    menu: Option<Menu>,
}

/// The dialog in place of the input line: to be called where the preset's rules see one, or where there is no preset.
///
/// `colours`: of the same screen, where the preset needs them ([`Preset::dialog_bar`]).
pub fn find(preset: Option<&Preset>, text: &str, rules: &[DialogRule], colours: Option<&Colours>) -> Option<Dialog> {
    let mut rows: Vec<&str> = text.lines().collect();
    let bar = preset.and_then(|p| p.dialog_bar.as_ref()).zip(colours).and_then(|(re, c)| bar::last(&rows, re, c));
    if let Some((bar, colours)) = bar.as_ref().zip(colours) {
        bar::cut(&mut rows, bar.rows.start, colours);
    }
    let menu = bar.or_else(|| menu::last(&rows));
    let end = menu.as_ref().map_or(rows.len(), |m| m.rows.start);
    let top = preset.and_then(|p| p.dialog_top.as_ref()).and_then(|re| rows[..end].iter().rposition(|r| re.is_in(r)));
    let is_top_seen = top.is_some() || preset.is_none();
    let is_filled = |i: &usize| !rows::is_blank(rows[*i]);
    let top = top.unwrap_or_else(|| match preset {
        Some(_) => (0..end).rev().filter(is_filled).take(MOST_ABOVE).last().unwrap_or(end),
        // The paragraph above the choices.
        None => (0..end).rev().skip_while(|i| !is_filled(i)).take_while(is_filled).last().unwrap_or(end),
    });
    let shown = Shown { rows, top, is_top_seen, menu };
    let known = preset.and_then(|p| p.dialogs.iter().find(|k| shown.is(k, p)));
    let own = rules.iter().find_map(|rule| shown.answered_by(rule, preset, known));
    match (&shown.menu, known, &own) {
        // Nothing that anybody named, and nothing to choose from.
        (None, None, None) => None,
        _ => Some(shown.dialog(known, own)),
    }
}

impl Shown<'_> {
    /// Rows above the choices, the dialog's own.
    fn question(&self) -> String {
        let end = self.menu.as_ref().map_or(self.rows.len(), |m| m.rows.start);
        self.rows[self.top..end].join("\n")
    }

    /// What stands below the choices is a hint that belongs there, or nothing.
    fn ends_well(&self, foot: Option<&Pattern>) -> bool {
        let from = self.menu.as_ref().map_or(0, |m| m.rows.end);
        let last = self.rows[from..].iter().rfind(|row| !rows::is_blank(row));
        match (last, foot) {
            (None, _) => true,
            (Some(row), Some(re)) => re.is_in(row),
            (Some(_), None) => false,
        }
    }

    fn is(&self, known: &Known, preset: &Preset) -> bool {
        let foot = known.foot.as_ref().or(preset.dialog_foot.as_ref());
        let choices = match &self.menu {
            Some(_) if known.asks_leave => true,
            Some(menu) => menu.choices.iter().all(|c| known.choices.iter().any(|k| c.is(k))),
            None => !known.asks_leave && known.choices.iter().all(|c| c.rows.is_empty()),
        };
        choices && self.ends_well(foot) && known.asks.plain().is_match(&self.question())
    }

    /// The name and the answer, if this rule is for this dialog.
    fn answered_by(
        &self,
        rule: &DialogRule,
        preset: Option<&Preset>,
        known: Option<&Known>,
    ) -> Option<(String, DialogAnswer)> {
        match rule {
            DialogRule::Named { dialog, choice } => {
                let known = known.filter(|k| k.name == *dialog && !k.asks_leave)?;
                let wanted = known.choice(choice)?;
                let how = match &self.menu {
                    Some(menu) => How::Choose { choice: menu.only(|c| c.is(wanted))?, key: known.key.clone() },
                    None => How::Press { key: known.key.clone() },
                };
                Some((dialog.clone(), DialogAnswer { rule: format!("dialogs.{dialog}"), how }))
            }
            DialogRule::Own { name, re, answer } => {
                let how = match answer {
                    OwnAnswer::Choice(text) => {
                        let menu = self.menu.as_ref()?;
                        let foot_fits = preset.is_none_or(|p| self.ends_well(p.dialog_foot.as_ref()));
                        if !self.is_top_seen || !foot_fits || !re.is_match(&rows::one_line(&self.question())) {
                            return None;
                        }
                        let text = text.to_lowercase();
                        let choice = menu.only(|c| [&c.text, &c.whole].iter().any(|t| t.to_lowercase() == text))?;
                        How::Choose { choice, key: "Enter".into() }
                    }
                    OwnAnswer::Key(key) => {
                        if self.menu.is_some() || !re.is_match(self.rows.last()?.trim_matches(is_frame)) {
                            return None;
                        }
                        How::Press { key: key.clone() }
                    }
                };
                Some((name.clone(), DialogAnswer { rule: format!("dialog `{name}`"), how }))
            }
        }
    }

    fn dialog(&self, known: Option<&Known>, own: Option<(String, DialogAnswer)>) -> Dialog {
        let (own_name, answer) = own.map_or((None, None), |(name, answer)| (Some(name), Some(answer)));
        let name = own_name.or_else(|| known.map(|k| k.name.clone()));
        let question = self.question();
        let asked = match known {
            _ if self.is_top_seen && self.menu.is_some() => rows::one_line(&question),
            Some(known) => rows::one_line(&question[known.asks.plain().find(&question).map_or(0, |m| m.start())..]),
            // Where it begins is not known: its last paragraph.
            None if self.menu.is_some() => rows::last_paragraph(&question),
            None => self.rows.last().map(|r| r.trim_matches(is_frame).to_owned()).unwrap_or_default(),
        };
        let choices: Vec<&str> = self.menu.iter().flat_map(|m| &m.choices).map(|c| c.text.as_str()).collect();
        let row = self.menu.as_ref().map_or(self.rows.len().saturating_sub(1), |m| m.choices[m.cursor].row);
        Dialog {
            id: hash(&(&name, &asked, &choices)),
            shape: hash(&(self.top, &self.rows[self.top..], self.menu.as_ref().map(|m| m.cursor))),
            name,
            asked: printable_cut(&asked, 300),
            choices: choices.iter().map(|c| printable_cut(c, 200)).collect(),
            cursor: self.menu.as_ref().map(|m| m.cursor),
            across: self.menu.as_ref().is_some_and(|m| m.across),
            row,
            row_text: printable_cut(self.rows.get(row).unwrap_or(&""), 500),
            answer,
        }
    }
}
