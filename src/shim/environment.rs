//! What an agent finds in its environment: that of the caller of `up`, the pane's terminal, our marks.
use super::record::LaunchRecord;
use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    os::unix::ffi::{OsStrExt, OsStringExt},
};

/// Never handed on: the first two would let an agent reach the fleet's server, the others are for one agent each.
const NEVER: [&str; 4] = ["TMUX", "TMUX_*", "AGENT_MODEL_*", "AGENT_BACKEND_*"];
/// Belong to the terminal the program runs in, not to that of the caller.
const OF_THE_PANE: [&str; 2] = ["TERM", "COLORTERM"];
/// Say where the caller ran, which is not where the agent runs; a shell sets them itself.
const OF_THE_CALLER: [&str; 6] = ["PWD", "OLDPWD", "SHLVL", "_", "LINES", "COLUMNS"];

/// `caller`: entries `KEY=VALUE`, each ended by NUL. `pane`: this process's own environment.
pub(super) fn build(
    record: &LaunchRecord,
    caller: &[u8],
    pane: impl Fn(&str) -> Option<OsString>,
) -> BTreeMap<OsString, OsString> {
    let mut all = BTreeMap::new();
    for entry in caller.split(|b| *b == 0) {
        // A name may begin with `=` nowhere but on other systems.
        let Some(at) = entry.iter().position(|b| *b == b'=').filter(|at| *at > 0) else { continue };
        let name = &entry[..at];
        let mine = |names: &[&str]| names.iter().any(|pattern| matches(pattern, name));
        if mine(&NEVER) || mine(&OF_THE_PANE) || mine(&OF_THE_CALLER) || mine(&["AGENTS_*"]) {
            continue;
        }
        if record.env_remove.iter().any(|pattern| matches(pattern, name)) {
            continue;
        }
        all.insert(OsStr::from_bytes(name).to_owned(), OsString::from_vec(entry[at + 1..].to_vec()));
    }
    for name in OF_THE_PANE {
        all.extend(pane(name).map(|value| (OsString::from(name), value)));
    }
    all.extend(record.env_set.iter().map(|(k, v)| (k.into(), v.into())));
    all.insert("AGENTS_SESSION".into(), record.session.clone().into());
    all.insert("AGENTS_NAME".into(), record.name.clone().into());
    all.insert("AGENTS_FLEET".into(), record.fleet.clone().into());
    all.insert("AGENTS_INCARNATION".into(), record.incarnation.to_string().into());
    all.insert("PWD".into(), record.dir.clone().into());
    all
}

fn matches(pattern: &str, name: &[u8]) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix.as_bytes()),
        None => name == pattern.as_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_gets_through() {
        let record = LaunchRecord {
            session: "p-a".into(),
            name: "a".into(),
            fleet: "f".into(),
            incarnation: 3,
            env_set: [("B".to_owned(), "set".to_owned())].into(),
            env_remove: vec!["SECRET_*".into(), "GONE".into()],
            ..LaunchRecord::empty()
        };
        let caller =
            b"A=1=2\0B=old\0TMUX=/x\0TMUX_PANE=%1\0AGENT_MODEL_x=m\0AGENT_BACKEND_x=b\0SECRET_K=s\0GONE=1\0TERM=dumb\0\
                       AGENTS_JOB=j1\0bad\0N=a\nb\0U=\xff\0";
        let all = build(&record, caller, |name| (name == "TERM").then(|| "tmux-256color".into()));
        let shown: Vec<String> =
            all.iter().map(|(k, v)| format!("{}={}", k.to_string_lossy(), v.to_string_lossy())).collect();
        assert_eq!(
            shown,
            [
                "A=1=2",
                "AGENTS_FLEET=f",
                "AGENTS_INCARNATION=3",
                "AGENTS_NAME=a",
                "AGENTS_SESSION=p-a",
                "B=set",
                "N=a\nb",
                "PWD=/",
                "TERM=tmux-256color",
                "U=\u{fffd}"
            ]
        );
        assert_eq!(all[OsStr::new("U")].as_bytes(), b"\xff");
    }
}
