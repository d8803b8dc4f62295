//! Which session a CLI is in: read from the files that it keeps itself.
use crate::sandbox::Sandbox;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The id under which the CLI continues its conversation. `None`: it has written none yet.
pub fn id(sandbox: &Sandbox) -> Option<String> {
    let home = &sandbox.home;
    match sandbox.cli.name {
        // ~/.claude/projects/<folder>/<id>.jsonl
        "claude" => stem(&newest(&home.join(".claude/projects"), "jsonl")?),
        // ~/.codex/sessions/YYYY/MM/DD/rollout-<time>-<id>.jsonl
        "codex" => {
            let name = stem(&newest(&home.join(".codex/sessions"), "jsonl")?)?;
            name.len().checked_sub(36).map(|at| name[at..].to_owned())
        }
        // ~/.gemini/tmp/<folder>/chats/session-<time>-<id's beginning>.jsonl; the first line has the whole id.
        "gemini" => {
            let text = fs::read_to_string(newest(&home.join(".gemini/tmp"), "jsonl")?).ok()?;
            let first: serde_json::Value = serde_json::from_str(text.lines().next()?).ok()?;
            first["sessionId"].as_str().map(str::to_owned)
        }
        "opencode" => opencode(&home.join(".local/share/opencode/opencode.db")),
        _ => None,
    }
}

fn opencode(database: &Path) -> Option<String> {
    let db = rusqlite::Connection::open_with_flags(database, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).ok()?;
    let newest = "SELECT id FROM session WHERE parent_id IS NULL ORDER BY time_created DESC LIMIT 1";
    db.query_row(newest, [], |row| row.get(0)).ok()
}

fn stem(path: &Path) -> Option<String> {
    path.file_stem()?.to_str().map(str::to_owned)
}

/// The file with this ending that was changed last, at any depth.
fn newest(folder: &Path, ending: &str) -> Option<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).ok()?.flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == ending) {
                files.push((entry.metadata().ok()?.modified().ok()?, path));
            }
        }
    }
    files.into_iter().max().map(|(_, path)| path)
}
