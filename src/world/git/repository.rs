//! What we need of a repository, whoever reads it.
use super::GitError;
use crate::model::observation::CommitObs;
use std::collections::BTreeMap;

/// Kept of a subject, in characters.
const SUBJECT_CAP: usize = 4096;
/// A file of a commit larger than this is refused.
pub(super) const BLOB_CAP: usize = 32 * 1024 * 1024;
/// Heads of the remote we look at.
pub(super) const ORIGIN: &str = "refs/remotes/origin/";

/// Local reads. Refs are full names, commits are hex.
pub(super) trait Repository {
    /// Is there a remote called `origin`?
    fn has_origin(&self) -> bool;
    /// The remote's branches; without a remote the local ones, and `HEAD` if it is detached.
    fn heads(&self) -> Result<BTreeMap<String, String>, GitError>;
    fn has_commit(&self, sha: &str) -> bool;
    /// Was `new` built on `old`?
    fn is_ancestor(&self, old: &str, new: &str) -> bool;
    /// Commits reachable from `from` and not from `hide`, newest first, at most `max`.
    fn walk(&self, from: &[&str], hide: &[&str], max: usize) -> Result<Vec<CommitObs>, GitError>;
    /// `refs/heads/main`; `None` if detached.
    fn head_branch(&self) -> Option<String>;
    /// The remote branch that a local one follows.
    fn upstream(&self, branch: &str) -> Option<String>;
    /// Where a symbolic ref points.
    fn target_of(&self, symbolic: &str) -> Option<String>;
    /// The commit that a ref or revision names.
    fn commit_of(&self, revision: &str) -> Option<String>;
    /// A file of a commit; `None` if it is not there or not a file.
    fn file(&self, commit: &str, path: &str) -> Result<Option<Vec<u8>>, GitError>;
    /// Path of the opened folder below the top of the working tree: empty, or ending in `/`.
    fn prefix(&self) -> &str;
    fn setting(&self, key: &str) -> Option<String>;
}

/// First line of a commit message of any size and encoding.
pub(super) fn subject(message: &[u8]) -> String {
    let start = message.iter().position(|b| !b"\r\n".contains(b)).unwrap_or(message.len());
    // Cut first: a subject of a megabyte costs no more than a long one.
    let message = &message[start..];
    let message = &message[..message.len().min(4 * SUBJECT_CAP)];
    let line = message.split(|b| *b == b'\n').next().unwrap_or_default();
    String::from_utf8_lossy(line).trim_end().chars().take(SUBJECT_CAP).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects() {
        assert_eq!(subject(b"claim: one\n\nbody"), "claim: one");
        assert_eq!(subject(b"\n\nclaim: late\r\nx"), "claim: late");
        assert_eq!(subject(b"caf\xe9"), "caf\u{fffd}");
        assert_eq!(subject(b""), "");
        assert_eq!(subject(&vec![0x1b; 1 << 20]).len(), SUBJECT_CAP);
    }
}
