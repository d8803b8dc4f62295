//! Which dialogs of a backend may be answered without a person: `dialogs`, and `[[backend.NAME.dialog]]`.
use super::{
    fault::Class,
    fields::Fields,
    findings::{Findings, Reach},
    keys::DIALOG,
    listed::listed,
    pattern,
    values::type_name,
};
use crate::{
    backends::{
        dialog::Known,
        preset::{self, Preset},
    },
    model::{
        name::printable_cut,
        nearest::nearest,
        policy::{DialogRule, OwnAnswer},
    },
};
use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// Keys that answer a question.
const KEYS: [&str; 4] = ["Enter", "Escape", "Space", "Tab"];

/// The rules in file order; what cannot be used is said, and answers nothing.
pub(super) fn read(f: &Fields, preset: Option<&str>, out: &mut Findings) -> Vec<DialogRule> {
    let mut rules = Vec::new();
    if let Some((table, span)) = f.table(out, "dialogs") {
        match preset.and_then(preset::named) {
            Some(preset) => named(f, table, preset, &mut rules, out),
            None if table.is_empty() => {}
            None => {
                let message = format!("`dialogs` of {} names dialogs of a preset, and it has none", f.subject);
                let hint = "add `preset`, or write a `[[backend.NAME.dialog]]` with a pattern";
                out.add(Reach::None, Class::BadValue, span, message, hint);
            }
        }
    }
    for (table, span) in f.tables(out, "dialog") {
        let fields = Fields::new(&DIALOG, table, span, Reach::One).called(format!("a dialog of {}", f.subject));
        fields.check_keys(out);
        rules.extend(own(&fields, out));
    }
    rules
}

fn named(f: &Fields, table: &DeTable, preset: &Preset, rules: &mut Vec<DialogRule>, out: &mut Findings) {
    for (key, value) in table.iter() {
        let name = key.get_ref().as_ref();
        let DeValue::String(words) = value.get_ref() else {
            let message = format!(
                "`{}` in `dialogs` of {} is {}; a choice is wanted",
                cut(name),
                f.subject,
                type_name(value.get_ref())
            );
            out.add(Reach::None, Class::WrongType, value.span(), message, "write it as `trust-folder = \"trust\"`");
            continue;
        };
        let Some(known) = preset.dialogs.iter().find(|d| d.name == name) else {
            let message = format!("{} names unknown dialog `{}`", f.subject, cut(name));
            let names = || preset.dialogs.iter().filter(|d| !d.asks_leave).map(|d| d.name.as_str());
            let hint = match nearest(name, names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if names().next().is_none() => {
                    format!("preset `{}` names none; `[[backend.NAME.dialog]]` answers by a pattern", preset.name)
                }
                None => format!("preset `{}` knows {}", preset.name, listed(names().collect::<Vec<_>>())),
            };
            out.add(Reach::None, Class::UnknownWord, key.span(), message, hint);
            continue;
        };
        match known.choice(words) {
            _ if known.asks_leave => {
                let message = format!("`{name}` of {} cannot be answered by its name", f.subject);
                let hint = "write a `[[backend.NAME.dialog]]` whose `re` fits what is asked for";
                out.add(Reach::None, Class::BadValue, key.span(), message, hint);
            }
            Some(choice) => {
                rules.push(DialogRule::Named { dialog: name.to_owned(), choice: choice.name.clone() });
            }
            None => unknown_choice(f, known, words, value.span(), out),
        }
    }
}

fn unknown_choice(f: &Fields, known: &Known, words: &str, span: Range<usize>, out: &mut Findings) {
    let message = format!("dialog `{}` of {} has no choice `{}`", known.name, f.subject, cut(words));
    let names: Vec<&str> = known.choices.iter().map(|c| c.name.as_str()).collect();
    let rows = known.choices.iter().flat_map(|c| c.rows.iter().map(String::as_str));
    let hint = match nearest(words, names.iter().copied().chain(rows)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("its choices are {}", listed(names)),
    };
    out.add(Reach::None, Class::UnknownWord, span, message, hint);
}

fn own(f: &Fields, out: &mut Findings) -> Option<DialogRule> {
    let name = f.text(out, "name").filter(|n| !n.value.trim().is_empty());
    if name.is_none() {
        f.missing(out, "name", "add what it is called: `name = \"deploy\"`");
    }
    let re = f.text(out, "re").filter(|t| !t.value.is_empty());
    let re = match &re {
        None => {
            f.missing(out, "re", "add a pattern for the whole question: `re = 'Deploy to staging\\?'`");
            None
        }
        // The whole or nothing: whoever asks writes a part of the words.
        Some(text) => match pattern::compile(&format!(r"\A(?:{})\z", text.value), false) {
            Ok(regex) => Some(regex),
            Err((reason, hint)) => {
                f.bad(out, Class::BadRegex, text.span.clone(), format!("`re` of {} {reason}", f.subject), hint);
                None
            }
        },
    };
    let text = |out: &mut Findings, key: &str| f.text(out, key).filter(|t| !t.value.trim().is_empty());
    let answer = match (text(out, "choice"), text(out, "key")) {
        (Some(choice), None) => Some(OwnAnswer::Choice(choice.value.trim().to_owned())),
        (None, Some(key)) if is_key(&key.value) => Some(OwnAnswer::Key(key.value)),
        (None, Some(key)) => {
            let message = format!("`key` of {} is no key that answers: `{}`", f.subject, cut(&key.value));
            let hint = format!("write one character, or {}", listed(KEYS));
            f.bad(out, Class::BadValue, key.span, message, hint);
            None
        }
        (None, None) => {
            f.missing(out, "choice", "add the text of the row to choose, or `key = \"y\"` where there is no list");
            None
        }
        (Some(_), Some(key)) => {
            let message = format!("{} has both `choice` and `key`", f.subject);
            f.bad(out, Class::BadValue, key.span, message, "keep `choice` for a list, `key` where there is none");
            None
        }
    };
    Some(DialogRule::Own { name: cut(name?.value.trim()), re: re?, answer: answer? })
}

fn is_key(key: &str) -> bool {
    KEYS.contains(&key) || (key.len() == 1 && key.chars().all(|c| c.is_ascii_graphic() && c != ';'))
}

fn cut(text: &str) -> String {
    printable_cut(text, 60)
}
