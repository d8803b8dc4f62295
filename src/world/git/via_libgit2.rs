//! Reads with libgit2: no process, no hook, no pager, no lock.
use super::{
    GitError,
    repository::{BLOB_CAP, Repository, subject},
};
use crate::model::observation::CommitObs;
use git2::{ErrorCode, ObjectType, Oid, RepositoryOpenFlags, Sort};
use std::{collections::BTreeMap, ffi::OsStr, path::Path};

pub(super) struct LibRepo {
    repo: git2::Repository,
    prefix: String,
}

impl LibRepo {
    pub(super) fn open(path: &Path) -> Result<LibRepo, git2::Error> {
        let repo = git2::Repository::open_ext(path, RepositoryOpenFlags::empty(), &[] as &[&OsStr])?;
        let below = repo.workdir().and_then(|top| {
            let (top, path) = (top.canonicalize().ok()?, path.canonicalize().ok()?);
            Some(path.strip_prefix(top).ok()?.to_string_lossy().into_owned())
        });
        let prefix = below.filter(|p| !p.is_empty()).map(|p| p + "/").unwrap_or_default();
        Ok(LibRepo { repo, prefix })
    }
}

fn broken(error: git2::Error) -> GitError {
    GitError::Broken(super::command::printable(error.message().as_bytes()))
}

impl Repository for LibRepo {
    fn has_origin(&self) -> bool {
        self.repo.find_remote("origin").is_ok()
    }

    fn heads(&self) -> Result<BTreeMap<String, String>, GitError> {
        let origin = self.has_origin();
        let mut heads = BTreeMap::new();
        let pattern = if origin { "refs/remotes/origin/*" } else { "refs/heads/*" };
        for reference in self.repo.references_glob(pattern).map_err(broken)? {
            // One damaged ref must not hide the others.
            let Ok(reference) = reference else { continue };
            if reference.kind() != Some(git2::ReferenceType::Direct) {
                continue;
            }
            if let Ok(commit) = reference.peel_to_commit() {
                heads.insert(String::from_utf8_lossy(reference.name_bytes()).into_owned(), commit.id().to_string());
            }
        }
        if !origin
            && self.repo.head_detached().unwrap_or(false)
            && let Some(sha) = self.commit_of("HEAD")
        {
            heads.insert("HEAD".into(), sha);
        }
        Ok(heads)
    }

    fn has_commit(&self, sha: &str) -> bool {
        Oid::from_str(sha).and_then(|oid| self.repo.find_commit(oid)).is_ok()
    }

    fn is_ancestor(&self, old: &str, new: &str) -> bool {
        let (Ok(old), Ok(new)) = (Oid::from_str(old), Oid::from_str(new)) else { return false };
        old == new || self.repo.graph_descendant_of(new, old).unwrap_or(false)
    }

    fn walk(&self, from: &[&str], hide: &[&str], max: usize) -> Result<Vec<CommitObs>, GitError> {
        let mut walk = self.repo.revwalk().map_err(broken)?;
        // Any sorting reads the whole history first (and by time alone, of one second's commits the older ones come
        // first). Unsorted is a queue by date in which a parent enters when its child has left.
        let sort = if hide.is_empty() { Sort::NONE } else { Sort::TOPOLOGICAL | Sort::TIME };
        walk.set_sorting(sort).map_err(broken)?;
        for sha in from {
            walk.push(Oid::from_str(sha).map_err(broken)?).map_err(broken)?;
        }
        for sha in hide {
            walk.hide(Oid::from_str(sha).map_err(broken)?).map_err(broken)?;
        }
        let mut commits = Vec::new();
        for oid in walk.take(max) {
            let oid = oid.map_err(broken)?;
            let commit = self.repo.find_commit(oid).map_err(broken)?;
            commits.push(CommitObs { sha: oid.to_string(), subject: subject(commit.message_raw_bytes()) });
        }
        Ok(commits)
    }

    fn head_branch(&self) -> Option<String> {
        // Not `head()`: a branch without a commit has a name, too.
        self.target_of("HEAD")
    }

    fn upstream(&self, branch: &str) -> Option<String> {
        let name = self.repo.branch_upstream_name(branch).ok()?;
        name.as_str().ok().map(str::to_owned)
    }

    fn target_of(&self, symbolic: &str) -> Option<String> {
        let reference = self.repo.find_reference(symbolic).ok()?;
        reference.symbolic_target_bytes().map(|name| String::from_utf8_lossy(name).into_owned())
    }

    fn commit_of(&self, revision: &str) -> Option<String> {
        let object = self.repo.revparse_single(revision).ok()?;
        object.peel_to_commit().ok().map(|commit| commit.id().to_string())
    }

    fn file(&self, commit: &str, path: &str) -> Result<Option<Vec<u8>>, GitError> {
        let commit = self.repo.find_commit(Oid::from_str(commit).map_err(broken)?).map_err(broken)?;
        let entry = match commit.tree().map_err(broken)?.get_path(Path::new(path)) {
            Ok(entry) if entry.kind() == Some(ObjectType::Blob) => entry,
            Ok(_) => return Ok(None),
            Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
            Err(error) => return Err(broken(error)),
        };
        let (size, _) = self.repo.odb().and_then(|odb| odb.read_header(entry.id())).map_err(broken)?;
        if size > BLOB_CAP {
            return Err(GitError::Broken(format!("`{path}` has {size} bytes, more than {BLOB_CAP}")));
        }
        let blob = self.repo.find_blob(entry.id()).map_err(broken)?;
        Ok(Some(blob.content().to_vec()))
    }

    fn prefix(&self) -> &str {
        &self.prefix
    }

    fn setting(&self, key: &str) -> Option<String> {
        self.repo.config().and_then(|mut config| config.snapshot()).and_then(|c| c.get_string(key)).ok()
    }
}
