//! From remembered heads to new commits.
use super::{GitError, repository::Repository};
use crate::model::observation::{CommitObs, GitObs};
use std::collections::{BTreeMap, BTreeSet};

/// After a rewrite only the newest commits are news: a rebase of a year is not a year of claims.
pub(super) const REWRITTEN_MAX: usize = 20;

/// Commits reachable from a head and from no known position, oldest first.
///
/// | the branch | counts |
/// |---|---|
/// | moved on, or is new | everything not reachable from a known position |
/// | was rewritten (its position is gone, or is no ancestor) | the same, but only the [`REWRITTEN_MAX`] newest of all such branches |
///
/// With no known position at all (an empty remote before) every commit is new.
pub(super) fn new_commits(
    repo: &dyn Repository,
    heads: &BTreeMap<String, String>,
    known: &BTreeMap<String, String>,
) -> Result<Vec<CommitObs>, GitError> {
    let moved: Vec<(&str, &str)> = heads
        .iter()
        .filter(|(name, sha)| known.get(*name) != Some(sha))
        .map(|(name, sha)| (name.as_str(), sha.as_str()))
        .collect();
    if moved.is_empty() {
        return Ok(Vec::new());
    }
    let positions: BTreeSet<&str> = known.values().map(String::as_str).collect();
    let there: Vec<&str> = positions.into_iter().filter(|sha| repo.has_commit(sha)).collect();

    let (mut onward, mut rewritten) = (Vec::new(), Vec::new());
    for (name, sha) in moved {
        let rewrite = match known.get(name) {
            Some(old) => !there.contains(&old.as_str()) || !repo.is_ancestor(old, sha),
            None => there.is_empty() && !known.is_empty(),
        };
        if rewrite { rewritten.push(sha) } else { onward.push(sha) }
    }

    let mut newest_first = Vec::new();
    if !onward.is_empty() {
        newest_first.extend(walk(repo, &onward, &there, GitObs::MAX_COMMITS)?);
    }
    if !rewritten.is_empty() {
        newest_first.extend(walk(repo, &rewritten, &there, REWRITTEN_MAX)?);
    }
    let mut seen = BTreeSet::new();
    newest_first.retain(|commit| seen.insert(commit.sha.clone()));
    newest_first.truncate(GitObs::MAX_COMMITS);
    newest_first.reverse();
    Ok(newest_first)
}

/// A position whose own history was partly pruned breaks a bounded walk; then the newest commits are better than none.
fn walk(repo: &dyn Repository, from: &[&str], hide: &[&str], max: usize) -> Result<Vec<CommitObs>, GitError> {
    match repo.walk(from, hide, max) {
        Err(GitError::Broken(_) | GitError::Failed { .. }) if !hide.is_empty() => repo.walk(from, &[], REWRITTEN_MAX),
        other => other,
    }
}
