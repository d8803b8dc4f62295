//! How many files of a folder's repository are not what they were: for the job of an agent, which may commit, or not.
//!
//! Counted are files that differ from the commit of the beginning, committed or not, new ones that are not ignored among
//! them; but of those that differed from it already at the beginning, only those that are something else by now. Only
//! what is below the folder counts. Everything by libgit2, on a thread of its own: a repository that takes longer than it
//! may is not counted.
use git2::{DiffOptions, Oid, Repository, RepositoryOpenFlags};
use std::{
    collections::BTreeMap,
    ffi::OsStr,
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::{Path, PathBuf},
    sync::mpsc,
    time::Duration,
};

/// Bytes of a file that is read to see whether it is another one; of a longer one its size and time count.
const READ: u64 = 1 << 20;
/// Files that differ already; with more nothing is counted.
const MOST: usize = 100_000;

/// A folder's files at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilesThen {
    dir: PathBuf,
    /// `None`: no commit yet.
    commit: Option<Oid>,
    /// Those that differed from it.
    differed: BTreeMap<Vec<u8>, Print>,
}

/// What a file is, well enough to see that it is another one.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Print {
    Gone,
    Content(Oid),
    Large { size: u64, mtime: i64, nanos: i64 },
}

/// `None`: the folder is in no repository, or looking at it takes longer than that.
pub fn files_now(dir: &Path, within: Duration) -> Option<FilesThen> {
    let dir = dir.to_owned();
    in_time(within, move || {
        let repo = open(&dir)?;
        let commit = repo.head().ok().and_then(|head| head.peel_to_commit().ok()).map(|commit| commit.id());
        let differed = differing(&repo, &dir, commit)?;
        Some(FilesThen { dir, commit, differed })
    })
}

/// How many are not what they were then. `None`: see [`files_now`].
pub fn files_changed(then: &FilesThen, within: Duration) -> Option<u64> {
    let then = then.clone();
    in_time(within, move || {
        let repo = open(&then.dir)?;
        let now = differing(&repo, &then.dir, then.commit)?;
        let changed = now.iter().filter(|(path, print)| then.differed.get(*path) != Some(*print)).count();
        let restored = then.differed.keys().filter(|path| !now.contains_key(*path)).count();
        u64::try_from(changed + restored).ok()
    })
}

/// A thread that comes too late is left behind: it holds nothing.
fn in_time<T: Send + 'static>(within: Duration, work: impl FnOnce() -> Option<T> + Send + 'static) -> Option<T> {
    let (tell, told) = mpsc::channel();
    let spawned = std::thread::Builder::new().name("git".into()).spawn(move || {
        let _ = tell.send(work());
    });
    spawned.ok()?;
    told.recv_timeout(within).ok().flatten()
}

fn open(dir: &Path) -> Option<Repository> {
    Repository::open_ext(dir, RepositoryOpenFlags::empty(), &[] as &[&OsStr]).ok().filter(|repo| !repo.is_bare())
}

fn differing(repo: &Repository, dir: &Path, commit: Option<Oid>) -> Option<BTreeMap<Vec<u8>, Print>> {
    let top = repo.workdir()?.canonicalize().ok()?;
    let below = dir.canonicalize().ok()?;
    let below = below.strip_prefix(&top).ok()?;
    let mut options = DiffOptions::new();
    options.include_untracked(true).recurse_untracked_dirs(true).ignore_submodules(true).include_typechange(true);
    options.skip_binary_check(true).disable_pathspec_match(true);
    if !below.as_os_str().is_empty() {
        options.pathspec(below);
    }
    let tree = commit.and_then(|commit| repo.find_commit(commit).ok()?.tree().ok());
    if commit.is_some() && tree.is_none() {
        return None;
    }
    let diff = repo.diff_tree_to_workdir_with_index(tree.as_ref(), Some(&mut options)).ok()?;
    let mut found = BTreeMap::new();
    for delta in diff.deltas() {
        let Some(path) = delta.new_file().path_bytes().or_else(|| delta.old_file().path_bytes()) else { continue };
        if found.len() >= MOST {
            return None;
        }
        let file = top.join(OsStr::from_bytes(path));
        found.insert(path.to_owned(), print(&file));
    }
    Some(found)
}

fn print(file: &Path) -> Print {
    let Ok(meta) = std::fs::symlink_metadata(file) else { return Print::Gone };
    let large = Print::Large { size: meta.size(), mtime: meta.mtime(), nanos: meta.mtime_nsec() };
    if meta.is_symlink() {
        let target = std::fs::read_link(file).ok();
        return target.and_then(|to| hash(to.as_os_str().as_bytes())).map_or(large, Print::Content);
    }
    // A named pipe would hold us for ever.
    if !meta.is_file() || meta.size() > READ {
        return large;
    }
    std::fs::read(file).ok().and_then(|bytes| hash(&bytes)).map_or(large, Print::Content)
}

fn hash(bytes: &[u8]) -> Option<Oid> {
    Oid::hash_object(git2::ObjectType::Blob, bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const LONG: Duration = Duration::from_secs(60);

    fn commit(repo: &Repository) {
        let mut index = repo.index().expect("an index");
        index.add_all(["*"], git2::IndexAddOption::DEFAULT, None).expect("added");
        index.write().expect("written");
        let tree = repo.find_tree(index.write_tree().expect("a tree")).expect("found");
        let who = git2::Signature::now("a", "a@b").expect("a name");
        let parent = repo.head().ok().and_then(|head| head.peel_to_commit().ok());
        repo.commit(Some("HEAD"), &who, &who, "m", &tree, &parent.iter().collect::<Vec<_>>()).expect("committed");
    }

    #[test]
    fn what_an_agent_did_is_counted_and_what_was_there_is_not() {
        let dir = tempfile::tempdir().expect("a folder");
        let at = |name: &str| dir.path().join(name);
        assert_eq!(files_now(dir.path(), LONG), None, "no repository");
        let repo = Repository::init(dir.path()).expect("a repository");
        for name in ["same", "edited", "dirty", "dirty-too", "restored", "gone", "committed"] {
            fs::write(at(name), name).expect("written");
        }
        fs::write(at(".gitignore"), "ignored\n").expect("written");
        commit(&repo);
        for name in ["dirty", "dirty-too", "restored", "new-before"] {
            fs::write(at(name), "dirty").expect("written");
        }
        let then = files_now(dir.path(), LONG).expect("a repository");
        assert_eq!(files_changed(&then, LONG), Some(0));
        fs::write(at("edited"), "x").expect("written");
        fs::write(at("dirty-too"), "x").expect("written");
        fs::write(at("restored"), "restored").expect("written");
        fs::remove_file(at("gone")).expect("removed");
        fs::write(at("ignored"), "x").expect("written");
        fs::create_dir(at("folder")).expect("made");
        fs::write(at("folder/new"), "x").expect("written");
        assert_eq!(files_changed(&then, LONG), Some(5));
        fs::write(at("committed"), "x").expect("written");
        commit(&repo);
        assert_eq!(files_changed(&then, LONG), Some(6), "a commit is no loss");
        let folder = files_now(&at("folder"), LONG).expect("a folder of it");
        fs::write(at("same"), "x").expect("written");
        fs::write(at("folder/new"), "y").expect("written");
        assert_eq!(files_changed(&folder, LONG), Some(1), "only what is below it");
    }

    #[test]
    fn before_the_first_commit_every_file_is_new() {
        let dir = tempfile::tempdir().expect("a folder");
        Repository::init(dir.path()).expect("a repository");
        fs::write(dir.path().join("there"), "x").expect("written");
        let then = files_now(dir.path(), LONG).expect("a repository");
        fs::write(dir.path().join("new"), "x").expect("written");
        assert_eq!(files_changed(&then, LONG), Some(1));
    }
}
