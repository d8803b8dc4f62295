//! One look at a repository, for the hand-off.
use super::{
    GitError, GitProgram,
    branch::{places, pushed},
    fetch::fetch,
    open::open,
    positions::new_commits,
    repository::Repository,
};
use crate::model::observation::GitObs;
use md5::{Digest, Md5};
use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    time::Duration,
};

/// What to look for, and what is known already.
#[derive(Clone, Debug)]
pub struct GitQuery {
    /// A folder in the repository.
    pub repo: PathBuf,
    /// ref -> sha up to which commits were handled.
    pub known_heads: BTreeMap<String, String>,
    /// Only take the positions: no commit is news.
    pub first_sight: bool,
    /// File names.
    pub inboxes: Vec<String>,
    pub state_subdir: String,
    /// Fetch `origin` first, if there is one.
    pub fetch: bool,
    pub fetch_timeout: Duration,
}

/// Fetches and reads. Blocks: at most `fetch_timeout` for the network, plus the local reads. If the fetch failed, the
/// fields tell what lies here and `error` why it may be old; if nothing could be read, they are empty.
pub fn look(query: &GitQuery) -> GitObs {
    look_with(query, &GitProgram::default())
}

/// [`look`] with a chosen `git` command.
pub fn look_with(query: &GitQuery, git: &GitProgram) -> GitObs {
    // libgit2 is C code on files that agents write: a panic of its binding must not end the supervisor.
    catch_unwind(AssertUnwindSafe(|| observe(query, git)))
        .unwrap_or_else(|_| GitObs { error: Some("reading the repository panicked".into()), ..GitObs::default() })
}

fn observe(query: &GitQuery, git: &GitProgram) -> GitObs {
    let mut seen = GitObs::default();
    let repo = match open(&query.repo, git) {
        Ok(repo) => repo,
        Err(error) => {
            seen.repo_gone = error.is_gone();
            seen.error = Some(error.to_string());
            return seen;
        }
    };
    if query.fetch
        && repo.has_origin()
        && let Err(error) = fetch(&query.repo, repo.as_ref(), git, query.fetch_timeout)
    {
        seen.error = Some(error.to_string());
    }
    match read(repo.as_ref(), query) {
        // What lies here can be read although the remote cannot be reached.
        Ok(read) => GitObs { error: seen.error, ..read },
        // Half a look could be taken for "the inbox is gone": rather none, and the same question again.
        Err(error) => GitObs { error: Some(error.to_string()), ..GitObs::default() },
    }
}

fn read(repo: &dyn Repository, query: &GitQuery) -> Result<GitObs, GitError> {
    let heads = repo.heads()?;
    let commits = if query.first_sight { Vec::new() } else { new_commits(repo, &heads, &query.known_heads)? };
    Ok(GitObs { inboxes: inboxes(repo, query)?, heads, commits, ..GitObs::default() })
}

/// Inbox file -> md5 of its content, from the pushed branch, or from `HEAD` where there is no remote.
fn inboxes(repo: &dyn Repository, query: &GitQuery) -> Result<BTreeMap<String, String>, GitError> {
    let mut found = BTreeMap::new();
    let branch = if repo.has_origin() { pushed(repo) } else { Some("HEAD".into()) };
    let Some(commit) = branch.and_then(|name| repo.commit_of(&name)) else { return Ok(found) };
    for file in &query.inboxes {
        for place in places(repo.prefix(), &query.state_subdir, file) {
            let Some(content) = repo.file(&commit, &place)? else { continue };
            if !content.iter().all(u8::is_ascii_whitespace) {
                found.insert(file.clone(), Md5::digest(&content).iter().map(|b| format!("{b:02x}")).collect());
            }
            break;
        }
    }
    Ok(found)
}
