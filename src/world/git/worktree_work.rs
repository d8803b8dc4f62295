//! What would be lost with a worktree.
use super::{GitError, GitProgram, command::READ_TIMEOUT, worktree::real, worktree_list};
use std::path::{Path, PathBuf};

/// What is in a worktree and nowhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorktreeWork {
    /// The repository's own folder.
    pub repository: PathBuf,
    /// Short name; `None`: no branch is checked out.
    pub branch: Option<String>,
    /// Files that were changed, added or never committed; without ignored ones.
    pub uncommitted: usize,
    /// Commits that are on no other branch and in no tag, here or as known of a remote.
    pub commits: u64,
}

/// Looks into the worktree at `place`. `Ok(None)`: there is none of git's.
pub fn work_in(place: &Path, git: &GitProgram) -> Result<Option<WorktreeWork>, GitError> {
    let read = |args: &[&str]| {
        let mut command = git.reading(place);
        command.args(args);
        let output = git.run(command, args[0], READ_TIMEOUT, 64 << 20)?;
        match output.success {
            true => Ok(output.stdout),
            false => Err(GitError::Failed { what: args[0].into(), detail: output.stderr }),
        }
    };
    if !place.join(".git").is_file() {
        return Ok(None);
    }
    let entries = worktree_list::parse(&read(&["worktree", "list", "--porcelain"])?);
    let at = real(place);
    let (Some(main), Some(here)) = (entries.first(), entries.iter().skip(1).find(|e| real(&e.path) == at)) else {
        return Ok(None);
    };
    let rows = read(&["status", "--porcelain", "--untracked-files=normal"])?;
    let own = format!("--exclude={}", here.branch.as_deref().unwrap_or_default());
    let mut args = vec!["rev-list", "--count", "HEAD", "--not"];
    args.extend(here.branch.is_some().then_some(own.as_str()));
    args.extend(["--branches", "--remotes", "--tags", "--"]);
    let count = read(&args)?;
    Ok(Some(WorktreeWork {
        repository: main.path.clone(),
        branch: here.branch.clone(),
        uncommitted: rows.split(|b| *b == b'\n').filter(|row| !row.is_empty()).count(),
        commits: String::from_utf8_lossy(&count).trim().parse().unwrap_or(0),
    }))
}
