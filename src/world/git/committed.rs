//! When somebody last committed in a working folder, by the log that git keeps of its HEAD: one small read.
use crate::{model::time::Wall, world::file};
use std::path::{Path, PathBuf};

/// So much of the log's end is read. Entries of a long rebase are many, and short.
const TAIL: u64 = 16 * 1024;

/// The last commit that was made here, pulls and switches of branches not counted. `None`: none that is known.
pub fn last_commit(folder: &Path) -> Option<Wall> {
    let log = git_dir(folder)?.join("logs/HEAD");
    let text = file::read_tail(&log, TAIL).ok()?;
    String::from_utf8_lossy(&text).lines().rev().find_map(entry)
}

/// Of the repository or the linked worktree that `folder` lies in.
fn git_dir(folder: &Path) -> Option<PathBuf> {
    let dot_git = folder.ancestors().map(|at| at.join(".git")).find(|path| path.exists())?;
    if dot_git.is_dir() {
        return Some(dot_git);
    }
    let text = std::fs::read_to_string(&dot_git).ok()?;
    let named = text.strip_prefix("gitdir:")?.trim();
    Some(dot_git.parent()?.join(named))
}

/// `old new Name <mail> 1700000000 +0100\tcommit: what was done`
fn entry(row: &str) -> Option<Wall> {
    let (who, what) = row.split_once('\t')?;
    let is_commit = ["commit", "cherry-pick", "revert", "am", "merge", "rebase (finish)", "rebase (pick)"];
    let action = what.split(':').next().unwrap_or_default();
    let fast_forward = what.ends_with("Fast-forward");
    if fast_forward || !is_commit.iter().any(|known| action.starts_with(known)) {
        return None;
    }
    let seconds: i64 = who.rsplit("> ").next()?.split(' ').next()?.parse().ok()?;
    Some(Wall(seconds.checked_mul(1000)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wall(what: &str) -> Option<i64> {
        entry(&format!("0000 1111 A > B <a@b> 1700000000 +0100\t{what}")).map(|w| w.0)
    }

    #[test]
    fn commits_count_and_pulls_do_not() {
        for what in [
            "commit: x",
            "commit (initial): x",
            "commit (amend): x",
            "cherry-pick: x",
            "merge side: Merge made by the 'ort' strategy.",
        ] {
            assert_eq!(wall(what), Some(1_700_000_000_000), "{what}");
        }
        for what in [
            "checkout: moving from a to b",
            "pull: Fast-forward",
            "reset: moving to HEAD~1",
            "clone: from x",
            "merge side: Fast-forward",
        ] {
            assert_eq!(wall(what), None, "{what}");
        }
        assert_eq!(entry("garbage"), None);
        assert_eq!(entry("0 1 A <a@b> 99999999999999999999 +0\tcommit: x"), None);
    }

    #[test]
    fn a_subfolder_and_a_linked_worktree_have_the_log_of_their_own() {
        let dir = tempfile::tempdir().unwrap();
        let row =
            |at: i64| format!("0 1 A <a@b> {at} +0000\tcommit: x\n0 1 A <a@b> {} +0000\tpull: Fast-forward\n", at + 9);
        let write = |path: &str, text: &str| {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("main/.git/logs/HEAD", &row(5));
        write("main/.git/worktrees/w/logs/HEAD", &row(7));
        write("w/.git", "gitdir: ../main/.git/worktrees/w\n");
        write("main/src/x", "");
        assert_eq!(last_commit(&dir.path().join("main/src")), Some(Wall(5000)));
        assert_eq!(last_commit(&dir.path().join("w")), Some(Wall(7000)));
    }
}
