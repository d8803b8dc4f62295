//! `{name}` in a text. Only the name of a parameter counts: `${HOME}`, `'{print}'` and `{a,b}` stay as they are, and
//! `{{name}}` is `{name}`.
use super::Param;
use crate::model::nearest::nearest;

/// Part of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'t> {
    Text(&'t str),
    /// Number of the parameter.
    Param(usize),
    /// Looks like a parameter, and is none.
    Unknown {
        word: &'t str,
        near: Option<String>,
    },
}

/// What a text does with a word in braces that is no parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strange {
    /// Commands have braces of their own: only a slip of the keyboard is meant for us.
    Slip,
    Any,
}

/// What stands at the beginning of `text`, if that is something of ours, and how many bytes it takes. `before`: the
/// character before it; a `$` makes it a variable of the shell.
pub(super) fn at<'t>(
    text: &'t str,
    before: Option<char>,
    params: &[Param],
    strange: Strange,
) -> Option<(Piece<'t>, usize)> {
    if before == Some('$') || !text.starts_with('{') {
        return None;
    }
    if let Some((word, rest)) = text.strip_prefix("{{").and_then(|rest| rest.split_once('}')) {
        let ours = rest.starts_with('}') && meant(word, params, strange).is_some();
        return ours.then(|| (Piece::Text(&text[1..word.len() + 3]), word.len() + 4));
    }
    let (word, _) = text[1..].split_once('}')?;
    Some((meant(word, params, strange)?, word.len() + 2))
}

fn meant<'t>(word: &'t str, params: &[Param], strange: Strange) -> Option<Piece<'t>> {
    if let Some(number) = params.iter().position(|param| param.name == word) {
        return Some(Piece::Param(number));
    }
    let plain = word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if !plain || word.is_empty() || word.as_bytes()[0].is_ascii_digit() {
        return None;
    }
    let near = nearest(word, params.iter().map(|param| param.name.as_str())).map(str::to_owned);
    (strange == Strange::Any || near.is_some()).then_some(Piece::Unknown { word, near })
}

/// The whole text, which no shell reads.
pub(super) fn pieces<'t>(text: &'t str, params: &[Param], strange: Strange) -> Vec<Piece<'t>> {
    let mut found = Vec::new();
    let (mut from, mut place, mut before) = (0, 0, None);
    while let Some(c) = text[place..].chars().next() {
        if let Some((piece, taken)) = at(&text[place..], before, params, strange) {
            found.extend((from < place).then(|| Piece::Text(&text[from..place])));
            found.push(piece);
            place += taken;
            from = place;
            before = Some('}');
        } else {
            place += c.len_utf8();
            before = Some(c);
        }
    }
    found.extend((from < place).then(|| Piece::Text(&text[from..])));
    found
}

/// The hint for a word that is no parameter.
pub(super) fn hint(word: &str, near: Option<&str>, params: &[Param]) -> String {
    match (near, params) {
        (Some(near), _) => format!("did you mean `{{{near}}}`? `{{{{{word}}}}}` is the word itself"),
        (None, []) => format!("`params = [\"{word}\"]` makes it one; `{{{{{word}}}}}` is the word itself"),
        (None, params) => {
            let names: Vec<String> = params.iter().map(|param| format!("`{}`", param.name)).collect();
            format!("the parameters are {}; `{{{{{word}}}}}` is the word itself", names.join(", "))
        }
    }
}
