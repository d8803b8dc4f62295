//! Where an agent's worktree stands, and what its branch is called.
use super::name::printable;
use std::path::{Path, PathBuf};

/// The folder of all worktrees of a fleet; each folder in it is one agent's.
pub fn folder(log_dir: &Path) -> PathBuf {
    log_dir.join("worktrees")
}

/// The worktree of the agent of this name.
pub fn place(log_dir: &Path, name: &str) -> PathBuf {
    folder(log_dir).join(name)
}

/// The branch it is made on, short.
pub fn branch(name: &str) -> String {
    format!("agents/{name}")
}

/// Why a word cannot be the last part of a git branch's name; `None` if it can.
pub fn unusable(word: &str) -> Option<String> {
    let bad = word.chars().find(|c| c.is_control() || " ~^:?*[\\/".contains(*c));
    match () {
        () if word.is_empty() => Some("it is empty".into()),
        () if let Some(c) = bad => Some(format!("it contains `{}`", printable(&c.to_string()))),
        () if word.starts_with('.') || word.ends_with('.') => Some("it starts or ends with `.`".into()),
        () if word.ends_with(".lock") => Some("it ends with `.lock`".into()),
        () if word.contains("..") => Some("it contains `..`".into()),
        () if word.contains("@{") => Some("it contains `@{`".into()),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_takes_as_a_branch() {
        for good in ["api", "a-b_c", "my.proj", "a.lock.b", "@"] {
            assert_eq!(unusable(good), None, "{good}");
        }
        for bad in ["", ".", "..", ".a", "a.", "a.lock", "a..b", "a b", "a~1", "a/b", "x@{1}", "a\n", "a\\b", "*"] {
            assert!(unusable(bad).is_some(), "{bad:?}");
        }
    }
}
