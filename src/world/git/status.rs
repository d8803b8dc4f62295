//! The phase's status file: as pushed, or as it lies in the working tree.
use super::{
    GitError, GitProgram,
    branch::{places, pushed, short},
    open::open,
    repository::{BLOB_CAP, Repository},
};
use crate::model::policy::DoneFrom;
use std::{
    fs::File,
    io::Read,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

#[derive(Clone, Debug)]
pub struct StatusQuery {
    /// A folder in the repository; it need not be one.
    pub repo: PathBuf,
    pub state_subdir: String,
    /// `status` of the phase: relative to the state folder or to the top, or absolute.
    pub file: String,
    pub done_from: DoneFrom,
}

/// A status file as found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatusFile {
    /// `None`: not there. Bytes that are not UTF-8 are replaced.
    pub text: Option<String>,
    /// Where it was read or looked for, for people: `origin/main:machine-docs/STATUS.md`.
    pub source: String,
}

/// Reads without a network: the look before it has fetched.
pub fn read_status(query: &StatusQuery) -> StatusFile {
    read_status_with(query, &GitProgram::default())
}

/// [`read_status`] with a chosen `git` command.
pub fn read_status_with(query: &StatusQuery, git: &GitProgram) -> StatusFile {
    catch_unwind(AssertUnwindSafe(|| read(query, git)))
        .unwrap_or_else(|_| StatusFile { text: None, source: "reading the repository panicked".into() })
}

fn read(query: &StatusQuery, git: &GitProgram) -> StatusFile {
    if query.done_from == DoneFrom::WorkingTree {
        return from_working_tree(query);
    }
    let repo = match open(&query.repo, git) {
        Ok(repo) => repo,
        Err(error) if error.is_gone() && query.done_from == DoneFrom::Auto => return from_working_tree(query),
        Err(error) => return unread(error),
    };
    let name = match &query.done_from {
        DoneFrom::Ref(name) => name.clone(),
        _ if !repo.has_origin() => return from_working_tree(query),
        _ => match pushed(repo.as_ref()) {
            Some(name) => name,
            None => return StatusFile { text: None, source: "origin (nothing pushed yet)".into() },
        },
    };
    from_commit(query, repo.as_ref(), &name).unwrap_or_else(unread)
}

fn unread(error: GitError) -> StatusFile {
    StatusFile { text: None, source: error.to_string() }
}

fn from_commit(query: &StatusQuery, repo: &dyn Repository, name: &str) -> Result<StatusFile, GitError> {
    let Some(commit) = repo.commit_of(name) else {
        return Ok(StatusFile { text: None, source: format!("`{}` (no such ref)", short(name)) });
    };
    let file = match Path::new(&query.file).strip_prefix(&query.repo) {
        Ok(below) => below.to_string_lossy().into_owned(),
        Err(_) if Path::new(&query.file).is_absolute() => return Ok(from_working_tree(query)),
        Err(_) => query.file.clone(),
    };
    let places = places(repo.prefix(), &query.state_subdir, &file);
    for place in &places {
        if let Some(content) = repo.file(&commit, place)? {
            let text = Some(String::from_utf8_lossy(&content).into_owned());
            return Ok(StatusFile { text, source: format!("{}:{place}", short(name)) });
        }
    }
    let first = places.first().map(String::as_str).unwrap_or_default();
    Ok(StatusFile { text: None, source: format!("{}:{first}", short(name)) })
}

fn from_working_tree(query: &StatusQuery) -> StatusFile {
    let in_folder = query.repo.join(&query.state_subdir).join(&query.file);
    let path = if in_folder.is_file() { in_folder } else { query.repo.join(&query.file) };
    let source = match path.strip_prefix(&query.repo) {
        Ok(below) => format!("working tree:{}", below.display()),
        Err(_) => path.display().to_string(),
    };
    StatusFile { text: content(&path), source }
}

/// A named pipe would hold us for ever: only plain files are read.
fn content(path: &Path) -> Option<String> {
    if !path.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(BLOB_CAP as u64).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
