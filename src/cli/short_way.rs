//! `run`, and the list of jobs, stand in the loops of scripts: their words are read without building those of all other
//! verbs, which takes longer than all the rest. Whatever it does not understand goes the long way, and is told there.
use super::{
    args::Verb,
    jobs::{JobsArgs, ListArgs},
    run::RunArgs,
};
use clap::{Args, FromArgMatches};
use std::ffi::OsString;

/// `argv` without `--config`.
pub fn verb(argv: &[OsString]) -> Option<Verb> {
    let words = argv.get(1..)?;
    match words.first()?.to_str()? {
        "run" => plain_run(words).or_else(|| read(words)).map(Box::new).map(Verb::Run),
        "jobs" => {
            let list = if words.get(1).is_some_and(|word| word == "list") { &words[1..] } else { words };
            read::<ListArgs>(list).map(|list| Verb::Jobs(JobsArgs::listing(list)))
        }
        _ => None,
    }
}

/// What a loop says most often, without any word that could mean something else: `run -b LINE`, `run -b -- PROGRAM…`.
fn plain_run(words: &[OsString]) -> Option<RunArgs> {
    let [_, background, rest @ ..] = words else { return None };
    if background != "-b" && background != "--background" {
        return None;
    }
    match rest {
        [line] if !line.is_empty() && !line.as_encoded_bytes().starts_with(b"-") => {
            Some(RunArgs::in_background(rest, &[]))
        }
        [dashes, argv @ ..] if dashes == "--" && !argv.is_empty() => Some(RunArgs::in_background(&[], argv)),
        _ => None,
    }
}

fn read<A: Args + FromArgMatches>(words: &[OsString]) -> Option<A> {
    let mut command = A::augment_args(clap::Command::new("word"));
    A::from_arg_matches(&command.try_get_matches_from_mut(words).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args;
    use clap::Parser;

    fn argv(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    /// Both ways mean the same.
    #[test]
    fn what_it_understands_is_what_the_long_way_understands() {
        for line in [
            "agents run -b true",
            "agents run --background true",
            "agents run -b -- true",
            "agents run -b -- cargo test --all -- -b",
            "agents run -b true false",
            "agents run -b --",
            "agents run -b --name web --env A=1 --env B=2 --after j1 --priority -3 --timeout 10m -- cargo test --all",
            "agents run a.json b.json",
            "agents run -b --batch -",
            "agents run",
            "agents jobs",
            "agents jobs -n 3 --state failed --json",
            "agents jobs --all --group gpu",
        ] {
            let long = args::Args::try_parse_from(argv(line)).unwrap().verb.unwrap();
            let short = verb(&argv(line)).unwrap();
            assert_eq!(format!("{short:?}"), format!("{long:?}"), "{line}");
        }
        let listed = verb(&argv("agents jobs list --all --json")).unwrap();
        assert_eq!(format!("{listed:?}"), format!("{:?}", verb(&argv("agents jobs --all --json")).unwrap()));
        for line in [
            "agents run --help",
            "agents run --nmae x true",
            "agents run --color never true",
            "agents jobs show j1",
            "agents jobs list list",
            "agents jobs --help",
            "agents jobs --all -n 2",
            "agents status",
            "agents",
        ] {
            assert!(verb(&argv(line)).is_none(), "{line}");
        }
    }
}
