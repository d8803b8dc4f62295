//! What was pushed: heads, new commits, inbox files and the phase's status file. And the worktrees of agents.
//!
//! libgit2 reads, in this process; the `git` command fetches, because only it knows every credential helper and ssh
//! setup. Repositories that libgit2 cannot open (sha256, reftable) are read with the `git` command too. Everything here
//! blocks: callers run it on the [`GitWorker`].
//!
//! ```text
//! look --> fetch (git command, deadline) --> repository (libgit2 | git command) --> positions --> GitObs
//! ```
mod branch;
mod changed;
mod command;
mod committed;
mod fetch;
mod look;
mod open;
mod positions;
mod repository;
mod status;
mod via_command;
mod via_libgit2;
mod worker;
mod worktree;
mod worktree_list;
mod worktree_work;

pub use changed::{FilesThen, files_changed, files_now};
pub use command::GitProgram;
pub use committed::last_commit;
pub use look::{GitQuery, look, look_with};
pub use status::{StatusFile, StatusQuery, read_status, read_status_with};
pub use worker::{Asked, GitAnswer, GitJob, GitReply, GitWorker};
pub use worktree::{Worktree, WorktreeError, WorktreeOrder, check as check_worktree, provide as provide_worktree};
pub use worktree_work::{WorktreeWork, work_in};

/// Why a repository could not be read or fetched. The text is printable, one line, and free of passwords.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    #[error("repository `{0}` is gone")]
    Gone(String),
    #[error("`{0}` is not a git repository")]
    NotARepository(String),
    #[error(
        "repository `{0}` belongs to another user, so git refuses to read it; hint: `git config --global --add safe.directory '{0}'`"
    )]
    Owner(String),
    #[error("cannot run `{program}`: {detail}")]
    NoProgram { program: String, detail: String },
    #[error("`git {what}` gave no answer within {after_s}s and was ended")]
    Deadline { what: String, after_s: u64 },
    #[error("`git {what}` was ended because the supervisor stops")]
    Cancelled { what: String },
    #[error("`git {what}` failed: {detail}")]
    Failed { what: String, detail: String },
    #[error("cannot read the repository: {0}")]
    Broken(String),
}

impl GitError {
    /// There is no repository at all, as opposed to one that is unreachable or broken.
    pub fn is_gone(&self) -> bool {
        matches!(self, GitError::Gone(_) | GitError::NotARepository(_))
    }
}
