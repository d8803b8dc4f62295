//! What the readers of all tables stand on.
use super::{Disk, fields::Roots};
use crate::model::name::printable_cut;
use std::path::Path;

pub(super) struct Ground<'a> {
    pub roots: Roots<'a>,
    pub prefix: &'a str,
    pub log_dir: &'a Path,
    pub disk: &'a dyn Disk,
}

/// What is wrong with a file that is to be read: `` is missing: `/a/b` ``, and a hint.
pub(super) fn missing_file(path: &Path, ground: &Ground) -> Option<(String, String)> {
    let shown = printable_cut(&path.to_string_lossy(), 200);
    if !ground.disk.is_file(path) {
        return Some(if ground.disk.is_dir(path) {
            (format!("is a folder: `{shown}`"), "name a file in it".into())
        } else {
            (
                format!("is missing: `{shown}`"),
                "write it, or correct the path; relative paths begin at `project_dir`".into(),
            )
        });
    }
    (!ground.disk.is_readable(path))
        .then(|| (format!("cannot be read: `{shown}`"), format!("allow it: `chmod u+r '{shown}'`")))
}
