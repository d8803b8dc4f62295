//! The environment of whoever calls `up`: kept (0600) and given to every start and restart, so that a supervisor that
//! came back after a crash starts agents just as the user did.
use crate::{model::policy::EnvRules, world::file::write_whole};
use std::{ffi::OsStr, io, os::unix::ffi::OsStrExt, path::Path};

/// Never passed on: they would let an agent find the fleet's tmux server, or make one start's model stick.
const NEVER: [&str; 4] = ["TMUX", "TMUX_PANE", "AGENT_MODEL_*", "AGENT_BACKEND_*"];

/// Writes the caller's environment, by the rules, as NUL-separated `KEY=VALUE`.
pub fn save(path: &Path, rules: &EnvRules) -> io::Result<()> {
    let mut bytes = Vec::new();
    for (key, value) in std::env::vars_os() {
        if passes(&key, rules) {
            bytes.extend_from_slice(key.as_bytes());
            bytes.push(b'=');
            bytes.extend_from_slice(value.as_bytes());
            bytes.push(0);
        }
    }
    write_whole(path, &bytes)
}

/// Whether a variable of the caller is for agents.
pub fn passes(key: &OsStr, rules: &EnvRules) -> bool {
    let key = key.to_string_lossy();
    let named = |name: &str| match name.strip_suffix('*') {
        Some(start) => key.starts_with(start),
        None => key == name,
    };
    !NEVER.into_iter().any(named)
        && !rules.deny.iter().any(|name| named(name))
        && (rules.allow.is_empty() || rules.allow.iter().any(|name| named(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_by_name_and_by_beginning() {
        let rules = |allow: &[&str], deny: &[&str]| EnvRules {
            allow: allow.iter().map(|s| s.to_string()).collect(),
            deny: deny.iter().map(|s| s.to_string()).collect(),
        };
        let passes = |key: &str, rules: &EnvRules| passes(OsStr::new(key), rules);
        assert!(passes("PATH", &rules(&[], &[])));
        assert!(!passes("TMUX", &rules(&["TMUX"], &[])));
        assert!(!passes("AGENT_MODEL_a", &rules(&[], &[])));
        assert!(!passes("AWS_SECRET", &rules(&[], &["AWS_*"])));
        assert!(!passes("HOME", &rules(&["PATH", "LC_*"], &[])));
        assert!(passes("LC_ALL", &rules(&["PATH", "LC_*"], &[])));
    }
}
