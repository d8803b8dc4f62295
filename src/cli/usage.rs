//! What is wrong with the line, in the house's words.
use super::failure::complain;
use crate::model::{name::printable, nearest::nearest};
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
