//! Jobs that are submitted by a job with a sandbox or limits. A runner that is started there is held in as that job is, and
//! so is all that it runs: it takes the jobs that were submitted within the same bounds, and nobody else's; and no other
//! runner takes those.
//!
//! `DIR/jobs.within/BOUNDS` is a file that everybody within keeps locked, together with the others: each command there
//! from before it submits, each runner as long as it lives. Whoever can lock it alone knows that nobody is left, and that
//! what still waits can never begin.
use crate::{
    model::{
        bounds::whose,
        job::{JobId, JobSpec, ProcMark},
    },
    store::{
        StoreError,
        jobs::{Alive, JobStore, Within},
    },
    world::{clock, process::Stat},
};
use md5::{Digest, Md5};
use rustix::{
    fs::{FlockOperation, Mode, OFlags, flock, fstat, open, stat},
    io::Errno,
};
use std::{
    collections::BTreeSet,
    ffi::{OsStr, OsString},
    fs::DirBuilder,
    io,
    os::{
        fd::OwnedFd,
        unix::{
            ffi::{OsStrExt, OsStringExt},
            fs::DirBuilderExt,
        },
    },
    path::{Path, PathBuf},
};

/// Stands in the environment of every process that such a job starts, runners among them: the job and its store,
/// `j7@/home/me/.local/state/agents`.
pub const HELD: &str = "AGENTS_JOB_HELD";
const DIR: &str = "jobs.within";
/// Processes have no more ancestors than this, unless somebody makes them change while they are looked at.
const MOST: usize = 10_000;

/// Whether this process says that it belongs to such a job.
pub fn is_held() -> bool {
    std::env::var_os(HELD).is_some()
}

/// Finds out what this process is held in by, which is a command. Those that it descends from tell, whatever it has made
/// of its environment; where they are gone, its environment does.
pub fn enter(store: &mut JobStore) -> Result<(), StoreError> {
    let proof = of_ancestors(store)?;
    let said = std::env::var_os(HELD);
    let word = match proof {
        Some(bounds) => said.filter(|word| number(word, store.dir()) == bounds).or_else(|| Some(word(bounds, store))),
        None => said,
    };
    be(store, word);
    Ok(())
}

/// The same for a runner, which often descends from runners that have nothing to do with it: who started it says it.
pub fn enter_as_runner(store: &mut JobStore) {
    let word = std::env::var_os(HELD);
    be(store, word);
    // It was given to us with our starter's lock, and whoever we start would keep that.
    if store.within().is_some()
        && let Ok(nothing) = std::fs::File::open("/dev/null")
    {
        let _ = rustix::stdio::dup2_stdin(nothing);
    }
}

fn be(store: &mut JobStore, word: Option<OsString>) {
    if let Some(word) = word {
        let bounds = number(&word, store.dir());
        let here = lock(store.dir(), bounds, FlockOperation::LockShared);
        store.set_within(Within { bounds, word, here });
    }
}

/// What the processes of this job have in their environment, if anything holds them in.
pub fn mark(store: &JobStore, id: JobId, spec: &JobSpec) -> Option<OsString> {
    if has_own(spec) { Some(word(id.0, store)) } else { store.within().map(|within| within.word.clone()) }
}

/// Before the first process of a job that is held in begins: from here on commands look whether they are below it. Where
/// no job ever was, and that is nearly everywhere, they need not ask.
pub fn make_known(dir: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(dir.join(DIR)) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => Err(e),
        _ => Ok(()),
    }
}

fn is_known(dir: &Path) -> bool {
    dir.join(DIR).exists()
}

/// The nearest process above us that runs a job, or is one's: whether that one is held in.
fn of_ancestors(store: &JobStore) -> Result<Option<i64>, StoreError> {
    if !is_known(store.dir()) {
        return Ok(None);
    }
    let alive = store.alive_if_any_is_held()?;
    if alive.is_empty() {
        return Ok(None);
    }
    let mut next = Stat::read(std::process::id()).map(|stat| stat.parent);
    for _ in 0..MOST {
        let Some(stat) = next.filter(|pid| *pid > 0).and_then(Stat::read) else { break };
        let mark = Some(ProcMark { pid: stat.pid, start: stat.start });
        let is_it = |job: &&Alive| job.runner == mark || job.child == mark;
        if let Some(job) = alive.iter().find(is_it) {
            return Ok(job.bounds);
        }
        next = Some(stat.parent);
    }
    Ok(None)
}

fn word(bounds: i64, store: &JobStore) -> OsString {
    let mut word = format!("j{bounds}@").into_bytes();
    word.extend_from_slice(store.dir().as_os_str().as_bytes());
    OsString::from_vec(word)
}

/// By which a store in `dir` knows them: a job of its own by its id. Any other one has a number below 0, which is the same
/// for all that are held in by it.
fn number(word: &OsStr, dir: &Path) -> i64 {
    let bytes = word.as_bytes();
    let (id, of) =
        bytes.iter().position(|b| *b == b'@').map_or((bytes, &[][..]), |at| (&bytes[..at], &bytes[at + 1..]));
    let id = std::str::from_utf8(id).ok().and_then(|id| id.strip_prefix('j')?.parse().ok());
    id.filter(|_| of == dir.as_os_str().as_bytes()).unwrap_or_else(|| {
        let digest = Md5::digest(bytes);
        let first = digest.iter().take(7).fold(0_i64, |sum, byte| (sum << 8) | i64::from(*byte));
        -first - 1
    })
}

fn has_own(spec: &JobSpec) -> bool {
    spec.sandbox || spec.mem.is_some() || spec.procs.is_some()
}

/// What waits for bounds that nobody is in any more never begins, and is told so.
pub fn end_what_nobody_can_begin(store: &mut JobStore) -> Result<(), StoreError> {
    if !is_known(store.dir()) {
        return Ok(());
    }
    let mut all: BTreeSet<i64> = store.bounds_with_jobs()?.into_iter().collect();
    let waits = all.clone();
    all.extend(known(store.dir()));
    for bounds in all {
        let Some(_alone) = lock(store.dir(), bounds, FlockOperation::NonBlockingLockExclusive) else { continue };
        // Asked again: nobody can have come since.
        if waits.contains(&bounds) || store.waits_within(bounds)? {
            match store.end_within(bounds, &gone(bounds), clock::wall()) {
                // Whoever only looks can do so on a full disk, too; the next one tries again.
                Err(StoreError::Full { .. } | StoreError::FileLimit { .. }) => continue,
                ended => ended?,
            }
        }
        remove(store.dir(), bounds);
    }
    Ok(())
}

/// Whether something that is for us may begin when somebody ends who tells nobody: of those who are held in by other
/// bounds, none gives a slot on, and none starts a runner for us.
pub fn waits_for_others(store: &JobStore) -> Result<bool, StoreError> {
    match store.within() {
        Some(within) => store.waits_within(within.bounds),
        // Most often nobody is within any, which costs no question.
        None => Ok(is_known(store.dir()) && store.waits_beside()?),
    }
}

/// Bounds that somebody is in, or was.
fn known(dir: &Path) -> Vec<i64> {
    let entries = std::fs::read_dir(dir.join(DIR)).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// Why what was to run within them cannot.
pub fn gone(bounds: i64) -> String {
    format!("it was to run within the bounds of {}, and nothing is left of them", whose(bounds))
}

/// Why this job cannot be begun once more. `None`: nothing is against it.
pub fn cannot_begin(store: &JobStore, id: JobId) -> Result<Option<String>, StoreError> {
    let Some(bounds) = store.bounds_of(id)? else { return Ok(None) };
    if store.within().is_some_and(|within| within.bounds == bounds) {
        return Ok(None);
    }
    let alone = lock(store.dir(), bounds, FlockOperation::NonBlockingLockExclusive);
    let nobody = alone.is_some();
    if nobody && !store.waits_within(bounds)? {
        remove(store.dir(), bounds);
    }
    Ok(nobody.then(|| gone(bounds)))
}

/// A runner that is held in ends: nothing of it stays if it was the last one.
pub fn leave(mut store: JobStore) {
    let Some(within) = store.take_within() else { return };
    let bounds = within.bounds;
    drop(within);
    if let Some(_alone) = lock(store.dir(), bounds, FlockOperation::NonBlockingLockExclusive)
        && store.waits_within(bounds).is_ok_and(|some| !some)
    {
        remove(store.dir(), bounds);
    }
}

/// The file that is locked by who sleeps until something of these bounds may begin.
pub fn alarm(dir: &Path, bounds: i64) -> PathBuf {
    dir.join(DIR).join(format!("{bounds}.alarm"))
}

/// The caller has locked it alone.
fn remove(dir: &Path, bounds: i64) {
    let _ = std::fs::remove_file(alarm(dir, bounds));
    let _ = std::fs::remove_file(dir.join(DIR).join(bounds.to_string()));
}

/// `None`: others have it, or it cannot be had.
fn lock(dir: &Path, bounds: i64, how: FlockOperation) -> Option<OwnedFd> {
    let path = dir.join(DIR).join(bounds.to_string());
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    // As often as others take it away, and not for ever: somebody may have put there what is no folder.
    for _ in 0..MOST {
        let file = match open(&path, flags, Mode::RUSR | Mode::WUSR) {
            Err(Errno::NOENT) => match make_known(dir) {
                Ok(()) => continue,
                Err(_) => return None,
            },
            file => file.ok()?,
        };
        match flock(&file, how) {
            Ok(()) => {}
            Err(Errno::INTR) => continue,
            Err(_) => return None,
        }
        // Whoever had it alone may have removed it before it was ours: then it is nobody's any more.
        let same = |there: rustix::fs::Stat| fstat(&file).is_ok_and(|own| own.st_ino == there.st_ino);
        if stat(&path).is_ok_and(same) {
            return Some(file);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_of_this_store_is_its_id_and_any_other_one_a_number_of_its_own() {
        let number = |word: &str| number(OsStr::new(word), Path::new("/a@b"));
        assert_eq!(number("j7@/a@b"), 7);
        let others = ["j7@/a", "j8@/a", "j7", "7@/a@b", "jx@/a@b", ""].map(number);
        assert!(others.iter().all(|number| *number < 0), "{others:?}");
        let mut different = others.to_vec();
        different.sort_unstable();
        different.dedup();
        assert_eq!(different.len(), others.len());
        assert_eq!(number(&format!("j{}@/a@b", others[0])), others[0], "as it is written again");
    }

    #[test]
    fn nobody_is_alone_while_somebody_is_there_and_what_was_removed_is_made_anew() {
        let dir = tempfile::tempdir().expect("a folder");
        let shared = || lock(dir.path(), 7, FlockOperation::LockShared);
        let alone = || lock(dir.path(), 7, FlockOperation::NonBlockingLockExclusive);
        let (one, two) = (shared().expect("here"), shared().expect("here, too"));
        drop(one);
        assert!(alone().is_none());
        drop(two);
        let last = alone().expect("nobody is there");
        remove(dir.path(), 7);
        assert!(shared().is_some(), "that file is nobody's any more");
        drop(last);
        assert!(alone().is_some());
    }
}
