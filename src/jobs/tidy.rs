//! Forgetting old jobs by count, with what they left on the disk.
use super::waited;
use crate::{
    model::time::Wall,
    store::{
        StoreError,
        jobs::{Gone, JobStore},
    },
    world::clock,
};
use std::{path::Path, time::Duration};

/// A job that ended is there for so long at least: whoever waits for it wants to know how. Where a project keeps none, it
/// goes at once if nobody waits.
const NEWS: Duration = Duration::from_secs(60);

/// By the habits of the project, which may be none. `dirs`: folders of jobs may be too many, too.
pub fn tidy(store: &mut JobStore, dirs: bool) -> Result<(), StoreError> {
    let Some(habits) = store.habits() else { return Ok(()) };
    let before = clock::wall().0 - NEWS.as_millis() as i64;
    let keep = habits.keep;
    let nobody = if keep.none_of_some() { waited::nobody(store.dir()) } else { None };
    let gone = store.forget_old(keep.finished, keep.unfinished, Wall(before), nobody.is_some())?;
    gone.iter().for_each(|gone| delete(store.dir(), gone));
    if dirs {
        let old = store.clean_dirs(habits.keep.dirs)?;
        old.iter().for_each(|dir| delete_dir(store.dir(), dir));
    }
    Ok(())
}

/// Best effort: a file that cannot be deleted is no reason to keep the others.
pub fn delete(base: &Path, gone: &Gone) {
    let _ = std::fs::remove_file(&gone.log);
    if let Some(dir) = &gone.run_dir {
        delete_dir(base, dir);
    }
}

/// Only what stands directly below our own `jobs/`, and is no link to elsewhere.
pub fn delete_dir(base: &Path, dir: &Path) {
    let ours = dir.parent() == Some(&base.join("jobs")) && dir.file_name().is_some();
    if ours && std::fs::symlink_metadata(dir).is_ok_and(|m| m.is_dir()) {
        let _ = std::fs::remove_dir_all(dir);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_folders_of_jobs_are_deleted() {
        let base = tempfile::tempdir().expect("a folder");
        let base = base.path();
        for dir in ["jobs/a/b", "other/a", "target"] {
            std::fs::create_dir_all(base.join(dir)).expect("a folder");
        }
        std::os::unix::fs::symlink(base.join("target"), base.join("jobs/link")).expect("a link");
        for dir in ["other/a", "jobs", "jobs/link", "jobs/a/b", "jobs/.."] {
            delete_dir(base, &base.join(dir));
            assert!(base.join(dir).exists(), "{dir}");
        }
        delete_dir(base, &base.join("jobs/a"));
        assert!(!base.join("jobs/a").exists() && base.join("target").exists());
    }
}
