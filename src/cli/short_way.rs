//! `run` stands in the loops of scripts: its words are read without building those of all other verbs, which takes longer
//! than all the rest. Whatever it does not understand goes the long way, and is told there.
use super::{args::Verb, run::RunArgs};
use clap::{Args, FromArgMatches};
use std::ffi::OsString;

/// `argv` without `--config`.
pub fn verb(argv: &[OsString]) -> Option<Verb> {
    let (word, _) = argv.get(1..)?.split_first()?;
    if word != "run" {
        return None;
    }
    let mut command = RunArgs::augment_args(clap::Command::new("run"));
    let matches = command.try_get_matches_from_mut(&argv[1..]).ok()?;
    RunArgs::from_arg_matches(&matches).ok().map(Verb::Run)
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
            "agents run -b --name web --env A=1 --env B=2 --after j1 --priority -3 --timeout 10m -- cargo test --all",
            "agents run a.json b.json",
            "agents run -b --batch -",
            "agents run",
        ] {
            let long = args::Args::try_parse_from(argv(line)).unwrap().verb.unwrap();
            let short = verb(&argv(line)).unwrap();
            assert_eq!(format!("{short:?}"), format!("{long:?}"), "{line}");
        }
        for line in ["agents run --help", "agents run --nmae x true", "agents run --color never true", "agents jobs"] {
            assert!(verb(&argv(line)).is_none(), "{line}");
        }
    }
}
