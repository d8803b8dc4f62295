//! Which way a repository is read.
use super::{GitError, GitProgram, repository::Repository, via_command::CommandRepo, via_libgit2::LibRepo};
use std::path::Path;

/// Opens the repository that holds `path`: with libgit2, or with the `git` command if libgit2 does not know its format.
pub(super) fn open(path: &Path, git: &GitProgram) -> Result<Box<dyn Repository>, GitError> {
    let shown = path.display().to_string();
    if !path.is_dir() {
        return Err(GitError::Gone(shown));
    }
    match LibRepo::open(path) {
        Ok(repo) => Ok(Box::new(repo)),
        Err(error) if error.code() == git2::ErrorCode::NotFound => Err(GitError::NotARepository(shown)),
        Err(error) if error.code() == git2::ErrorCode::Owner => Err(GitError::Owner(shown)),
        Err(error) => match CommandRepo::open(path, git) {
            Ok(repo) => Ok(Box::new(repo)),
            Err(GitError::Failed { .. }) => Err(GitError::Broken(error.message().to_owned())),
            Err(other) => Err(other),
        },
    }
}
