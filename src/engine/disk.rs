//! What the config asks about the disk, answered by the disk itself.
use crate::config::Disk;
use rustix::fs::{Access, access};
use std::path::{Path, PathBuf};

pub struct RealDisk;

impl Disk for RealDisk {
    fn is_file(&self, path: &Path) -> bool {
        path.is_file()
    }
    fn is_dir(&self, path: &Path) -> bool {
        path.is_dir()
    }
    fn is_readable(&self, path: &Path) -> bool {
        access(path, Access::READ_OK).is_ok()
    }
    fn canonical(&self, path: &Path) -> Option<PathBuf> {
        path.canonicalize().ok()
    }
}
