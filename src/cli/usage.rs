//! What is wrong with the line, in the house's words.
use super::failure::complain;
use crate::model::name::printable;
use clap::{
    Command,
    error::{ContextKind, ContextValue, ErrorKind},
};

/// Says it; the exit code: 2, or 0 if help or the version was asked for.
pub fn report(error: &clap::Error, command: &Command) -> u8 {
    if !error.use_stderr() {
        let _ = error.print();
        return 0;
    }
    complain(&text(error, command));
    2
}

fn text(error: &clap::Error, command: &Command) -> String {
    let word = |kind| match error.get(kind) {
        Some(ContextValue::String(s)) => Some(s.clone()),
        Some(ContextValue::Strings(list)) => list.first().cloned(),
        _ => None,
    };
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let given = word(ContextKind::InvalidSubcommand).unwrap_or_default();
            let parent = error.get(ContextKind::Usage).and_then(|usage| parent(&usage.to_string(), command));
            let (what, verb, among) = match parent {
                Some(verb) => ("word", verb.get_name(), verb),
                None => ("verb", "", command),
            };
            let near = nearest(&given, among.get_subcommands().map(Command::get_name));
            let hint = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None if verb.is_empty() => "`agents help` lists the verbs".to_owned(),
                None => format!("`agents {verb} --help` lists what it takes"),
            };
            format!("error: unknown {what} `{}`\nhint: {hint}", printable(&given))
        }
        ErrorKind::UnknownArgument => {
            let given = word(ContextKind::InvalidArg).unwrap_or_default();
            let hint = match word(ContextKind::SuggestedArg) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "`agents VERB --help` lists what a verb takes; behind `--` every word is text".into(),
            };
            format!("error: unexpected `{}`\nhint: {hint}", printable(&given))
        }
        // Clap's own rendering, without its advertisement.
        _ => {
            let all = error.render().to_string();
            let kept = all.split("\n\nFor more information").next().unwrap_or_default();
            kept.trim_end().replace("  tip: ", "hint: ")
        }
    }
}

/// The verb whose own words are meant, by the usage that clap shows for them.
fn parent<'a>(usage: &str, command: &'a Command) -> Option<&'a Command> {
    let word = usage.split("agents ").nth(1)?.split_whitespace().next()?;
    command.find_subcommand(word)
}

/// The word that was probably meant.
pub fn nearest<'a>(given: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let given = given.to_lowercase();
    known
        .map(|k| {
            let k_lower = k.to_lowercase();
            let begins = given.chars().count() >= 2 && k_lower.starts_with(&given);
            let score = strsim::jaro_winkler(&given, &k_lower);
            (if begins { 1.0 } else { score }, k)
        })
        .filter(|(score, _)| *score >= 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, k)| k)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn typos_find_their_word_and_strangers_none() {
        let known = ["builder", "adversary", "web"];
        assert_eq!(nearest("buidler", known.into_iter()), Some("builder"));
        assert_eq!(nearest("adv", known.into_iter()), Some("adversary"));
        assert_eq!(nearest("zzz", known.into_iter()), None);
    }
}
