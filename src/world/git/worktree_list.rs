//! What `git worktree list --porcelain` says.
use std::{ffi::OsStr, os::unix::ffi::OsStrExt, path::PathBuf};

/// One worktree; the first one of a list is the repository's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Entry {
    pub path: PathBuf,
    pub head: Option<String>,
    /// Short name. `None`: no branch is checked out, or it is bare.
    pub branch: Option<String>,
    /// Why nobody may remove it; may be empty.
    pub locked: Option<String>,
}

pub(super) fn parse(text: &[u8]) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for row in text.split(|b| *b == b'\n') {
        let blank = row.iter().position(|b| *b == b' ').unwrap_or(row.len());
        let (word, rest) = (&row[..blank], row.get(blank + 1..).unwrap_or_default());
        let said = || String::from_utf8_lossy(rest).into_owned();
        if word == b"worktree" {
            entries.push(Entry { path: PathBuf::from(OsStr::from_bytes(rest)), ..Entry::default() });
        }
        let Some(entry) = entries.last_mut() else { continue };
        match word {
            b"HEAD" => entry.head = Some(said()),
            b"branch" => entry.branch = Some(said().trim_start_matches("refs/heads/").to_owned()),
            b"locked" => entry.locked = Some(said()),
            _ => {}
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_git_prints() {
        let text = b"worktree /a b\nHEAD 12\nbranch refs/heads/main\n\nworktree /c\nHEAD 34\ndetached\nlocked\n\n\
                     worktree /d\nHEAD 56\nbranch refs/heads/agents/x\nlocked on a stick\nprunable gone\n\n\
                     worktree /e\nbare\n";
        let seen = parse(text);
        let of = |i: usize| (seen[i].path.to_str().unwrap(), seen[i].branch.as_deref(), seen[i].locked.as_deref());
        assert_eq!(of(0), ("/a b", Some("main"), None));
        assert_eq!(of(1), ("/c", None, Some("")));
        assert_eq!(of(2), ("/d", Some("agents/x"), Some("on a stick")));
        assert_eq!((of(3), seen[3].head.as_deref()), (("/e", None, None), None));
    }
}
