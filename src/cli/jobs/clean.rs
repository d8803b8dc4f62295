//! `agents jobs clean`: forget jobs by count, with what they left on the disk.
use super::{
    super::{Context, failure::Report},
    Ground,
};
use crate::store::jobs::Gone;
use clap::Args;
use std::path::Path;

#[derive(Debug, Args)]
pub struct CleanArgs {
    /// Every job that is over, however few there are
    #[arg(long)]
    all: bool,
}

pub fn run(args: &CleanArgs, context: &mut Context) -> Report {
    let ground = Ground::find(context)?;
    let rules = &ground.rules;
    let mut removed = 0;
    if let Some(mut store) = ground.existing()? {
        let gone = store.clean(rules.keep_finished, rules.keep_unfinished, args.all)?;
        gone.iter().for_each(|gone| delete(store.dir(), gone));
        removed = gone.len();
        for dir in store.clean_dirs(if args.all { 0 } else { rules.keep_dirs })? {
            delete_dir(store.dir(), &dir);
        }
    }
    let what = if removed == 1 { "job" } else { "jobs" };
    context.out.line(&format!("removed {removed} {what}"))?;
    Ok(0)
}

/// Best effort: a file that cannot be deleted is no reason to keep the others.
pub fn delete(base: &Path, gone: &Gone) {
    let _ = std::fs::remove_file(&gone.log);
    if let Some(dir) = &gone.run_dir {
        delete_dir(base, dir);
    }
}

/// Only what stands directly below our own `jobs/`, and is no link to elsewhere.
fn delete_dir(base: &Path, dir: &Path) {
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
