//! Who else can change what runs here: a config that an agent works beside, or that others may write.
use super::paths::Paths;
use crate::{
    model::{
        name::printable,
        policy::{Policy, Reload},
    },
    world::file::write_whole,
};
use std::{fs::Metadata, os::unix::fs::MetadataExt, path::Path};

/// The warnings, unless they were said before. What was said is kept beside the state.
pub fn news(policy: &Policy, paths: &Paths) -> Vec<String> {
    let found = warnings(policy);
    let (said, text) = (paths.state_dir.join("warned-exposure.txt"), found.join("\n"));
    if std::fs::read_to_string(&said).unwrap_or_default() == text {
        return Vec::new();
    }
    // Where it cannot be kept, it is said again.
    let _ = write_whole(&said, text.as_bytes());
    found
}

/// Warnings, each with a hint. Agents run as the user, so this is about accidents and about CLIs that keep their agent
/// to its working directory, not about a wall.
pub fn warnings(policy: &Policy) -> Vec<String> {
    let mut found = Vec::new();
    let config = &policy.config_path;
    let shown = printable(&config.to_string_lossy());
    let beside: Vec<&str> = policy
        .agents
        .iter()
        .filter(|a| a.enabled && a.worktree.is_none() && a.dir.canonicalize().is_ok_and(|dir| config.starts_with(dir)))
        .map(|a| a.name.as_str())
        .collect();
    // With `manual` a changed command waits for a person.
    if let [first, more @ ..] = &beside[..]
        && policy.watchdog.reload == Reload::Auto
    {
        let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
        found.push(format!(
            "`{shown}` lies in the working directory of agent `{first}`{more}: an agent that changes it changes what runs\n\
             hint: give agents a `dir` of their own, or set `reload = \"manual\"` in [watchdog]"
        ));
    }
    let folder = config.parent().unwrap_or(Path::new("/"));
    for path in [config.as_path(), folder] {
        if let Some(who) = path.metadata().ok().as_ref().and_then(others) {
            let path = printable(&path.to_string_lossy());
            found.push(format!(
                "`{path}` can be written by {who}: whoever changes the config changes what runs as you\n\
                 hint: chmod go-w '{path}'"
            ));
        }
    }
    found
}

/// Who may write it beside its owner; in a folder with the sticky bit nobody replaces what is another's.
fn others(found: &Metadata) -> Option<&'static str> {
    let mode = found.mode();
    match () {
        () if found.is_dir() && mode & 0o1000 != 0 => None,
        () if mode & 0o002 != 0 => Some("everybody"),
        () if mode & 0o020 != 0 => Some("its group"),
        () => None,
    }
}
