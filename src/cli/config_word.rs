//! `--config PATH` anywhere on the line: the first one counts, all of them vanish before the verb is read.
use std::{ffi::OsString, os::unix::ffi::OsStrExt, path::PathBuf};

/// The path, and the line without it. What stands behind `--` is text. A `--config` with nothing behind it stays, for
/// the parser to complain about.
pub fn take(argv: Vec<OsString>) -> (Option<PathBuf>, Vec<OsString>) {
    let mut config = None;
    let mut rest = Vec::with_capacity(argv.len());
    let mut words = argv.into_iter().peekable();
    while let Some(word) = words.next() {
        if word == "--" {
            rest.push(word);
            rest.extend(words);
            break;
        }
        if word == "--config" {
            match words.next_if(|next| next != "--") {
                Some(path) => config = config.or(Some(PathBuf::from(path))),
                None => rest.push(word),
            }
        } else if let Some(path) = word.as_bytes().strip_prefix(b"--config=") {
            config = config.or_else(|| Some(PathBuf::from(std::ffi::OsStr::from_bytes(path))));
        } else {
            rest.push(word);
        }
    }
    (config, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(line: &str) -> (Option<String>, String) {
        let (config, rest) = take(line.split(' ').map(OsString::from).collect());
        let rest: Vec<_> = rest.into_iter().filter_map(|w| w.into_string().ok()).collect();
        (config.map(|p| p.display().to_string()), rest.join(" "))
    }

    #[test]
    fn anywhere_and_the_first_one_counts() {
        assert_eq!(taken("agents --config a status"), (Some("a".into()), "agents status".into()));
        assert_eq!(taken("agents status --config=a --config b"), (Some("a".into()), "agents status".into()));
        assert_eq!(taken("agents send x -- --config y"), (None, "agents send x -- --config y".into()));
        assert_eq!(taken("agents status --config"), (None, "agents status --config".into()));
    }
}
